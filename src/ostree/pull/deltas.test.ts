import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type HostileServer, startHostileServer } from '../../../test/support/hostile-server.ts';
import { needs } from '../../../test/support/needs.ts';
import { unpackVector } from '../../../test/support/ostree-vectors.ts';
import { deltaPath } from '../delta/names.ts';
import { addRemote } from '../remotes/remotes.ts';
import type { RepositoryMode } from '../repository/config.ts';
import { newRepository, SIGNAL } from '../repository/repository.fixture.ts';
import type { Repository } from '../repository/repository.ts';
import { isWhole } from './commits.ts';
import { pullInto, type Scene, visible } from './pull.fixture.ts';

const FIRST = '3ffc4ab570a1809bc439d8202373cf2c10edc19bb4ec232d0003636c5f69578e';
const SECOND = '1901b54cb4b4187086a65caddd0fdac3f28414509bfedea2240cd7790dc26c3f';

interface DeltaScene {
  readonly server: HostileServer;
  readonly source: string;
  readonly into: Repository;
  readonly pull: Scene['pull'];
}

async function deltaScene(t: TestContext, mode: RepositoryMode = 'bare-user'): Promise<DeltaScene> {
  const source = unpackVector(t, 'delta');
  const server = await startHostileServer({ files: source });
  t.after(() => server.close());
  const into = newRepository(t, mode);
  const settings = [
    ['url', server.url],
    ['gpg-verify', 'false'],
  ] as const;
  await addRemote(into, { name: 'origin', settings, existing: 'fail' }, { signal: SIGNAL });
  return { server, source, into, pull: pullInto(into) };
}

const loose = ({ server }: DeltaScene): string[] =>
  server.requests.map(({ url }) => url).filter((url) => /\.(filez|dirtree|dirmeta)$/.test(url));
const route = (delta: { from: string | undefined; to: string }, file: string): string => `/${deltaPath(delta)}/${file}`;

describe('a pull with static deltas', { skip: needs('root') }, () => {
  it('makes a commit from nothing by a delta, and fetches only its fallbacks by themselves', async (t) => {
    const it = await deltaScene(t);
    const { deltas, content } = await it.pull([`test/main@${FIRST}`]);
    assert.equal(deltas.count, 1);
    assert.deepEqual([loose(it).length, content], [1, 1]);
    assert.equal(isWhole(it.into, FIRST), true);
  });

  it('makes a commit of the one before, without a single object', async (t) => {
    const it = await deltaScene(t);
    await it.pull([`test/main@${FIRST}`], { deltas: 'off' });
    const before = loose(it).length;
    const { deltas, commits } = await it.pull(['test/main']);
    assert.deepEqual([deltas.count, commits[0]?.delta], [1, { from: FIRST }]);
    assert.deepEqual(loose(it).slice(before), []);
    assert.equal(isWhole(it.into, SECOND), true);
  });

  it('applies one into an archive when deltas are required', async (t) => {
    const it = await deltaScene(t, 'archive');
    await it.pull([`test/main@${FIRST}`], { deltas: 'required' });
    assert.equal(isWhole(it.into, FIRST), true);
    assert.equal(loose(it).length, 1);
  });

  it('does without when they are switched off, and not when they are required', async (t) => {
    const it = await deltaScene(t);
    await assert.rejects(it.pull(['test/main'], { deltas: 'required' }), { code: 'DELTA_MISSING' });
    await it.pull(['test/main'], { deltas: 'off' });
    assert.deepEqual(
      it.server.requests.filter(({ url }) => url.startsWith('/delta')).map(({ url }) => url),
      [`/delta-indexes/GQ/G1TLS0GHCGplyt3Q_aw_KEFFCb_t6iJAzXeQ3CbD8.index`],
    );
  });

  it('guesses the name of a delta where nobody lists them', async (t) => {
    const it = await deltaScene(t);
    for (const file of ['summary', 'summary.sig', 'config']) rmSync(join(it.source, file));
    const { deltas } = await it.pull([`test/main@${FIRST}`]);
    assert.equal(deltas.count, 1);
    assert.equal(isWhole(it.into, FIRST), true);
  });

  const scratch = { from: undefined, to: FIRST };
  for (const [flaw, code, file, body] of [
    ['a superblock that is not the listed one', 'OBJECT_CORRUPT', 'superblock', 'other'],
    ['a part that was changed', 'OBJECT_CORRUPT', '0', 'changed'],
    ['a part that never ends', 'TOO_LARGE', '0', undefined],
  ] as const) {
    it(`refuses ${flaw}, and stores nothing`, async (t) => {
      const it = await deltaScene(t);
      const before = visible(it.into);
      const path = route(scratch, file);
      it.server.route(path, body === undefined ? { kind: 'endless' } : { kind: 'serve', body });
      await assert.rejects(it.pull([`test/main@${FIRST}`]), { code });
      assert.deepEqual(visible(it.into), before);
    });
  }

  it('names a listed delta that is not there, and the way without', async (t) => {
    const it = await deltaScene(t);
    it.server.route(route(scratch, 'superblock'), { kind: 'status', status: 404 });
    await assert.rejects(it.pull([`test/main@${FIRST}`]), { code: 'DELTA_MISSING', hint: /--disable-static-deltas/ });
  });

  it('goes on with the loose objects of a delta that was applied before', async (t) => {
    const it = await deltaScene(t);
    await it.pull([`test/main@${FIRST}`]);
    const fallback = loose(it)[0] ?? '';
    const other = await deltaScene(t);
    other.server.route(fallback, { kind: 'status', status: 404 });
    await assert.rejects(other.pull([`test/main@${FIRST}`]), { code: 'OBJECT_MISSING' });
    other.server.route(fallback, []);
    const before = other.server.requests.length;
    await other.pull([`test/main@${FIRST}`]);
    const again = other.server.requests.slice(before).map(({ url }) => url);
    assert.equal(again.includes(route(scratch, '0')), false);
    assert.ok(readFileSync(join(other.into.path, 'config')).length > 0);
    assert.equal(isWhole(other.into, FIRST), true);
  });
});
