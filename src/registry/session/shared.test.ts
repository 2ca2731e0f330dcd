import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { never } from '../registry.fixture.ts';
import { Shared } from './shared.ts';

const soon = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    setTimeout(resolve, 20);
    signal.addEventListener('abort', () => reject(signal.reason));
  });

describe('shared work', () => {
  it('is done once for all who ask at the same time, and again later', async () => {
    let runs = 0;
    const shared = new Shared<number>();
    const work = async (signal: AbortSignal): Promise<number> => {
      await soon(signal);
      return ++runs;
    };
    assert.deepEqual(await Promise.all([1, 2, 3].map(() => shared.get(work, never))), [1, 1, 1]);
    assert.equal(await shared.get(work, never), 2);
  });

  it('fails for all when it fails, and can be tried again', async () => {
    const shared = new Shared<number>();
    const fail = async (signal: AbortSignal): Promise<number> => {
      await soon(signal);
      throw new Error('broken');
    };
    const results = await Promise.allSettled([shared.get(fail, never), shared.get(fail, never)]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    assert.equal(await shared.get(async () => 7, never), 7);
  });

  it('is taken over by another when the one who does it gives up', async () => {
    const shared = new Shared<string>();
    const control = new AbortController();
    const work = async (signal: AbortSignal): Promise<string> => {
      await soon(signal);
      return signal === never ? 'second' : 'first';
    };
    const [first, second] = [shared.get(work, control.signal), shared.get(work, never)];
    control.abort(new Error('enough'));
    await assert.rejects(first, { message: 'enough' });
    assert.equal(await second, 'second');
  });
});
