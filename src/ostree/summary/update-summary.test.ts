import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { unpackVector } from '../../../test/support/ostree-vectors.ts';
import { string, variantOf } from '../../gvariant/index.ts';
import { openRepository, type Repository } from '../repository/repository.ts';
import { listIndexes, readIndex, reindexDeltas } from './delta-index.ts';
import { decodeSummary } from './summary.ts';
import { afterRefsChanged, updateSummary } from './update-summary.ts';
import { readSummary } from './write-summary.ts';

const { signal } = new AbortController();

function opened(t: TestContext, path: string): Repository {
  const repository = openRepository(path);
  t.after(() => repository.close());
  return repository;
}

describe('updateSummary', () => {
  it('lists what the program listed in the same repository', async (t) => {
    const path = unpackVector(t, 'delta');
    const before = decodeSummary(readFileSync(join(path, 'summary')));
    const now = 1_800_000_000_999;
    const updated = await updateSummary(opened(t, path), { signal, now });
    const after = decodeSummary(readFileSync(join(path, 'summary')));
    assert.deepEqual([after.refs, after.deltas], [before.refs, before.deltas]);
    assert.deepEqual([updated.refs, updated.deltas, updated.metadataCommit], [1, 2, undefined]);
    assert.equal(after.lastModified, 1_800_000_000);
    assert.equal(updated.size, readFileSync(join(path, 'summary')).length);
    assert.deepEqual([existsSync(join(path, 'summary.sig')), readdirSync(join(path, 'tmp'))], [false, []]);
  });
  it('does not let the user say what it says itself', async (t) => {
    const path = unpackVector(t, 'delta');
    const additionalMetadata = [
      ['ostree.summary.mode', variantOf(string, 'bare')],
      ['org.example.key', variantOf(string, 'value')],
    ] as const;
    await updateSummary(opened(t, path), { signal, additionalMetadata });
    const { mode, metadata } = decodeSummary(readFileSync(join(path, 'summary')));
    assert.equal(mode, 'archive-z2');
    assert.equal(metadata.filter(([key]) => /mode|example/.test(key)).length, 2);
  });
  it('leaves deltas out where the configuration says so', async (t) => {
    const path = unpackVector(t, 'delta');
    writeFileSync(
      join(path, 'config'),
      `${readFileSync(join(path, 'config'), 'utf8')}\n[core]\nno-deltas-in-summary=true\n`,
    );
    await updateSummary(opened(t, path), { signal });
    assert.equal(decodeSummary(readFileSync(join(path, 'summary'))).deltas, undefined);
  });
  it('is done after refs changed only where the configuration says so, and commits nothing then', async (t) => {
    const path = unpackVector(t, 'archive');
    rmSync(join(path, 'summary'));
    const repository = opened(t, path);
    await afterRefsChanged(repository, { signal });
    assert.equal(readSummary(repository), undefined);
    repository.updateConfig((file) => file.set('core', 'auto-update-summary', 'true'));
    const head = readFileSync(join(path, 'refs/heads/ostree-metadata'), 'utf8');
    await afterRefsChanged(repository, { signal });
    assert.ok(decodeSummary(readSummary(repository) ?? Buffer.alloc(0)).refs.length > 0);
    assert.equal(readFileSync(join(path, 'refs/heads/ostree-metadata'), 'utf8'), head);
  });
  it('writes nothing when it is interrupted before it begins to write', async (t) => {
    const path = unpackVector(t, 'delta');
    const before = readFileSync(join(path, 'summary'));
    const aborted = AbortSignal.abort(new Error('stopped'));
    await assert.rejects(updateSummary(opened(t, path), { signal: aborted }), /stopped/);
    assert.ok(before.equals(readFileSync(join(path, 'summary'))));
  });
});

describe('the indexes of deltas', () => {
  it('are those of the program, and stay when they say the same', (t) => {
    const path = unpackVector(t, 'delta');
    const repository = opened(t, path);
    const before = listIndexes(repository).map((each) => [each, readFileSync(join(path, each), 'hex')]);
    assert.equal(reindexDeltas(repository).size, 2);
    assert.deepEqual(
      listIndexes(repository).map((each) => [each, readFileSync(join(path, each), 'hex')]),
      before,
    );
    rmSync(join(path, 'delta-indexes'), { recursive: true });
    reindexDeltas(repository);
    assert.deepEqual(
      listIndexes(repository)
        .sort()
        .map((each) => [each, readFileSync(join(path, each), 'hex')]),
      before.sort(),
    );
  });
  it('follow the deltas: changed, gone, or garbage where an index should be', (t) => {
    const path = unpackVector(t, 'delta');
    const repository = opened(t, path);
    const [first = '', second = ''] = listIndexes(repository).sort();
    const [delta = ''] = [...(readIndex(repository, first)?.keys() ?? [])];
    writeFileSync(join(path, second), 'garbage');
    const [folder = ''] = readdirSync(join(path, 'deltas'));
    for (const name of readdirSync(join(path, 'deltas', folder)))
      if (name.includes('-')) rmSync(join(path, 'deltas', folder, name), { recursive: true });
    mkdirSync(join(path, 'deltas/zz'));
    reindexDeltas(repository);
    const left = listIndexes(repository);
    assert.equal(left.length, 1);
    assert.equal(readIndex(repository, left[0] ?? '')?.has(delta), !delta.includes('-'));
  });
});
