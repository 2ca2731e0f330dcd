import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { collect } from './bytes.ts';

/** A stream that notes how much of it was taken and whether it was closed. */
function stream(...chunks: readonly string[]) {
  const seen = { taken: 0, closed: false };
  async function* generate(): AsyncGenerator<Uint8Array> {
    try {
      for (const chunk of chunks) {
        seen.taken++;
        yield Buffer.from(chunk);
      }
    } finally {
      seen.closed = true;
    }
  }
  return { seen, bytes: generate() };
}

describe('collecting a stream', () => {
  it('gives all its bytes in their order', async () => {
    assert.equal(Buffer.from(await collect(stream('ab', '', 'c').bytes, 100, 'x')).toString(), 'abc');
  });

  it('of nothing gives nothing, also under a limit of nothing', async () => {
    assert.equal((await collect(stream().bytes, 0, 'x')).length, 0);
    assert.equal((await collect(stream('', '').bytes, 0, 'x')).length, 0);
  });

  it('accepts exactly as many bytes as the limit', async () => {
    assert.equal((await collect(stream('ab', 'cd').bytes, 4, 'x')).length, 4);
  });

  it('refuses one byte more, takes nothing further and closes the stream', async () => {
    const { seen, bytes } = stream('ab', 'cde', 'f', 'g');
    await assert.rejects(collect(bytes, 4, 'x'), { name: 'CodedError', code: 'TOO_LARGE' });
    assert.deepEqual(seen, { taken: 2, closed: true });
  });

  it('passes on the error of the stream', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a');
      throw new Error('cut off');
    }
    await assert.rejects(collect(broken(), 10, 'x'), /cut off/);
  });
});
