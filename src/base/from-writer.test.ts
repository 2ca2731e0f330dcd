import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromWriter } from './from-writer.ts';

describe('what a writer writes', () => {
  it('comes chunk by chunk, each taken before the next is written', async () => {
    const room = Buffer.alloc(1);
    const seen: number[] = [];
    const chunks = fromWriter(async (sink) => {
      for (let i = 0; i < 5; i++) {
        room[0] = i;
        await sink(room);
      }
    });
    for await (const chunk of chunks) {
      await new Promise((done) => setImmediate(done));
      seen.push(chunk[0] ?? -1);
    }
    assert.deepEqual(seen, [0, 1, 2, 3, 4]);
  });

  it('ends with the writer when the reader leaves', async () => {
    let hasFailed = false;
    const chunks = fromWriter(async (sink) => {
      try {
        for (;;) await sink(Buffer.from('x'));
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    });
    for await (const _ of chunks) break;
    assert.ok(hasFailed);
  });
});
