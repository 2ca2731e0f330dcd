/** Limits of an import, and imports that are ended by something else than what the stream says. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { TarWriter } from '../../../tar/index.ts';
import { objectPath } from '../layout.ts';
import { LIST_BYTES, METADATA_BYTES } from '../limits.ts';
import { newRepository, SIGNAL } from '../stream.fixture.ts';
import { inPieces, isUntouched, piecesOf } from '../tampering.fixture.ts';
import { importTar } from './import-tar.ts';
import { assertRefused, madeStream } from './refusals.fixture.ts';

const ZEROS = '0'.repeat(64);

describe('a limit of an import', () => {
  /** A stream with its commit, and then a header alone. */
  async function claiming(t: TestContext, path: string, size: number): Promise<Buffer> {
    const { stream } = await madeStream(t);
    const chunks: Uint8Array[] = [];
    const tar = new TarWriter((chunk) => void chunks.push(chunk), 'gnu');
    for (const { entry, data } of await piecesOf(stream)) {
      await tar.add(entry, entry.type === 'file' ? data : undefined);
      if (entry.path.endsWith('.commit')) break;
    }
    const entry = { path, type: 'file', mode: 0o644, uid: 0, gid: 0, size } as const;
    await assert.rejects(tar.add(entry, inPieces(new Uint8Array())), { code: 'TAR_SIZE' });
    return Buffer.concat(chunks);
  }

  for (const [type, limit] of [
    ['dirtree', METADATA_BYTES],
    ['dirmeta', METADATA_BYTES],
    ['file-xattrs', LIST_BYTES],
    ['file-xattrs-link', LIST_BYTES],
  ] as const) {
    it(`holds for a ${type} of more than ${limit} bytes before any of them is read`, async (t) => {
      await assertRefused(t, await claiming(t, objectPath(ZEROS, type), limit + 1), 'STREAM_LIMIT');
      await assertRefused(t, await claiming(t, objectPath(ZEROS, type), limit), 'TAR_TRUNCATED');
    });
  }

  it('holds for a content that is larger than the stream may be', async (t) => {
    const stream = await claiming(t, objectPath(ZEROS, 'file'), 2 ** 40 + 1);
    await assertRefused(t, stream, 'XATTRS_MISSING');
    const old = await claimingOld(stream);
    await assertRefused(t, old, 'STREAM_LIMIT');
  });

  /** Without the configuration, which says that it is of v1: no link needs to come. */
  async function claimingOld(stream: Buffer): Promise<Buffer> {
    const at = stream.indexOf('sysroot/ostree/repo/config\0');
    return Buffer.concat([stream.subarray(0, at), stream.subarray(at + 1024)]);
  }

  for (const [title, code, limits] of [
    ['entries', 'TAR_LIMIT', { entries: 275 }],
    ['bytes', 'STREAM_LIMIT', { bytes: 140_000 }],
    ['bytes of attributes', 'STREAM_LIMIT', { xattrs: 10 }],
  ] as const) {
    it(`holds for the ${title} of a stream`, async (t) => {
      const { stream } = await madeStream(t);
      await assertRefused(t, stream, code, { limits });
    });
  }
});

describe('an import that cannot succeed', () => {
  it('is refused before anything of the stream is read, for a ref that is none', async (t) => {
    const repository = newRepository(t);
    let isRead = false;
    async function* stream() {
      isRead = true;
      yield new Uint8Array(512);
    }
    const options = { signal: SIGNAL, fsync: false, ref: 'a//b' };
    await assert.rejects(importTar(repository, stream(), options), { code: 'REF_NAME' });
    assert.equal(isRead, false);
  });

  it('ends with the error of whatever the stream comes from', async (t) => {
    const { stream } = await madeStream(t);
    const repository = newRepository(t);
    async function* broken() {
      yield* inPieces(stream.subarray(0, 150_000));
      throw new Error('the line is dead');
    }
    await assert.rejects(importTar(repository, broken(), { signal: SIGNAL, fsync: false }), /the line is dead/);
    assert.ok(isUntouched(repository));
  });

  it('closes what the stream comes from', async (t) => {
    const repository = newRepository(t);
    let isClosed = false;
    async function* endless() {
      try {
        for (;;) yield Buffer.alloc(4096, 'text ');
      } finally {
        isClosed = true;
      }
    }
    await assert.rejects(importTar(repository, endless(), { signal: SIGNAL, fsync: false }), { code: 'TAR_MALFORMED' });
    assert.ok(isClosed);
  });

  it('stops when it is told to', async (t) => {
    const { stream } = await madeStream(t);
    const repository = newRepository(t);
    const abort = new AbortController();
    async function* stopping() {
      yield* inPieces(stream, 512);
      abort.abort(new Error('enough'));
    }
    await assert.rejects(importTar(repository, stopping(), { signal: abort.signal, fsync: false }), /enough/);
    assert.ok(isUntouched(repository));
  });
});
