/** A thousand updates of one destination through the built program: nothing may grow but the manifest. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { run, TAKO } from '../support/program.ts';
import { configure, linked, newPlace, put, readState, sealLines, sha256, stored } from './support.ts';

const UPDATES = 1000;
/** Peak memory of the last runs may be so much above that of the first ones: pages move a little. */
const GROWTH = 1.1;
const SAMPLE = 20;

describe('a thousand updates', { skip: needs('time') }, () => {
  it('leave two images, a bounded memory of the past, no leftovers, and take no more memory than the first', async (t) => {
    const place = newPlace(t);
    const config = configure(place, { more: ['KeepVersions=2'] });
    mkdirSync(join(place.server, 'store'));
    const lines: string[] = [];
    const peaks: number[] = [];
    const started = Date.now();
    for (let i = 1; i <= UPDATES; i++) {
      const image = `image ${i}\n`;
      lines.push(`1.${i} ${image.length} ${sha256(image)}`);
      put(join(place.server, 'store', sha256(image)), image, 0o444);
      put(join(place.server, 'manifest'), sealLines(lines), 0o444);
      peaks.push(await peakOf(['fetch', '--quiet', ...(i % 10 === 0 ? ['--stage'] : []), config]));
      if (i % 10 === 0) await peakOf(['apply', '--quiet', config]);
      assert.equal(linked(place.destination), image, `update ${i}`);
    }
    assert.deepEqual(
      stored(place.destination).sort(),
      [sha256(`image ${UPDATES - 1}\n`), sha256(`image ${UPDATES}\n`)].sort(),
    );
    assert.deepEqual(readdirSync(join(place.destination, '.tako')).sort(), ['lock', 'state.json']);
    assert.deepEqual(readdirSync(place.destination).sort(), ['.tako', 'latest', 'manifest', 'store']);
    const state = readState(place.destination);
    assert.equal((state['history'] as unknown[]).length, 200);
    const [first, last] = [median(peaks.slice(0, SAMPLE)), median(peaks.slice(-SAMPLE))];
    t.diagnostic(`${UPDATES} updates in ${Math.round((Date.now() - started) / 1000)} s, peak ${first} -> ${last} KiB`);
    assert.ok(last <= first * GROWTH, `peak memory grew from ${first} to ${last} KiB`);
  });
});

/** Peak memory of one run in KiB. */
async function peakOf(words: readonly string[]): Promise<number> {
  const { status, stderr } = await run('/usr/bin/time', ['-f', 'peak %M', process.execPath, TAKO, ...words]);
  assert.equal(status, 0, stderr);
  return Number(/peak ([0-9]+)/.exec(stderr)?.[1]);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
