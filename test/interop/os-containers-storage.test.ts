/** The store of os-containers against the `ostree` program, a real registry, and what the earlier programs have left. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { needs } from '../support/needs.ts';
import { type NodeOptions, run, runOsContainers, runOstreeContainer } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { pushSystemImage, SYSTEM_IMAGE_PEERS, type SystemImages, systemImages } from '../support/system-images.ts';

const skip = needs(...SYSTEM_IMAGE_PEERS, 'ostree', 'docker-registry', 'root', 'setpriv');
const USER = 4711;

/** A host of its own. */
function newHost(t: TestContext, env: Readonly<Record<string, string>> = {}) {
  const folder = scratch(t);
  const checkouts = join(folder, 'atomic');
  const repository = join(checkouts, '.storage/repo');
  const policy = join(folder, 'policy.json');
  writeFileSync(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
  const options: NodeOptions = { env: { OS_CONTAINERS_CHECKOUT_PATH: checkouts, HOME: folder, ...env } };
  const program = (...words: string[]) => runOsContainers(words, options);
  const done = async (...words: string[]) => {
    const finished = await program(...words);
    assert.equal(finished.status, 0, finished.stderr);
    return finished;
  };
  const pull = (...words: string[]) => done('pull', '--policy', policy, ...words);
  return { folder, checkouts, repository, policy, program, done, pull };
}

async function ostree(...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await run('ostree', words);
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

const documentOf = (text: string): Record<string, unknown> => JSON.parse(text);

describe('the store of os-containers', { skip }, () => {
  let images: SystemImages;
  let registry: DockerRegistry;
  before(async () => {
    images = await systemImages();
    registry = await startDockerRegistry();
    for (const tag of ['1.0', '2.0']) await pushSystemImage(registry.host, { image: 'kvd', tag });
  });
  after(() => registry?.stop());
  const blobs = () => registry.accessLog().filter((line) => /^GET .*\/blobs\/.* 200/.test(line)).length;

  it('fetches from a registry what it does not have, and is sound for ostree', async (t) => {
    const { pull, repository } = newHost(t);
    const name = `${registry.host}/example/kvd`;
    const start = blobs();
    const first = await pull('--insecure', `${name}:1.0`);
    assert.equal(first.stdout, `${images.digest('kvd', '1.0')}\n`);
    assert.equal(blobs() - start, 3);
    const again = await pull('--insecure', `docker://${name}:1.0`);
    assert.match(again.stderr, /is stored already/);
    assert.equal(blobs() - start, 3, 'a second pull fetches nothing');
    await pull('--insecure', `${name}:2.0`);
    assert.equal(blobs() - start, 5, 'one layer and one configuration more');
    await ostree('fsck', `--repo=${repository}`);
  });

  it('tells of a pull line by line as the earlier programs did, and prints the digest alone', async (t) => {
    const { pull } = newHost(t);
    const { stdout, stderr } = await pull(images.name('kvd', '1.0'));
    const digest = images.digest('kvd', '1.0');
    const manifest = JSON.parse(readFileSync(join(images.path, 'kvd/blobs/sha256', digest.slice(7)), 'utf8'));
    const blobs = manifest.layers.map((layer: { digest: string }) => `Copying blob ${layer.digest}`);
    assert.deepEqual(stderr.split('\n'), [
      'Getting image source signatures',
      ...blobs,
      `Copying config ${manifest.config.digest}`,
      'Writing manifest to image destination',
      'Storing signatures',
      '',
    ]);
    assert.equal(stdout, `${digest}\n`);
  });

  it('has the branches and metadata that the earlier programs look for', async (t) => {
    const { pull, repository } = newHost(t);
    await pull(images.name('kvd', '2.0'), '--name', 'docker.io/gscrivano/kvd');
    const branch = 'ociimage/docker.io_2Fgscrivano_2Fkvd_3Alatest';
    const value = async (ref: string, key: string): Promise<string> => {
      const text = await ostree('show', `--repo=${repository}`, `--print-metadata-key=${key}`, ref);
      return text.replace(/^'(.*)'$/s, '$1');
    };
    const manifest = JSON.parse(await ostree('cat', `--repo=${repository}`, branch, '/manifest.json'));
    assert.equal(await value(branch, 'docker.digest'), images.digest('kvd', '2.0'));
    assert.deepEqual(JSON.parse((await value(branch, 'docker.manifest')).replaceAll('\\n', '')), manifest);
    assert.equal(await value(branch, 'signatures'), '0');
    const ref = (digest: string) => `ociimage/${digest.slice('sha256:'.length)}`;
    for (const { digest, size } of manifest.layers) {
      assert.equal(await value(ref(digest), 'docker.size'), String(size));
      assert.match(await value(ref(digest), 'docker.uncompressed_size'), /^[0-9]+$/);
      assert.match(await value(ref(digest), 'docker.uncompressed_digest'), /^sha256:[0-9a-f]{64}$/);
    }
    const whiteout = await ostree('ls', '-R', `--repo=${repository}`, ref(manifest.layers[2].digest));
    assert.match(whiteout, /\/usr\/share\/kvd\/\.wh\.release-notes$/m);
    const config = JSON.parse(await ostree('cat', `--repo=${repository}`, ref(manifest.config.digest), '/content'));
    assert.equal(config.config.Labels['atomic.type'], 'system');
    const commit = await ostree('show', `--repo=${repository}`, branch);
    assert.match(commit, /\(no subject\)/);
    assert.doesNotMatch(commit, /Parent/);
  });

  it('merges layers to the tree that ostree checks out of them', async (t) => {
    const { done, pull, repository, folder } = newHost(t);
    await pull(images.name('kvd', '2.0'));
    await done('images', 'info', 'localhost/kvd:2.0');
    const refs = (await ostree('refs', `--repo=${repository}`)).split('\n');
    const merged = refs.find((ref) => ref.startsWith('os-containers/merged/')) ?? '';
    const manifest = JSON.parse(
      await ostree('cat', `--repo=${repository}`, 'ociimage/localhost_2Fkvd_3A2.0', '/manifest.json'),
    );
    const [ours, theirs] = [join(folder, 'ours'), join(folder, 'theirs')];
    await ostree('checkout', '-H', `--repo=${repository}`, merged, ours);
    for (const { digest } of manifest.layers) {
      const ref = `ociimage/${digest.slice('sha256:'.length)}`;
      await ostree('checkout', '--union', '--whiteouts', '-H', `--repo=${repository}`, ref, theirs);
    }
    const inodes = (root: string) =>
      readdirSync(root, { recursive: true, encoding: 'utf8' })
        .sort()
        .map((path) => `${path} ${statSync(join(root, path), { throwIfNoEntry: false })?.mode}`);
    assert.deepEqual(inodes(ours), inodes(theirs));
    assert.ok(!inodes(ours).some((line) => line.includes('.wh.') || line.includes('release-notes')));
  });

  it('keeps what is needed when it is pruned, as ostree sees it', async (t) => {
    const { done, pull, repository } = newHost(t);
    await pull(images.name('kvd', '1.0'), '--name', 'localhost/kvd');
    await pull(images.name('ticker', '1.0'));
    await pull(images.name('kvd', '2.0'), '--name', 'localhost/kvd');
    await done('images', 'delete', 'localhost/ticker:1.0');
    const { stderr } = await done('images', 'prune');
    const lines = stderr.split('\n').map((line) => line.replace(/^\S+ \S+ /, ''));
    assert.equal(lines.filter((line) => /^layer [0-9a-f]{64}: keep$/.test(line)).length, 3);
    assert.equal(lines.filter((line) => /^layer [0-9a-f]{64}: delete$/.test(line)).length, 1);
    assert.match(lines.at(-2) ?? '', /^pruned [0-9]+ bytes$/);
    await ostree('fsck', `--repo=${repository}`);
    await done('images', 'info', 'localhost/kvd');
    assert.match((await done('images', 'verify')).stderr, /no problem/);
  });

  it('finds out when an object was changed', async (t) => {
    const { program, pull, repository } = newHost(t);
    await pull(images.name('kvd', '1.0'));
    const path = readdirSync(join(repository, 'objects'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.file'))
      .map((name) => join(repository, 'objects', name))
      .find(
        (name) => statSync(name, { throwIfNoEntry: false })?.isFile() && readFileSync(name, 'utf8').includes('set -'),
      );
    assert.ok(path);
    writeFileSync(path, 'changed');
    for (const words of [
      ['images', 'verify'],
      ['images', 'verify', 'localhost/kvd:1.0'],
    ]) {
      const { status, stdout } = await program(...words);
      assert.equal(status, 1);
      assert.match(stdout, /corrupt|its content gives/);
    }
  });

  it('takes what ostree has committed for the earlier programs', async (t) => {
    const { done, program, checkouts, repository, folder } = newHost(t);
    mkdirSync(checkouts, { recursive: true });
    mkdirSync(join(checkouts, '.storage'));
    await ostree('init', `--repo=${repository}`, '--mode=bare');
    const layout = join(images.path, 'kvd/blobs/sha256');
    const manifest = readFileSync(join(layout, images.digest('kvd', '2.0').slice(7)), 'utf8');
    const { layers } = JSON.parse(manifest);
    const commit = (branch: string, tree: string, ...metadata: string[]) =>
      ostree(
        'commit',
        `--repo=${repository}`,
        `--branch=${branch}`,
        `--tree=dir=${tree}`,
        ...metadata.map((each) => `--add-metadata-string=${each}`),
      );
    for (const { digest, size } of layers) {
      const hex = digest.slice('sha256:'.length);
      const facts = [`docker.size=${size}`, 'docker.uncompressed_size=1000', `docker.uncompressed_digest=${digest}`];
      // As they did: unpacked first. (What ostree makes of the links of an archive is damaged for ostree itself.)
      const unpacked = join(folder, hex);
      mkdirSync(unpacked);
      assert.equal((await run('tar', ['-xzf', join(layout, hex), '-C', unpacked])).status, 0);
      await commit(`ociimage/${hex}`, unpacked, ...facts);
    }
    const tree = join(folder, 'tree');
    mkdirSync(tree);
    writeFileSync(join(tree, 'manifest.json'), manifest);
    const facts = [`docker.manifest=${manifest}`, `docker.digest=${images.digest('kvd', '2.0')}`, 'signatures=0'];
    await commit('ociimage/docker.io_2Fgscrivano_2Fkvd_3Alatest', tree, ...facts);
    const listed = documentOf((await done('images', 'list', '--json')).stdout);
    assert.deepEqual(
      (listed['images'] as { name: string; digest: string; size: number }[]).map(({ name, digest, size }) => [
        name,
        digest,
        size,
      ]),
      [['docker.io/gscrivano/kvd:latest', images.digest('kvd', '2.0'), 3000]],
    );
    const info = documentOf((await done('images', 'info', 'gscrivano/kvd', '--json')).stdout);
    assert.deepEqual(info['hostFiles'], ['/etc/kvd/conf.d/limits.conf', '/etc/kvd/kvd.conf', '/usr/local/bin/kvdctl']);
    assert.deepEqual(info['labels'], {}, 'they have pruned its configuration away');
    const verified = await program('images', 'verify', 'gscrivano/kvd');
    assert.deepEqual([verified.status, verified.stdout], [0, '']);
  });

  it('is a repository of a user, in his own directory, that he can read whatever the modes are', async (t) => {
    const { folder, policy } = newHost(t);
    chmodSync(folder, 0o755);
    const home = join(folder, 'home');
    mkdirSync(home);
    chownSync(home, USER, USER);
    const before = readdirSync(folder);
    const options: NodeOptions = {
      env: { HOME: home, XDG_RUNTIME_DIR: join(home, 'run') },
      prefix: ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'],
    };
    const pulled = await runOsContainers(
      ['pull', '--insecure', '--policy', policy, `${registry.host}/example/kvd:2.0`],
      options,
    );
    assert.equal(pulled.status, 0, pulled.stderr);
    assert.deepEqual(readdirSync(folder), before);
    const repository = join(home, '.local/share/containers/atomic/.storage/repo');
    assert.match(readFileSync(join(repository, 'config'), 'utf8'), /mode=bare-user\n/);
    assert.equal(statSync(repository).uid, USER);
    await ostree('fsck', `--repo=${repository}`);
    const info = await runOsContainers(['images', 'info', `${registry.host}/example/kvd:2.0`], options);
    assert.equal(info.status, 0, info.stderr);
  });

  it('refuses what nothing vouches for, and what is not signed when a signature is required', async (t) => {
    const { program, folder } = newHost(t);
    const reject = join(folder, 'reject.json');
    writeFileSync(reject, JSON.stringify({ default: [{ type: 'reject' }] }));
    const name = `${registry.host}/example/kvd:1.0`;
    const refused = await program('pull', '--insecure', '--policy', reject, name);
    assert.deepEqual([refused.status, refused.stdout], [3, '']);
    const unsigned = await program('pull', '--insecure', '--require-signature', name, '--json');
    assert.equal(unsigned.status, 3);
    assert.equal(documentOf(unsigned.stdout)['code'], 'SIGNATURE_MISSING');
  });

  it('remembers who has signed an image, and takes nothing less for it later', async (t) => {
    const { program, folder, done } = newHost(t);
    const [name, prefix] = [`${registry.host}/example/signed:1`, join(folder, 'cosign')];
    await pushSystemImage(registry.host, { image: 'kvd', tag: '1.0', as: 'unsigned' });
    const copied = ['image', 'copy', '--insecure-policy', '--dest-tls-verify=false', images.name('kvd', '1.0')];
    const env = { HOME: folder, COSIGN_PASSWORD: 'open sesame' };
    for (const words of [
      ['image', 'generate-sigstore-key', '--output-prefix', prefix],
      [...copied, `docker://${name}`],
      ['image', 'sign', '--tls-verify=false', '--key', `${prefix}.private`, `docker://${name}`],
    ]) {
      const { status, stderr } = await runOstreeContainer(words, { env });
      assert.equal(status, 0, stderr);
    }
    const policy = join(folder, 'signed.json');
    writeFileSync(policy, JSON.stringify({ default: [{ type: 'sigstoreSigned', keyPath: `${prefix}.pub` }] }));
    const words = ['pull', '--insecure', '--require-signature', '--policy', policy, '--json'];
    const { verification } = documentOf((await done(...words, name)).stdout) as { verification: { level: string } };
    assert.equal(verification.level, 'signed');
    const unsigned = await program(...words, `${registry.host}/example/kvd:unsigned`);
    assert.deepEqual([unsigned.status, documentOf(unsigned.stdout)['code']], [3, 'SIGNATURE_MISSING']);
    const listed = documentOf((await done('images', '--json')).stdout)['images'] as { verification: object }[];
    assert.deepEqual(listed[0]?.verification, verification);
  });

  it('serves others by their own name, and by a copy of its branches', async (t) => {
    const [from, into] = [newHost(t), newHost(t)];
    await from.pull(images.name('kvd', '1.0'), '--name', 'docker.io/gscrivano/kvd');
    const { stdout } = await into.pull(`ostree:gscrivano/kvd@${from.repository}`);
    assert.equal(stdout, `${images.digest('kvd', '1.0')}\n`);
    await ostree('fsck', `--repo=${into.repository}`);
    await into.done('images', 'info', 'gscrivano/kvd');
  });
});
