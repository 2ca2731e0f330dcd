import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '../../../../test/support/mutate.ts';
import { Gathered } from './gathered.ts';

/** Most are smaller than the room of 64 bytes, every tenth is larger. */
function madePieces(): Buffer[] {
  const random = seededRandom(7);
  return Array.from({ length: 200 }, (_, i) => Buffer.alloc(i % 10 === 0 ? 60 + random(40) : random(16), random(256)));
}

describe('gathered pieces', () => {
  it('reach the sink whole and in order, whatever their sizes, in fewer and larger ones', async () => {
    const got: Buffer[] = [];
    const gathered = new Gathered(async (chunk) => void got.push(Buffer.from(chunk)), 64);
    for (const piece of madePieces()) {
      await gathered.write(piece);
      piece.fill(0x2a); // ours again
    }
    await gathered.flush();
    await gathered.flush();
    assert.deepEqual(Buffer.concat(got), Buffer.concat(madePieces()));
    assert.ok(got.length < 100, `${got.length} of 200`);
    assert.ok(got.every(({ length }) => length > 0));
  });
});
