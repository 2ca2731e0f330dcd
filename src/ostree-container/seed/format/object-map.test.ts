import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { S_IFREG } from '../../../ostree/index.ts';
import { formatMapHead, formatMappedFile, isMapHead, type MappedFile, readObjectMap } from './object-map.ts';

const C = 'c'.repeat(64);
const O = '0'.repeat(64);
const LAYER = `sha256:${'1'.repeat(64)}` as const;

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function read(text: string | Uint8Array, piece = 7) {
  const bytes = Buffer.from(text as string);
  const pieces = Array.from({ length: Math.ceil(bytes.length / piece) }, (_, i) =>
    Uint8Array.from(bytes.subarray(i * piece, (i + 1) * piece)),
  );
  return collected(readObjectMap(pieces));
}

const FILES: readonly MappedFile[] = [
  { path: '/etc/conf', object: O, size: 5, target: undefined, external: undefined },
  { path: '/usr/a\n"ü', object: O, size: 0, target: undefined, external: undefined },
  { path: '/usr/link', object: O, size: undefined, target: '../x', external: undefined },
  {
    path: '/usr/outside',
    object: O,
    size: 7,
    target: undefined,
    external: {
      header: {
        uid: 1,
        gid: 2,
        mode: S_IFREG | 0o4755,
        target: undefined,
        xattrs: [[Buffer.from('user.x'), Buffer.from([0, 255])]],
      },
      layer: LAYER,
      source: '/usr/bin/other',
    },
  },
];

describe('an object map', () => {
  it('comes back as it went in, however it is cut', async () => {
    const text = formatMapHead(C) + FILES.map(formatMappedFile).join('');
    for (const piece of [1, 7, 10_000]) {
      const [head, ...files] = await read(text, piece);
      assert.ok(head !== undefined && isMapHead(head));
      assert.equal(head.commit, C);
      assert.deepEqual(files, FILES);
    }
  });

  it('has the lines that the specification has', () => {
    assert.equal(formatMapHead(C), `{"format":"ostree-object-map","version":1,"commit":"${C}"}\n`);
    const [plain, , link] = FILES.map(formatMappedFile);
    assert.equal(plain, `{"path":"/etc/conf","object":"${O}","size":5}\n`);
    assert.equal(link, `{"path":"/usr/link","object":"${O}","target":"../x"}\n`);
  });

  const line = (fields: object): string => `${JSON.stringify({ path: '/a', object: O, size: 1, ...fields })}\n`;
  const outside = { external: true, uid: 0, gid: 0, mode: S_IFREG | 0o644, xattrs: [] };
  for (const [what, text] of [
    ['nothing in it', ''],
    ['a first line of another format', '{"format":"other","version":1}\n'],
    ['a first line of another version', `${formatMapHead(C).replace('"version":1', '"version":2')}`],
    ['a commit that is no checksum', formatMapHead(C.toUpperCase())],
    ['a line without its end', `${formatMapHead(C)}{"path":"/a"`],
    ['a line that is no JSON', `${formatMapHead(C)}path\n`],
    ['a list instead of an object', `${formatMapHead(C)}[]\n`],
    ['bytes that are no UTF-8', Buffer.concat([Buffer.from(formatMapHead(C)), Buffer.from([0xff, 10])])],
    ['a path that does not begin at the root', formatMapHead(C) + line({ path: 'a' })],
    ['a NUL in a path', formatMapHead(C) + line({ path: '/a\0' })],
    ['a size that is negative', formatMapHead(C) + line({ size: -1 })],
    ['neither size nor target', formatMapHead(C) + line({ size: undefined })],
    ['an external file without an owner', formatMapHead(C) + line({ external: true })],
    ['an external folder', formatMapHead(C) + line({ ...outside, mode: 0o40755 })],
    ['attributes that are no base64', formatMapHead(C) + line({ ...outside, xattrs: [['?', '']] })],
    ['half an attribute', formatMapHead(C) + line({ ...outside, xattrs: [['dQ==']] })],
    ['a layer that is no digest', formatMapHead(C) + line({ ...outside, layer: 'sha256:1' })],
  ] as const) {
    it(`with ${what} is malformed`, async () => {
      await assert.rejects(read(text), { name: 'SeedError', code: 'SEED_MALFORMED' });
    });
  }

  it('with a line that has no end is too large before it is in memory', async () => {
    const endless = (function* () {
      for (let i = 0; i < 100; i++) yield Buffer.alloc(2 ** 20, 'x');
      throw new Error('all of it was read');
    })();
    await assert.rejects(collected(readObjectMap(endless)), { code: 'SEED_LIMIT' });
  });
});
