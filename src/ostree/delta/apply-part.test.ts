import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytes, tuple } from '../../gvariant/index.ts';
import { sha256 } from '../objects/checksum.ts';
import { SIGNAL } from '../repository/repository.fixture.ts';
import type { FileSink, ObjectWriter } from '../storage/object-writer.ts';
import { encodeOperations, type Operation } from './algorithms/operations.ts';
import { applyPart, type PartInput } from './apply-part.ts';
import { encodePayload, PLAIN } from './part-payload.ts';

const SOURCE = Buffer.from('0123456789');
const CHECKSUM = sha256(SOURCE);

/** A writer that keeps nothing: pieces that a content was written in, and how often sources were opened. */
function recorder(onWrite: () => void = () => undefined) {
  const seen = { pieces: [] as number[], opened: 0, closed: 0 };
  const sink: Pick<FileSink, 'write' | 'finish' | 'abort'> = {
    write: (chunk) => {
      seen.pieces.push(chunk.length);
      onWrite();
    },
    finish: (checksum = '') => ({ checksum, size: 0, storedSize: 0, isNew: true }),
    abort: () => undefined,
  };
  const file = () => {
    seen.opened++;
    const close = (): void => void seen.closed++;
    return { size: SOURCE.length, plainFd: undefined, bytes: () => SOURCE, close };
  };
  return { seen, writer: { reader: { file }, beginFile: () => sink } as unknown as ObjectWriter };
}

function partOf(operations: readonly Operation[], files = 1): PartInput {
  const modes = [{ uid: 0, gid: 0, mode: 0o100644 }];
  const data = Buffer.concat([Buffer.from(CHECKSUM, 'hex'), Buffer.from('more')]);
  return partWith(encodePayload({ modes, xattrs: [[]], data, operations: encodeOperations(operations) }), files);
}

function partWith(payload: Uint8Array, files = 1): PartInput {
  const file = Buffer.concat([Uint8Array.of(PLAIN), payload]);
  const objects = Array.from({ length: files }, () => ({ type: 'file' as const, checksum: CHECKSUM }));
  return { part: { digest: sha256(file), objects }, file, what: 'part' };
}

const open = (size: number): Operation => ({ op: 'open', mode: 0, xattrs: 0, size });
const set: Operation = { op: 'set-source', offset: 0 };
const unset: Operation = { op: 'unset-source' };
const write = (offset: number, length: number): Operation => ({ op: 'write', offset, length });
const close: Operation = { op: 'close' };

describe('a part of a delta', () => {
  it('opens a source once, however often it is set and unset, and closes it', async () => {
    const { seen, writer } = recorder();
    const turns = Array.from({ length: 50 }, () => [set, write(0, 2), unset, write(32, 1)]).flat();
    await applyPart(writer, partOf([open(150), ...turns, close]), SIGNAL);
    assert.equal(
      seen.pieces.reduce((sum, length) => sum + length, 0),
      150,
    );
    assert.deepEqual([seen.opened, seen.closed], [1, 1]);
  });

  it('closes its source when it fails', async () => {
    const { seen, writer } = recorder();
    await assert.rejects(applyPart(writer, partOf([open(9), set, close]), SIGNAL), { code: 'DELTA_MALFORMED' });
    assert.deepEqual([seen.opened, seen.closed], [1, 1]);
  });

  it('that writes nothing again and again has nothing kept', async () => {
    const { seen, writer } = recorder();
    const nothing = Array.from({ length: 1000 }, () => write(32, 0));
    await applyPart(writer, partOf([open(4), ...nothing, write(32, 4), close]), SIGNAL);
    assert.deepEqual(seen.pieces, [4]);
  });

  it('can be ended while it is carried out', async () => {
    const stop = new AbortController();
    const { seen, writer } = recorder(() => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20); // a slow disk
      setTimeout(() => stop.abort(new Error('enough')));
    });
    const work = Array.from({ length: 100 }, () => write(32, 1));
    await assert.rejects(applyPart(writer, partOf([open(100), ...work, close]), stop.signal), { message: 'enough' });
    assert.ok(seen.pieces.length < 100, `${seen.pieces.length}`);
  });

  for (const [what, table] of [
    ['owners and modes', 0],
    ['attributes', 1],
  ] as const) {
    it(`with a table of ${what} that would fill the memory is refused before it is decoded`, async () => {
      const members = [0, 1, 2, 3].map((i) => Buffer.alloc(i === table ? 12 * 1_400_000 : 0));
      if (table === 1) members[1] = Buffer.alloc(17 * 2 ** 20);
      const [modes, xattrs, data, operations] = members as [Buffer, Buffer, Buffer, Buffer];
      const payload = tuple(bytes, bytes, bytes, bytes).encode([modes, xattrs, data, operations]);
      const refused = { code: 'DELTA_MALFORMED', message: /table of [0-9]+ bytes/ };
      await assert.rejects(applyPart(recorder().writer, partWith(payload, 0), SIGNAL), refused);
    });
  }
});
