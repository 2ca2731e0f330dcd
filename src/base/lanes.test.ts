import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { inLanes } from './lanes.ts';

const { signal } = new AbortController();

describe('work in lanes', () => {
  it('is begun in its order, on no more things at a time than there are lanes', async () => {
    const begun: number[] = [];
    let [now, most] = [0, 0];
    await inLanes([1, 2, 3, 4, 5], 2, signal, async (item) => {
      begun.push(item);
      most = Math.max(most, ++now);
      await turn();
      now--;
    });
    assert.deepEqual([begun, most, now], [[1, 2, 3, 4, 5], 2, 0]);
  });

  it('ends with the first failure, when the others have heard of it and are done', async () => {
    const ended: number[] = [];
    const work = inLanes([1, 2, 3], 2, signal, async (item, each) => {
      if (item === 2) throw new Error('two');
      while (!each.aborted) await turn();
      ended.push(item);
      throw new Error('later');
    });
    await assert.rejects(work, /two/);
    assert.deepEqual(ended, [1], 'the third was never begun');
  });

  it('hears when it is called off from outside', async () => {
    const outside = new AbortController();
    const work = inLanes([1], 3, outside.signal, async (_item, each) => {
      outside.abort(new Error('enough'));
      each.throwIfAborted();
    });
    await assert.rejects(work, /enough/);
  });

  it('is nothing where there is nothing to do', async () => {
    await inLanes([], 3, signal, () => Promise.reject(new Error('unreachable')));
  });
});
