/** A million damaged files, another set in every run; the seed is printed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '../../test/support/mutate.ts';
import { originals, runMutations } from './mutation.fixture.ts';

const RUNS = 1_000_000;
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

describe(`${RUNS} damaged files of the vectors, seed ${SEED}`, () => {
  it('give a value or a coded error, soon and with bounded memory', async (t) => {
    const files = await originals(t);
    const before = process.memoryUsage().rss;
    const { values, refused } = await runMutations(files, RUNS, seededRandom(SEED));
    assert.equal(values + refused, RUNS);
    assert.ok(process.memoryUsage().rss - before < 400 * 2 ** 20);
  });
});
