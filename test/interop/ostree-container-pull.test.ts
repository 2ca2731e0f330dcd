/** Commits pulled out of images of the seed layout, judged by the program ostree. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertNoLitter, assertTmpEmpty, contentsOf, refsOf } from '../e2e/ostree-place.ts';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import { needs } from '../support/needs.ts';
import { must, startOstreeContainer } from '../support/program.ts';
import { makeScratch, removeTree, scratch } from '../support/scratch.ts';
import { built, emptyRepository, makeSeedPlace, pulled, pullRefusal, runPull, type SeedPlace } from './seed-place.ts';

const peers = { skip: needs('root', 'ostree', 'python3', 'umoci') };
const PLAIN = '--tls-verify=false';
const IMPATIENT = ['--retry=0', '--speed-time=2s', '--connect-timeout=5s'] as const;

async function assertSound(repo: string): Promise<void> {
  await must('ostree', ['fsck', `--repo=${repo}`]);
  assertNoLitter(repo);
}

/** Everything but what only a next run looks at. */
function stateOf(repo: string): ReadonlyMap<string, string> {
  return new Map([...contentsOf(repo)].filter(([name]) => !/^(tmp|\.lock)/.test(name)));
}

describe('a pull out of an image', peers, () => {
  let place: SeedPlace;
  let registry: FakeRegistry;
  let name: string;
  const at = (path: string): string => join(place.root, path);

  before(async () => {
    place = await makeSeedPlace(makeScratch());
    registry = await startFakeRegistry();
    name = `${registry.host}/os`;
    const common = ['--no-webserver'];
    await built(place, ['--ref', place.first, ...common, '--oci-dir', at('old:v1')]);
    await built(place, ['--ref', 'os/main', ...common, '--static-delta', place.first, '--oci-dir', at('image:v1')]);
    await built(place, ['--ref', 'os/main', ...common, PLAIN, '--push', `${name}:1.1`]);
    await built(place, ['--ref', place.first, ...common, PLAIN, '--push', `${name}:1.0`]);
  });
  after(async () => {
    await registry.close();
    removeTree(place.root);
  });

  for (const mode of ['archive', 'bare', 'bare-user']) {
    it(`gives the same commit in a repository of mode ${mode}`, async () => {
      const repo = await emptyRepository(at(`in-${mode}`), mode);
      const { stdout } = await pulled(repo, ['--no-verify', `oci:${at('image:v1')}`]);
      assert.equal(stdout, `os/main => ${place.second}\n`);
      await assertSound(repo);
      assertTmpEmpty(repo);
      assert.deepEqual(refsOf(repo), { 'heads/os/main': place.second });
      const list = (of: string) => must('ostree', [`--repo=${of}`, 'ls', '-RXC', 'os/main']);
      assert.equal((await list(repo)).stdout, (await list(place.repo)).stdout);
    });
  }

  it('gives a commit without owners and attributes to a repository of mode bare-user-only', async () => {
    const source = await emptyRepository(at('canonical'), 'archive');
    mkdirSync(at('plain/usr/bin'), { recursive: true });
    writeFileSync(at('plain/usr/bin/tool'), 'a tool\n'.repeat(10_000), { mode: 0o755 });
    writeFileSync(at('plain/usr/empty'), '');
    symlinkSync('tool', at('plain/usr/bin/link'));
    const words = ['commit', '-b', 'os/main', '--canonical-permissions', at('plain')];
    const commit = (await must('ostree', [`--repo=${source}`, ...words])).stdout.trim();
    await built({ repo: source }, ['--ref', 'os/main', '--no-webserver', '--oci-dir', at('plain-image:v1')]);
    const repo = await emptyRepository(at('in-user-only-plain'), 'bare-user-only');
    await pulled(repo, ['--no-verify', `oci:${at('plain-image:v1')}`]);
    assert.deepEqual(refsOf(repo), { 'heads/os/main': commit });
    await assertSound(repo);
    const list = (of: string) => must('ostree', [`--repo=${of}`, 'ls', '-RXC', 'os/main']);
    assert.equal((await list(repo)).stdout, (await list(source)).stdout);
  });

  it('is refused by a repository that cannot keep setuid files', async () => {
    const repo = await emptyRepository(at('in-user-only'), 'bare-user-only');
    const before = stateOf(repo);
    assert.deepEqual(await pullRefusal(repo, ['--no-verify', `oci:${at('image:v1')}`]), [3, 'OBJECT_UNSUITABLE']);
    assert.deepEqual(stateOf(repo), before);
  });

  it('fetches nothing the second time, and only the delta from the commit that it starts from', async () => {
    const repo = await emptyRepository(at('by-delta'), 'bare');
    await pulled(repo, ['--no-verify', `oci:${at('old:v1')}`]);
    const check = await runPull(repo, ['--check', '--json', `oci:${at('image:v1')}`]);
    assert.equal(check.status, 10);
    const plan = JSON.parse(check.stdout);
    assert.equal(plan.commit, place.second);
    assert.deepEqual(
      plan.layers.map(({ isNeeded }: { isNeeded: boolean }) => isNeeded),
      [false, false, true, true],
    );
    const first = JSON.parse((await pulled(repo, ['--json', '--no-verify', `oci:${at('image:v1')}`])).stdout);
    assert.equal(first.bytes, plan.bytes);
    assert.ok(first.bytes < 300_000, `${first.bytes} bytes for one new file of 100000`);
    await assertSound(repo);
    const second = JSON.parse((await pulled(repo, ['--json', '--no-verify', `oci:${at('image:v1')}`])).stdout);
    assert.deepEqual([second.bytes, second.isNew], [0, false]);
    assert.equal((await runPull(repo, ['--check', `oci:${at('image:v1')}`])).status, 0);
  });

  it('is refused when nobody says whose signature is wanted', async () => {
    const repo = await emptyRepository(at('unasked'), 'archive');
    assert.deepEqual(await pullRefusal(repo, [`oci:${at('image:v1')}`]), [3, 'NO_VERIFICATION']);
    assert.deepEqual(refsOf(repo), {});
  });

  it('looks through all layers where no label says what is where', async () => {
    cpSync(at('image'), at('unlabelled'), { recursive: true });
    await must('umoci', ['config', '--image', at('unlabelled:v1'), '--clear=config.labels']);
    await must('umoci', ['config', '--image', at('unlabelled:v1'), '--clear=manifest.annotations']);
    const repo = await emptyRepository(at('from-unlabelled'), 'bare-user');
    await pulled(repo, ['--no-verify', `oci:${at('unlabelled:v1')}`]);
    assert.deepEqual(refsOf(repo), { 'heads/os/main': place.second });
    await assertSound(repo);
  });

  it('takes the newest tag that a pattern allows, remembers what is held, and skips what is skipped', async () => {
    const repo = await emptyRepository(at('by-version'), 'archive');
    const words = ['--no-verify', PLAIN, '--tag-version', '1.*', name];
    const commitAfter = async (...more: readonly string[]) => {
      await pulled(repo, [...words, ...more]);
      return refsOf(repo)['heads/os/main'];
    };
    assert.equal(await commitAfter('--hold', '1.0'), place.first);
    assert.equal(await commitAfter(), place.first, 'still held');
    assert.equal(await commitAfter('--unhold', '--skip', '1.1'), place.first, 'skipped, and here is what there was');
    assert.equal(await commitAfter('--unhold'), place.second);
    const files = readdirSync(join(repo, 'extensions/tako/pull'));
    assert.deepEqual(files, ['os_2F_main.json']);
  });

  it('goes on in the middle of a layer when the download broke off', async () => {
    const repo = await emptyRepository(at('resumed'), 'bare-user');
    const blobs = /\/os\/blobs\/sha256/;
    const cut = 2 ** 20;
    registry.fault({ method: 'GET', path: contentsPath() }, { kind: 'truncate', after: cut });
    const words = ['--no-verify', PLAIN, ...IMPATIENT, `${name}:1.1`];
    assert.equal((await runPull(repo, words)).status, 4);
    assert.deepEqual(refsOf(repo), {});
    registry.heal();
    const requests = registry.requestsFor(blobs).length;
    await pulled(repo, words);
    const ranges = registry
      .requestsFor(blobs)
      .slice(requests)
      .map(({ headers }) => headers.range);
    assert.ok(ranges.includes(`bytes=${cut}-`), `asked for ${ranges.join(', ')}`);
    await assertSound(repo);
    assertTmpEmpty(repo);
  });

  it('that is killed leaves no commit, and the next one succeeds', async () => {
    const repo = await emptyRepository(at('killed'), 'archive');
    for (const ms of [150, 250, 350, 450]) {
      const running = startOstreeContainer([
        ...['pull', '--repo', repo, '--ref', 'os/main', '--no-verify', PLAIN, `${name}:1.1`],
      ]);
      await sleep(ms);
      running.kill('SIGKILL');
      await running.done;
      const { 'heads/os/main': ref } = refsOf(repo);
      assert.ok(ref === undefined || ref === place.second);
      if (ref !== undefined) await assertSound(repo);
    }
    await pulled(repo, ['--no-verify', PLAIN, `${name}:1.1`]);
    await assertSound(repo);
  });

  it('and another one at the same time both succeed', async () => {
    const repo = await emptyRepository(at('twice'), 'bare');
    const words = ['--no-verify', PLAIN, `${name}:1.1`];
    await Promise.all([pulled(repo, words), pulled(repo, words)]);
    assert.deepEqual(refsOf(repo), { 'heads/os/main': place.second });
    await assertSound(repo);
  });

  it('of a blob that is not what the manifest says is refused, and the repository stays as it was', async () => {
    const repo = await emptyRepository(at('wrong-blob'), 'archive');
    const before = stateOf(repo);
    registry.fault({ method: 'GET', path: contentsPath() }, { kind: 'replace', body: Buffer.alloc(2000, 'x') });
    const [status, code] = await pullRefusal(repo, ['--no-verify', PLAIN, ...IMPATIENT, `${name}:1.1`]);
    registry.heal();
    assert.equal(status, 3, code);
    assert.deepEqual(stateOf(repo), before);
    await pulled(repo, ['--no-verify', PLAIN, `${name}:1.1`]);
    await assertSound(repo);
  });

  /** Of the layer with the contents: the largest but that of the files. */
  function contentsPath(): string {
    const { manifests, blobs } = [...registry.store.repositories.values()][0] ?? {
      manifests: new Map(),
      blobs: new Map(),
    };
    for (const { bytes } of manifests.values()) {
      const { config, layers } = JSON.parse(bytes.toString()) as {
        config: { digest: string };
        layers: { digest: string }[];
      };
      const { config: run } = JSON.parse(blobs.get(config.digest)?.toString() ?? '{}');
      if (run?.Labels?.['ostree.commit'] === place.second) return `/blobs/${layers[1]?.digest}`;
    }
    throw new Error('the image is not in the registry');
  }
});

describe('an image on top of another one', { skip: needs('root', 'ostree', 'umoci', 'python3') }, () => {
  it('is pulled whole: what its repository lacks is made out of the layers of the base', async (t) => {
    const place = await makeSeedPlace(scratch(t));
    const at = (path: string): string => join(place.root, path);
    await must('umoci', ['init', '--layout', at('base')]);
    await must('umoci', ['new', '--image', at('base:v1')]);
    await must('umoci', ['unpack', '--image', at('base:v1'), at('b')]);
    await must('cp', ['-a', `${place.tree}/usr`, at('b/rootfs/usr')]);
    await must('ln', [at('b/rootfs/usr/lib/big'), at('b/rootfs/usr/lib/a-link-to-big')]);
    await must('umoci', ['repack', '--image', at('base:v1'), at('b')]);
    const from = ['--from', `oci:${at('base:v1')}`, '--no-webserver'];
    await built(place, ['--ref', 'os/main', ...from, '--oci-dir', at('image:v1')]);
    for (const mode of ['bare', 'archive']) {
      const repo = await emptyRepository(at(`in-${mode}`), mode);
      await pulled(repo, ['--no-verify', `oci:${at('image:v1')}`]);
      await assertSound(repo);
      assert.deepEqual(refsOf(repo), { 'heads/os/main': place.second });
    }
  });
});

describe('an image that is not what it says', { skip: needs('root', 'ostree', 'python3') }, () => {
  it('is refused when its label names another commit', async (t) => {
    const place = await makeSeedPlace(scratch(t));
    const image = join(place.root, 'image');
    const label = `ostree.commit=${place.first}`;
    await built(place, ['--ref', 'os/main', '--no-webserver', '--label', label, '--oci-dir', `${image}:v1`]);
    const repo = await emptyRepository(join(place.root, 'into'), 'archive');
    assert.deepEqual(await pullRefusal(repo, ['--no-verify', `oci:${image}:v1`]), [3, 'COMMIT_LABEL_MISMATCH']);
    assert.deepEqual(refsOf(repo), {});
  });
});

describe('an image of format v1', { skip: needs('root', 'ostree', 'umoci', 'python3') }, () => {
  it('is built and pulled by the same words; layers on top of the commit are refused', async (t) => {
    const place = await makeSeedPlace(scratch(t));
    const image = join(place.root, 'image:v1');
    await built(place, ['--ref', 'os/main', '--format', 'v1', '--oci-dir', image]);
    const repo = await emptyRepository(join(place.root, 'into'), 'bare');
    assert.equal((await runPull(repo, ['--check', `oci:${image}`])).status, 10);
    await pulled(repo, ['--no-verify', `oci:${image}`]);
    await assertSound(repo);
    assert.deepEqual(refsOf(repo), { 'heads/os/main': place.second });
    assert.equal((await runPull(repo, ['--check', `oci:${image}`])).status, 0);
    await must('umoci', [
      'insert',
      '--image',
      image,
      '--tag',
      'more',
      join(place.tree, 'usr/lib/new'),
      '/usr/lib/more',
    ]);
    const derived = `oci:${join(place.root, 'image:more')}`;
    assert.deepEqual(await pullRefusal(repo, ['--no-verify', derived]), [1, 'DERIVED_LAYERS']);
    const { stderr } = await runPull(repo, ['--no-verify', derived]);
    assert.match(stderr, /container image pull/);
  });
});
