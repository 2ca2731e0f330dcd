/** Pulls into the store from a registry that counts and fails: each layer once, whatever happens. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { imageOf, newStore } from '../../src/ostree-container/store/store.fixture.ts';
import { until } from '../e2e/support.ts';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import { must, runOstreeContainer, startOstreeContainer } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { fsck, runPull, stored } from './store-image.ts';

describe('an image in a registry', () => {
  const registries: FakeRegistry[] = [];
  after(() => Promise.all(registries.map((each) => each.close())));

  const served = async (t: TestContext) => {
    const image = await imageOf(t, { components: 3, derived: [[{ path: 'usr/x', content: 'x' }]] });
    const registry = await startFakeRegistry();
    registries.push(registry);
    const words = [
      'image',
      'copy',
      '--insecure-policy',
      '--dest-tls-verify=false',
      image.name,
      `docker://${registry.host}/os:v1`,
    ];
    const copied = await runOstreeContainer(words);
    assert.equal(copied.status, 0, copied.stderr);
    const name = `ostree-unverified-registry:${registry.host}/os:v1`;
    const options = ['--insecure-skip-tls-verification', '--retry=0', '--connect-timeout=5s'];
    const start = registry.requests.length;
    const since = (path: RegExp) =>
      registry.requests.slice(start).filter(({ url, method }) => path.test(url) && method === 'GET').length;
    return {
      ...image,
      registry,
      reference: name,
      options,
      blobs: () => since(/\/blobs\//),
      manifests: () => since(/\/manifests\//),
    };
  };

  it('is asked for its manifest the second time, and for no blob', async (t) => {
    const { reference, options, blobs, manifests } = await served(t);
    const repo = newStore(t);
    await stored(repo.path, reference, ...options);
    assert.deepEqual([manifests(), blobs()], [1, 6]);
    const again = await stored(repo.path, reference, ...options);
    assert.deepEqual([again.isNew, manifests(), blobs()], [false, 2, 6]);
  });

  it('has each layer fetched once, also when a pull fails in the middle', async (t) => {
    const { registry, reference, options, blobs, layers } = await served(t);
    const repo = newStore(t);
    registry.fault({ path: layers[4] ?? '' }, { kind: 'status', status: 404 });
    assert.notEqual((await runPull(repo.path, reference, ...options)).status, 0);
    await fsck(repo.path);
    registry.heal();
    const before = blobs();
    await stored(repo.path, reference, ...options);
    assert.equal(blobs() - before, 1 + 1);
    await fsck(repo.path);
  });

  for (const { at, others, again } of [
    { at: 0, others: 0, again: 5 },
    { at: 2, others: 2, again: 2 },
    { at: 4, others: 3, again: 1 },
  ]) {
    it(`is whole after a pull was killed in layer ${at}, and what was finished is not fetched again`, async (t) => {
      const { registry, reference, options, blobs, layers } = await served(t);
      const repo = newStore(t);
      const layer = layers[at] ?? '';
      registry.fault({ path: layer }, { kind: 'stall', after: 100 });
      const running = startOstreeContainer(['container', 'image', 'pull', repo.path, reference, ...options]);
      const finished = () => filesBelow(join(repo.path, 'extensions/tako/layers')).length;
      await until('the other layers', () => registry.requestsFor(layer, 'GET').length > 0 && finished() === others);
      running.kill();
      await running.done;
      await fsck(repo.path);
      registry.heal();
      const before = blobs();
      await stored(repo.path, reference, ...options);
      assert.equal(blobs() - before, 1 + again);
      const { stdout } = await must('ostree', ['refs', `--repo=${repo.path}`]);
      assert.equal(stdout.trim().split('\n').length, 6);
      await fsck(repo.path);
    });
  }

  it('is pulled twice at once without harm, beside a prune', async (t) => {
    const { reference, options } = await served(t);
    const repo = newStore(t);
    const [one, two, prune] = await Promise.all([
      runPull(repo.path, reference, ...options),
      runPull(repo.path, reference, ...options),
      runOstreeContainer(['container', 'image', 'prune-layers', '--repo', repo.path]),
    ]);
    assert.deepEqual([one.status, two.status, prune.status], [0, 0, 0], `${one.stderr}${two.stderr}${prune.stderr}`);
    const { stdout } = await must('ostree', ['refs', `--repo=${repo.path}`]);
    assert.equal(stdout.trim().split('\n').length, 6);
    await fsck(repo.path);
  });

  it('with a blob that is another one is refused, and its layer is not there', async (t) => {
    const { registry, reference, options, layers } = await served(t);
    const repo = newStore(t);
    const size = registry.store.repository('os').blobs.get(layers[1] ?? '')?.length ?? 0;
    registry.fault({ path: layers[1] ?? '' }, { kind: 'replace', body: Buffer.alloc(size, 1) });
    const ended = await runPull(repo.path, reference, ...options);
    assert.deepEqual([ended.status, (JSON.parse(ended.stdout) as { code: string }).code], [3, 'INVALID_DIGEST']);
    const { stdout } = await must('ostree', ['refs', `--repo=${repo.path}`]);
    assert.equal(stdout.includes((layers[1] ?? '').slice(7)), false);
    await fsck(repo.path);
  });

  it('writes a new manifest with --check, and none when there is nothing new', async (t) => {
    const { reference, options, raw } = await served(t);
    const repo = newStore(t);
    const file = join(scratch(t), 'manifest.json');
    const check = ['--check', file];
    assert.equal((await runPull(repo.path, reference, ...options, ...check)).status, 0);
    assert.deepEqual(readFileSync(file), Buffer.from(raw.bytes));
    await stored(repo.path, reference, ...options);
    const other = join(scratch(t), 'none.json');
    assert.equal((await runPull(repo.path, reference, ...options, '--check', other)).status, 0);
    await assert.rejects(async () => readFileSync(other), { code: 'ENOENT' });
  });
});

function filesBelow(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.includes('.')) : [];
}
