import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { never } from '../registry.fixture.ts';
import { handover } from './handover.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('a handover', () => {
  it('gives every chunk itself, and lets the pusher go on only when the next one is asked for', async () => {
    const log: string[] = [];
    const chunks = ['a', 'b', 'c'].map(bytes);
    const stream = handover(async (take) => {
      for (const chunk of chunks) {
        await take(chunk);
        log.push(`free ${Buffer.from(chunk)}`);
      }
    }, never);
    await turn();
    for await (const chunk of stream) {
      assert.ok(chunks.includes(chunk));
      await turn();
      log.push(`used ${Buffer.from(chunk)}`);
    }
    assert.deepEqual(log, ['used a', 'free a', 'used b', 'free b', 'used c', 'free c']);
  });

  it("ends in the pusher's error, after what came before it", async () => {
    const found: string[] = [];
    const reading = async (): Promise<void> => {
      const stream = handover(async (take) => {
        await take(bytes('a'));
        throw new Error('broken');
      }, never);
      for await (const chunk of stream) found.push(`${Buffer.from(chunk)}`);
    };
    await assert.rejects(reading(), { message: 'broken' });
    assert.deepEqual(found, ['a']);
  });

  it('stops the pusher when nobody asks any more, and waits until it has stopped', async () => {
    let stopped = false;
    const stream = handover(async (take, signal) => {
      await take(bytes('a'));
      assert.ok(signal.aborted);
      await turn();
      await take(bytes('b'));
      stopped = true;
    }, never);
    for await (const chunk of stream) {
      assert.equal(`${Buffer.from(chunk)}`, 'a');
      break;
    }
    assert.equal(stopped, true);
  });

  it('ends when its signal does', async () => {
    const control = new AbortController();
    const stream = handover(
      (_, signal) => new Promise((__, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      control.signal,
    );
    setTimeout(() => control.abort(new Error('enough')), 10);
    await assert.rejects(stream.next(), { message: 'enough' });
  });
});
