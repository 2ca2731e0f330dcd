import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createDeflateRaw, createGunzip, createInflateRaw } from 'node:zlib';
import { deflateRaw } from './deflate.ts';
import { sample, source, whole } from './streams.fixture.ts';
import { ENGINE_OPTIONS, throughEngine } from './zlib-engine.ts';

const nothing = () => undefined;

describe('a zlib engine between two streams', () => {
  it('is destroyed after the end', async () => {
    const engine = createDeflateRaw();
    assert.deepEqual(
      await whole(throughEngine(engine, source(sample(100)).bytes, nothing)),
      deflateRaw(sample(100), 6),
    );
    assert.equal(engine.destroyed, true);
  });

  it('is destroyed, and the source closed, when the consumer leaves early', async () => {
    const engine = createInflateRaw(ENGINE_OPTIONS);
    const { seen, bytes } = source(deflateRaw(sample(5_000_000), 1));
    for await (const chunk of throughEngine(engine, bytes, nothing)) {
      assert.ok(chunk.length > 0);
      break;
    }
    assert.deepEqual([engine.destroyed, seen.closed, seen.finished], [true, true, false]);
  });

  it('is destroyed, and the source closed, when the data are damaged', async () => {
    const engine = createGunzip();
    const { seen, bytes } = source(Buffer.alloc(1_000_000, 1));
    await assert.rejects(whole(throughEngine(engine, bytes, nothing)), { code: 'Z_DATA_ERROR' });
    assert.deepEqual([engine.destroyed, seen.closed, seen.taken], [true, true, 65536]);
  });

  it('is destroyed when the source fails, whose error passes through', async () => {
    const engine = createInflateRaw();
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield deflateRaw(sample(100), 6).subarray(0, 10);
      throw new Error('cut off');
    }
    await assert.rejects(whole(throughEngine(engine, broken(), nothing)), /cut off/);
    assert.equal(engine.destroyed, true);
  });

  it('takes no more of the source than its consumer takes of the output', async () => {
    const { seen, bytes } = source(deflateRaw(Buffer.alloc(300 * 2 ** 20), 1), 4096);
    const output = throughEngine(createInflateRaw(ENGINE_OPTIONS), bytes, nothing);
    for (let i = 0; i < 5; i++) await output.next();
    assert.ok(seen.taken <= 2 * 4096, `${seen.taken}`);
    await output.return(undefined);
  });

  it('shows what follows its data, to the end of the source', async () => {
    for (const size of [1, 7, 1000]) {
      const rest: Uint8Array[] = [];
      const { seen, bytes } = source(Buffer.concat([deflateRaw(sample(100), 6), Buffer.from('the rest')]), size);
      const content = await whole(throughEngine(createInflateRaw(), bytes, (more) => rest.push(more)));
      assert.ok(content.equals(sample(100)));
      assert.equal(Buffer.concat(rest).toString(), 'the rest', `chunks of ${size}`);
      assert.equal(seen.finished, true);
    }
  });
});
