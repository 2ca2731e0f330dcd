import assert from 'node:assert/strict';
import fs from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { scratch } from '../../../test/support/scratch.ts';
import { createRepository, openRepository } from '../../ostree/index.ts';
import { serveRepository } from './server.ts';
import { exchange, get, madeRepository, parseReply, serve } from './web.fixture.ts';

const objectOf = (commit: string, type = 'commit') => `/repo/objects/${commit.slice(0, 2)}/${commit.slice(2)}.${type}`;
const read = (path: string, target: string) => fs.readFileSync(join(path, target.replace(/^\/repo\//, '')));

describe('a repository that is served', () => {
  it('gives its objects, for good, with all that a cache needs', async (t) => {
    const { repository, path, commit } = await madeRepository(t);
    const { port } = await serve(t, repository);
    const target = objectOf(commit);
    const { status, headers, body } = await get(port, target);
    assert.equal(status, 200);
    assert.deepEqual(body, read(path, target));
    assert.equal(headers.get('content-length'), String(body.length));
    assert.match(headers.get('cache-control') ?? '', /max-age=31536000.*immutable/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.match(headers.get('etag') ?? '', /^"[^"]+"$/);
    assert.equal(headers.get('last-modified'), fs.statSync(join(path, target.slice(6))).mtime.toUTCString());
  });

  it('gives refs and the core of its configuration, asked for again each time', async (t) => {
    const { repository, path, commit } = await madeRepository(t);
    fs.appendFileSync(join(path, 'config'), '\n[remote "x"]\nurl=https://u:secret@example.com/\n');
    fs.symlinkSync('main', join(path, 'refs/heads/os/alias'));
    const { port } = await serve(t, repository);
    for (const [target, text] of [
      ['/repo/refs/heads/os/main', `${commit}\n`],
      ['/repo/refs/heads/os/alias', `${commit}\n`],
      ['/repo/config', '[core]\nrepo_version=1\nmode=archive-z2\n'],
    ] as const) {
      const { status, headers, body } = await get(port, target);
      assert.deepEqual([status, body.toString(), headers.get('cache-control')], [200, text, 'no-cache'], target);
    }
  });

  it('sees a new summary, and says when it has not changed', async (t) => {
    const { repository, path } = await madeRepository(t);
    const { port } = await serve(t, repository);
    assert.equal((await get(port, '/repo/summary')).status, 404);
    fs.writeFileSync(join(path, 'summary'), 'one');
    const first = await get(port, '/repo/summary');
    const etag = first.headers.get('etag') ?? '';
    const again = await get(port, '/repo/summary', { 'If-None-Match': etag });
    assert.deepEqual([again.status, again.body.length, again.headers.get('etag')], [304, 0, etag]);
    const { mtime } = fs.statSync(join(path, 'summary'));
    fs.writeFileSync(join(path, 'summary.new'), 'two');
    fs.utimesSync(join(path, 'summary.new'), mtime, mtime);
    fs.renameSync(join(path, 'summary.new'), join(path, 'summary')); // the same size, the same second
    const second = await get(port, '/repo/summary', { 'If-None-Match': etag });
    assert.deepEqual([second.status, second.body.toString()], [200, 'two']);
  });

  it('answers HEAD as GET without content, and ranges with parts', async (t) => {
    const { repository, path, commit } = await madeRepository(t);
    const { port } = await serve(t, repository);
    const target = objectOf(commit);
    const bytes = read(path, target);
    const head = await get(port, target, { method: 'HEAD' });
    assert.deepEqual(
      [head.status, head.headers.get('content-length'), head.body.length],
      [200, String(bytes.length), 0],
    );
    const part = await get(port, target, { Range: 'bytes=10-19', 'If-Range': head.headers.get('etag') ?? '' });
    assert.deepEqual(
      [part.status, part.headers.get('content-range'), part.body],
      [206, `bytes 10-19/${bytes.length}`, bytes.subarray(10, 20)],
    );
    const behind = await get(port, target, { Range: `bytes=${bytes.length}-` });
    assert.deepEqual(
      [behind.status, behind.headers.get('content-range'), behind.body.length],
      [416, `bytes */${bytes.length}`, 0],
    );
  });

  it('says plainly that something is not there', async (t) => {
    const { repository, commit } = await madeRepository(t);
    const { port } = await serve(t, repository);
    for (const target of [
      objectOf(commit, 'commitmeta'),
      '/repo/summary.sig',
      objectOf('0'.repeat(64), 'filez'),
      '/repo/refs/heads/os',
      '/repo/refs/heads/os/main/x',
      '/nothing',
      `/commit/${'0'.repeat(64)}`,
      `/browse/${commit}/no`,
      `/browse/${commit}/usr`,
      `/browse/${commit}/usr/bin/hello/`,
      '/?page=2',
    ]) {
      const { status, headers } = await get(port, target);
      assert.deepEqual([status, headers.get('content-type')], [404, 'text/plain; charset=utf-8'], target);
    }
  });

  it('takes no method but GET and HEAD, and no content', async (t) => {
    const { repository } = await madeRepository(t);
    const { port } = await serve(t, repository);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND', 'TRACE']) {
      const { status, headers } = await get(port, '/repo/config', { method });
      assert.deepEqual([status, headers.get('allow'), headers.get('connection')], [405, 'GET, HEAD', 'close'], method);
    }
    const both = await exchange(
      port,
      'GET /repo/config HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\nGET /repo/config HTTP/1.1\r\nHost: x\r\n\r\n',
    );
    assert.equal(both.toString().match(/HTTP\/1.1 200/g)?.length, 1);
  });

  it('shows nobody what lies behind a link, nor what is not a file', async (t) => {
    const { repository, path, commit } = await madeRepository(t);
    const outside = scratch(t);
    fs.writeFileSync(join(outside, 'secret'), 'SECRET');
    fs.symlinkSync(join(outside, 'secret'), join(path, 'summary'));
    fs.symlinkSync('config', join(path, 'summary.sig'));
    fs.symlinkSync('../../../../secret', join(path, 'refs/heads/leak'));
    fs.symlinkSync('../remotes', join(path, 'refs/heads/remotes'));
    fs.mkdirSync(join(path, `objects/00`), { recursive: true });
    fs.mkdirSync(join(path, `objects/00/${'0'.repeat(62)}.filez`));
    fs.renameSync(join(path, 'objects', commit.slice(0, 2)), join(outside, 'objects'));
    fs.symlinkSync(join(outside, 'objects'), join(path, 'objects', commit.slice(0, 2)));
    const { port, notes } = await serve(t, repository);
    for (const target of [
      '/repo/summary',
      '/repo/summary.sig',
      '/repo/refs/heads/leak',
      '/repo/refs/heads/remotes/x',
      objectOf('0'.repeat(64), 'filez'),
      objectOf(commit),
    ]) {
      assert.equal((await get(port, target)).status, 404, target);
    }
    assert.deepEqual(notes, []);
  });

  it('is left by no path, whatever its letters', async (t) => {
    const { repository, path } = await madeRepository(t);
    const secret = 'TOP-SECRET-VALUE';
    for (const place of [
      '../secret',
      'secret',
      'tmp/secret',
      'state/secret',
      'extensions/secret',
      '.lock',
      'x.trustedkeys.gpg',
      'x.cookies.txt',
      'refs/secret',
    ]) {
      fs.writeFileSync(join(path, place), secret);
    }
    const { port } = await serve(t, repository);
    const piece = fc.constantFrom(
      'repo',
      'secret',
      '..',
      '.',
      '',
      '%2e%2e',
      '%2E.',
      '..%2f',
      '%2f',
      '%5c..',
      '%00',
      'tmp',
      'state',
      'extensions',
      '.lock',
      '%2elock',
      'x.trustedkeys.gpg',
      'x.cookies.txt',
      'refs',
      'heads',
      'objects',
      'deltas',
      'browse',
      '%c0%ae%c0%ae',
      ';',
      '?',
      '//',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 6 }), async (pieces) => {
        const { status, body } = await get(port, `/${pieces.join('/')}`);
        assert.ok([200, 301, 404].includes(status), String(status));
        assert.ok(!body.includes(secret));
      }),
      { numRuns: 300 },
    );
  });

  it('sends content that is rebuilt elsewhere as if it were its own', async (t) => {
    const { repository } = await madeRepository(t);
    const checksum = 'cd'.repeat(32);
    const bytes = Buffer.from('rebuilt object');
    const asked: string[] = [];
    let closed = 0;
    const external = {
      async rebuild(name: string) {
        asked.push(name);
        if (name !== checksum) return undefined;
        return {
          size: bytes.length,
          async *chunks(start: number, end: number) {
            yield bytes.subarray(start, end);
          },
          close: () => void closed++,
        };
      },
    };
    const { port } = await serve(t, repository, { external });
    assert.deepEqual((await get(port, objectOf(checksum, 'filez'))).body, bytes);
    assert.deepEqual((await get(port, objectOf(checksum, 'filez'), { Range: 'bytes=8-' })).body, bytes.subarray(8));
    assert.equal((await get(port, objectOf('0'.repeat(64), 'filez'))).status, 404);
    assert.equal((await get(port, objectOf(checksum, 'dirtree'))).status, 404);
    assert.deepEqual([asked, closed], [[checksum, checksum, '0'.repeat(64)], 2]);
  });

  it('that fails on our side says so to us alone, and goes on', async (t) => {
    const { repository } = await madeRepository(t);
    const external = { rebuild: () => Promise.reject(new Error('disk on fire')) };
    const { port, notes } = await serve(t, repository, { external });
    const { status, body } = await get(port, objectOf('0'.repeat(64), 'filez'));
    assert.deepEqual([status, body.toString()], [500, 'internal error\n']);
    assert.match(notes.join(), /disk on fire/);
    assert.equal((await get(port, '/repo/config')).status, 200);
  });

  it('must be of mode archive', async (t) => {
    const path = join(scratch(t), 'repo');
    createRepository(path, { mode: 'bare-user' });
    const repository = openRepository(path);
    t.after(() => repository.close());
    await assert.rejects(serve(t, repository), { code: 'REPOSITORY_MODE', subject: path });
  });

  it('cannot listen where another one does', async (t) => {
    const { repository } = await madeRepository(t);
    const { port } = await serve(t, repository);
    const { signal } = new AbortController();
    const listen = [{ kind: 'address', host: '127.0.0.1', port }] as const;
    await assert.rejects(serveRepository({ repository, listen, onNote: () => undefined, signal }), {
      code: 'LISTEN_FAILED',
    });
  });
});

/** Bytes that the kernel's buffers do not swallow. */
const LARGE = 32 * 2 ** 20;

async function withLarge(t: Parameters<typeof scratch>[0]) {
  const made = await madeRepository(t);
  const name = `objects/${'0'.repeat(2)}/${'0'.repeat(62)}.filez`;
  fs.mkdirSync(join(made.path, 'objects/00'), { recursive: true });
  fs.writeFileSync(join(made.path, name), Buffer.alloc(LARGE, 7));
  return { ...made, request: `GET /repo/${name} HTTP/1.1\r\nHost: x\r\n\r\n` };
}

describe('a client', () => {
  it('that sends its headers slowly, or none, is cut off', async (t) => {
    const { repository } = await madeRepository(t);
    const { port } = await serve(t, repository, { limits: { headersTimeoutMs: 300, requestTimeoutMs: 400 } });
    const began = performance.now();
    const slow = connect(port, '127.0.0.1');
    const drip = setInterval(() => slow.write('G'), 50);
    t.after(() => clearInterval(drip));
    slow.on('error', () => undefined);
    const silent = exchange(port, '');
    await Promise.all([new Promise((resolve) => slow.once('close', resolve)), silent]);
    assert.ok(performance.now() - began < 5000);
  });

  it('that sends endless headers gets 431', async (t) => {
    const { repository } = await madeRepository(t);
    const { port } = await serve(t, repository, { limits: { maxHeaderBytes: 4096 } });
    const reply = await exchange(port, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(8000)}\r\n\r\n`);
    assert.equal(parseReply(reply).status, 431);
  });

  it('that does not read is cut off, and its file closed', async (t) => {
    const { repository, request } = await withLarge(t);
    const { port } = await serve(t, repository, { limits: { stallMs: 300 } });
    const before = fs.readdirSync('/proc/self/fd').length;
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    socket.on('error', () => undefined);
    socket.pause();
    await sleep(1200);
    socket.resume(); // what the kernel holds is read, then the end is seen
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    await new Promise((resolve) => socket.once('close', resolve));
    assert.ok(received < LARGE, `${received}`);
    await sleep(50);
    assert.equal(fs.readdirSync('/proc/self/fd').length, before);
  });

  it('that goes away in the middle leaves nothing behind', async (t) => {
    const { repository, request } = await withLarge(t);
    const { port, notes } = await serve(t, repository);
    const before = fs.readdirSync('/proc/self/fd').length;
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    await sleep(300);
    assert.equal(fs.readdirSync('/proc/self/fd').length, before);
    assert.deepEqual(notes, []);
  });

  it('too many of them are refused, which is noted once', async (t) => {
    const { repository } = await madeRepository(t);
    const { port, notes } = await serve(t, repository, { limits: { maxConnections: 2 } });
    const held = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    t.after(() => held.forEach((socket) => void socket.destroy()));
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    await sleep(50);
    for (let i = 0; i < 3; i++) {
      const answer = await exchange(port, 'GET / HTTP/1.1\r\n\r\n').catch(() => Buffer.alloc(0));
      assert.equal(answer.length, 0);
    }
    assert.equal(notes.length, 1);
  });

  it('may ask several things on one connection', async (t) => {
    const { repository } = await madeRepository(t);
    const { port } = await serve(t, repository);
    const one = 'GET /repo/config HTTP/1.1\r\nHost: x\r\n';
    const answers = await exchange(port, `${one}\r\n${one}\r\n${one}Connection: close\r\n\r\n`);
    assert.equal(answers.toString().match(/HTTP\/1.1 200 OK/g)?.length, 3);
  });
});

describe('a server that is told to end', () => {
  it('finishes what is running, takes nothing new, and waits for nobody who asks nothing', async (t) => {
    const { repository, request } = await withLarge(t);
    const { port, stop, done } = await serve(t, repository);
    const idle = connect(port, '127.0.0.1');
    idle.on('error', () => undefined);
    const half = connect(port, '127.0.0.1', () => half.write('GET / HT'));
    half.on('error', () => undefined);
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    let received = 0;
    await new Promise((resolve) => socket.once('data', resolve));
    socket.pause();
    stop();
    await sleep(100);
    await assert.rejects(exchange(port, 'GET / HTTP/1.1\r\n\r\n'), { code: 'ECONNREFUSED' });
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    await Promise.all([closed, done]);
    assert.ok(received > LARGE - 2 ** 20, `${received}`); // the first piece came before it was counted
  });

  it('and has nothing to do ends at once', async (t) => {
    const { repository } = await madeRepository(t);
    const { stop, done } = await serve(t, repository);
    stop();
    await done;
  });
});
