/** The page for people in a real browser: what it shows, that nothing runs, and that a phone need not scroll sideways. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { inflateSync } from 'node:zlib';
import { madeRepository, serve } from '../../src/ostree-container/web/web.fixture.ts';
import { needs } from '../support/needs.ts';
import { must } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

const skip = needs('chromium');
const SUBJECT = `<script>document.title="owned"</script><img src=x onerror="document.title='owned'"> a subject that is long enough to need more than one line`;

async function chromium(t: TestContext, ...words: readonly string[]): Promise<string> {
  const profile = join(scratch(t), 'profile');
  mkdirSync(profile);
  const fixed = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-sync',
    '--hide-scrollbars',
  ];
  const { stdout } = await must('chromium', [...fixed, `--user-data-dir=${profile}`, ...words], { timeoutMs: 120_000 });
  return stdout;
}

async function site(t: TestContext) {
  const files = { 'usr/bin/hello': 'hello\n', [`usr/share/${'a-very-long-name-'.repeat(8)}`]: 'x' };
  const { repository, commit } = await madeRepository(t, { subject: SUBJECT, files });
  const { port } = await serve(t, repository);
  return {
    port,
    pages: ['/', `/commit/${commit}`, `/browse/${commit}/usr/share/`].map((path) => `http://127.0.0.1:${port}${path}`),
  };
}

describe('the page for people, in a browser', { skip }, () => {
  it('shows a subject with markup as text, and runs none of it', async (t) => {
    const { pages } = await site(t);
    const dom = await chromium(t, '--dump-dom', pages[0] ?? '');
    assert.match(dom, /<title>OSTree repository<\/title>/);
    assert.match(dom, /&lt;script&gt;document\.title="owned"&lt;\/script&gt;/);
    assert.doesNotMatch(dom, /<script|<img/);
  });

  it('is no wider than a phone, and its style is applied', async (t) => {
    const { pages } = await site(t);
    // Frames of 390 pixels: a window of the browser itself is never narrower than 500.
    const frames = pages
      .map((page) => `<iframe src="${page}" width=390 height=800 style="border:0"></iframe>`)
      .join('');
    const server = createServer((_, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end(`<body style="margin:0;background:#f0f;display:flex;gap:10px">${frames}</body>`);
    }).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const file = join(scratch(t), 'phone.png');
    await chromium(t, '--window-size=1190,800', `--screenshot=${file}`, `http://127.0.0.1:${port}/`);
    const picture = decodePng(readFileSync(file));
    assert.deepEqual([picture.width, picture.height], [1190, 800]);
    for (const [i] of pages.entries()) {
      const left = i * 400;
      // 16 pixels of ground at both sides: what is too wide would be cut off there, or drawn over it.
      const ground = picture.at(left + 3, 3);
      assert.notDeepEqual(ground, [255, 0, 255]);
      for (let y = 0; y < 800; y += 1) {
        for (const x of [left + 2, left + 387])
          assert.deepEqual(picture.at(x, y), ground, `page ${i} at ${x - left},${y}`);
      }
      const colours = new Set(
        Array.from({ length: 390 * 200 }, (_, p) => picture.at(left + (p % 390), Math.floor(p / 390)).join()),
      );
      assert.ok(colours.size > 20, `page ${i} is empty`);
    }
  });
});

interface Picture {
  readonly width: number;
  readonly height: number;
  at(x: number, y: number): readonly number[];
}

/** RGB or RGBA of 8 bits, not interlaced: what chromium writes. Source: the PNG specification. */
function decodePng(png: Buffer): Picture {
  const [width, height, channels] = [png.readUInt32BE(16), png.readUInt32BE(20), png[25] === 6 ? 4 : 3];
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  const pixels = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)] ?? 0;
    for (let x = 0; x < stride; x++) {
      const [a, b, c] = [
        x >= channels ? pixels[y * stride + x - channels] : 0,
        y > 0 ? pixels[(y - 1) * stride + x] : 0,
        x >= channels && y > 0 ? pixels[(y - 1) * stride + x - channels] : 0,
      ].map((value) => value ?? 0) as [number, number, number];
      pixels[y * stride + x] = ((raw[y * (stride + 1) + 1 + x] ?? 0) + predict(filter, a, b, c)) & 255;
    }
  }
  return {
    width,
    height,
    at: (x, y) => [...pixels.subarray((y * width + x) * channels, (y * width + x) * channels + 3)],
  };
}

function predict(filter: number, a: number, b: number, c: number): number {
  if (filter < 3) return [0, a, b][filter] ?? 0;
  if (filter === 3) return (a + b) >> 1;
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}
