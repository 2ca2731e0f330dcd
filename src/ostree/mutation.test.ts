import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '../../test/support/mutate.ts';
import { needs } from '../../test/support/needs.ts';
import { originals, runMutations } from './mutation.fixture.ts';

const RUNS = 20_000;
const SEED = Number(process.env['SEED'] ?? 20261121);

describe(`${RUNS} damaged files of the vectors, seed ${SEED}`, () => {
  it('give a value or a coded error, soon and with bounded memory', { skip: needs('root') }, async (t) => {
    const files = await originals(t);
    assert.ok(files.length > 100, `${files.length} files`);
    const before = process.memoryUsage().rss;
    const { values, refused } = await runMutations(files, RUNS, seededRandom(SEED));
    assert.ok(values > RUNS / 100 && refused > RUNS / 2, `${values} values, ${refused} refused`);
    assert.ok(process.memoryUsage().rss - before < 400 * 2 ** 20);
  });
});
