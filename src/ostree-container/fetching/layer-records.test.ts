import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { digestOf } from '../../oci/index.ts';
import { type Checksum, createRepository, objectsOf, openRepository, type Repository } from '../../ostree/index.ts';
import { commitTree } from '../stream/stream.fixture.ts';
import { LayerRecords } from './layer-records.ts';

const layer = (name: string) => ({ diffId: digestOf(Buffer.from(name)) });
const ABSENT = '0'.repeat(64);

async function setting(t: TestContext) {
  const path = join(scratch(t), 'repo');
  createRepository(path, { mode: 'archive' });
  const repository = openRepository(path);
  t.after(() => repository.close());
  const commit = await commitTree(repository, { file: { content: 'x' } });
  const reader = objectsOf(repository);
  const [{ checksum } = { checksum: '' }] = reader.dirTree(reader.commit(commit).rootTree).files;
  return { repository, reader, checksum, records: new LayerRecords(repository) };
}

const namesIn = ({ path }: Repository): string[] => readdirSync(join(path, 'extensions/tako/layers'));

describe('the record of a layer', () => {
  it('gives its contents back when all of them are here', async (t) => {
    const { repository, reader, checksum, records } = await setting(t);
    const contents = new Set<Checksum>([checksum]);
    records.write(repository, layer('a'), contents);
    assert.deepEqual(records.present(layer('a'), reader), contents);
    assert.equal(records.present(layer('b'), reader), undefined);
    records.write(repository, layer('b'), new Set([checksum, ABSENT]));
    assert.equal(records.present(layer('b'), reader), undefined);
  });

  it('of a layer without contents says so', async (t) => {
    const { repository, reader, records } = await setting(t);
    records.write(repository, layer('a'), new Set());
    assert.deepEqual(records.present(layer('a'), reader), new Set());
  });

  it('says nothing when it is damaged, or forgotten', async (t) => {
    const { repository, reader, checksum, records } = await setting(t);
    for (const name of ['a', 'b']) records.write(repository, layer(name), new Set([checksum]));
    appendFileSync(join(repository.path, 'extensions/tako/layers', layer('a').diffId.slice(7)), Buffer.alloc(32));
    assert.equal(records.present(layer('a'), reader), undefined);
    records.forget([layer('b'), layer('c')]);
    assert.equal(records.present(layer('b'), reader), undefined);
  });

  it('goes when nobody has asked for it for half a year, and what a killed run left goes after a day', async (t) => {
    const { repository, checksum, records } = await setting(t);
    const folder = join(repository.path, 'extensions/tako/layers');
    const now = Date.now();
    const daysAgo = (name: string, days: number): void => {
      const time = now / 1000 - days * 24 * 3600;
      utimesSync(join(folder, name), time, time);
    };
    const names = ['used', 'old', 'young'].map((each) => layer(each).diffId.slice(7));
    for (const each of ['used', 'old', 'young']) records.write(repository, layer(each), new Set([checksum]));
    const [used = '', old = '', young = ''] = names;
    for (const [name, days] of [
      [used, 200],
      [old, 200],
      [young, 100],
    ] as const)
      daysAgo(name, days);
    for (const [name, days] of [
      ['x.1', 0.5],
      ['x.2', 2],
    ] as const) {
      appendFileSync(join(folder, name), '');
      daysAgo(name, days);
    }
    records.keep([layer('used')], now);
    assert.deepEqual(namesIn(repository).sort(), [used, young, 'x.1'].sort());
  });
});
