/** Images of the seed layout as other tools see them. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { needs } from '../support/needs.ts';
import { must, run, runOstreeContainer } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';
import { built, checkedOut, makeSeedPlace, type SeedPlace, treeFacts, unpacked } from './seed-place.ts';

const peers = { skip: needs('root', 'ostree', 'skopeo', 'umoci', 'python3', 'busybox') };

describe('an image of the seed layout', peers, () => {
  let place: SeedPlace;
  let checkout: readonly string[];
  const at = (name: string): string => join(place.root, name);

  before(async () => {
    place = await makeSeedPlace(makeScratch(), '/bin/busybox');
    checkout = await treeFacts(await checkedOut(place, place.second));
    await built(place, [
      '--ref',
      'os/main',
      '--static-delta',
      'os/main^',
      '--no-webserver',
      '--oci-dir',
      at('image:v1'),
    ]);
  });
  after(() => removeTree(place.root));

  it('is the commit in every file, owner and attribute when umoci unpacks it', async () => {
    const root = await unpacked(at('image:v1'), at('bundle'));
    assert.deepEqual(await treeFacts(root), checkout);
    assert.equal(readFileSync(join(root, 'etc/conf'), 'utf8'), 'second\n');
  });

  it('holds a repository that ostree finds whole, with the ref, the delta and a summary', async () => {
    const repo = join(await unpacked(at('image:v1'), at('bundle-repo')), 'ostree/repo');
    const ostree = async (...words: readonly string[]) => (await must('ostree', [`--repo=${repo}`, ...words])).stdout;
    await ostree('fsck');
    assert.equal((await ostree('rev-parse', 'os/main')).trim(), place.second);
    assert.equal((await ostree('static-delta', 'list')).trim(), `${place.first}-${place.second}`);
    assert.match(await ostree('summary', '-v'), new RegExp(place.second));
    assert.equal(readFileSync(join(repo, 'config'), 'utf8'), '[core]\nrepo_version=1\nmode=archive-z2\n');
  });

  it('names the object of every file', async () => {
    const root = await unpacked(at('image:v1'), at('bundle-map'));
    const [head, ...lines] = readFileSync(join(root, 'ostree/object-map'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(head, { format: 'ostree-object-map', version: 1, commit: place.second });
    const paths = lines.map(({ path }) => path);
    assert.deepEqual(paths, [...paths].sort());
    const listed = (await must('ostree', [`--repo=${place.repo}`, 'ls', '-RXC', place.second])).stdout;
    for (const { path, object } of lines) {
      const own = path.replace(/^\/etc\//, '/usr/etc/');
      assert.ok(
        listed.split('\n').some((line) => line.includes(` ${object} `) && line.includes(` ${own}`)),
        path,
      );
    }
    assert.equal(lines.length, (listed.match(/^[-l]/gm)?.length ?? 0) - 1, 'all but the link "ostree"');
  });

  it('is copied by skopeo with its digest, and says what it is', async () => {
    await must('skopeo', ['--insecure-policy', 'copy', '-q', `oci:${at('image:v1')}`, `dir:${at('dir')}`]);
    const { Labels, config } = JSON.parse(
      (await must('skopeo', ['inspect', '--config', `oci:${at('image:v1')}`])).stdout,
    );
    assert.equal(Labels, undefined);
    assert.equal(config.Labels['ostree.commit'], place.second);
    assert.equal(config.Labels['org.opencontainers.image.version'], '1.1');
    assert.deepEqual(config.Cmd, ['/bin/sh']);
    assert.equal(config.Entrypoint, undefined);
  });

  it('is the same byte for byte when it is built again, and unpacks to the same files out of a repository of another mode', async () => {
    const words = ['--ref', 'os/main', '--static-delta', 'os/main^', '--no-webserver', '--oci-dir'];
    const [one, two] = [await built(place, [...words, at('one')]), await built(place, [...words, at('two')])];
    assert.equal(one, two);
    const bare = { repo: at('bare-of-checkout') };
    await must('ostree', [`--repo=${bare.repo}`, 'refs', '--create=os/main', place.second]);
    const other = ['--ref', 'os/main', '--no-webserver', '--oci-dir'];
    await built(bare, [...other, at('three')]);
    await built(place, [...other, at('four')]);
    const [three, four] = await Promise.all(['three', 'four'].map((name) => diffIdsOf(at(name))));
    assert.equal(three?.[0], four?.[0], 'the files');
    assert.equal(three?.[2], four?.[2], 'the metadata');
  });

  it('runs the program of our own by default, the shell where that is wanted', async () => {
    writeFileSync(at('server'), '#!/bin/sh\n', { mode: 0o755 });
    await built(place, [
      '--ref',
      place.second,
      '--webserver',
      at('server'),
      '--cmd',
      'id',
      '--cmd=-u',
      '--oci-dir',
      at('served:v1'),
    ]);
    const { config } = JSON.parse((await must('skopeo', ['inspect', '--config', `oci:${at('served:v1')}`])).stdout);
    assert.deepEqual(config.Cmd, ['id', '-u']);
    assert.deepEqual(config.ExposedPorts, { '8080/tcp': {} });
    assert.ok(existsSync(join(await unpacked(at('served:v1'), at('bundle-served')), 'ostree/repo-webserver')));
  });

  it('is refused for an unknown ref, and then nothing is written', async () => {
    const ended = await runOstreeContainer([
      ...['build', '--repo', place.repo, '--ref', 'other', '--no-webserver', '--oci-dir', at('nothing')],
    ]);
    assert.equal(ended.status, 1);
    assert.equal(existsSync(at('nothing')), false);
  });

  it('is not written over a directory that is no layout', async () => {
    mkdirSync(at('full'));
    writeFileSync(at('full/file'), 'x');
    const words = ['build', '--repo', place.repo, '--ref', 'os/main', '--no-webserver', '--oci-dir', at('full')];
    for (const format of ['seed', 'v1']) {
      const ended = await runOstreeContainer([...words, '--format', format]);
      assert.equal(ended.status, 1);
      assert.match(ended.stderr, /neither empty nor an OCI image layout/);
      assert.doesNotMatch(ended.stderr, /layers? of commit/, 'before anything is packed');
    }
    assert.equal(readFileSync(at('full/file'), 'utf8'), 'x');
  });

  it('names each of its layers once', async () => {
    const words = ['build', '--repo', place.repo, '--ref', 'os/main', '--no-webserver', '--oci-dir', at('named')];
    const { stderr } = await runOstreeContainer(words);
    const digests = [...stderr.matchAll(/sha256:[0-9a-f]{64}/g)].map(([digest]) => digest);
    assert.equal(digests.length, 3);
    assert.equal(new Set(digests).size, 3);
  });
});

async function diffIdsOf(layout: string): Promise<readonly string[]> {
  const { stdout } = await must('skopeo', ['inspect', '--config', `oci:${layout}`]);
  return (JSON.parse(stdout) as { rootfs: { diff_ids: string[] } }).rootfs.diff_ids;
}

async function layersOf(layout: string): Promise<readonly string[]> {
  const raw = (await must('skopeo', ['inspect', '--raw', `oci:${layout}`])).stdout;
  return (JSON.parse(raw) as { layers: { digest: string }[] }).layers.map(({ digest }) => digest);
}

describe('an image on top of another one', peers, () => {
  let place: SeedPlace;
  const at = (name: string): string => join(place.root, name);

  before(async () => {
    place = await makeSeedPlace(makeScratch(), '/bin/busybox');
    await makeBase(place);
    await built(place, [
      '--ref',
      'os/main',
      '--from',
      `oci:${at('base:v1')}`,
      '--no-webserver',
      '--oci-dir',
      at('image:v1'),
    ]);
  });
  after(() => removeTree(place.root));

  it('is the commit all the same, though most of it comes from the base', async () => {
    const root = await unpacked(at('image:v1'), at('bundle'));
    assert.deepEqual(await treeFacts(root), await treeFacts(await checkedOut(place, place.second)));
  });

  it('begins with the layers of the base, and inherits its configuration', async () => {
    const base = await layersOf(`${at('base')}:v1`);
    const layers = await layersOf(`${at('image')}:v1`);
    assert.deepEqual(layers.slice(0, base.length), base);
    const { config, history } = JSON.parse(
      (await must('skopeo', ['inspect', '--config', `oci:${at('image')}:v1`])).stdout,
    );
    assert.deepEqual(config.Env, ['A=b']);
    assert.equal(config.Labels.foo, 'bar');
    assert.equal(config.Labels['ostree.commit'], place.second);
    assert.equal(history.length, layers.length);
  });

  it('leaves out of its repository what the base has', async () => {
    const root = await unpacked(at('image:v1'), at('bundle-map'));
    const lines = readFileSync(join(root, 'ostree/object-map'), 'utf8').trimEnd().split('\n').slice(1);
    const external = lines.map((line) => JSON.parse(line)).filter((line) => line.external === true);
    assert.ok(external.some(({ path }) => path === '/usr/lib/big'));
    for (const { object } of external) {
      assert.equal(
        existsSync(join(root, 'ostree/repo/objects', object.slice(0, 2), `${object.slice(2)}.filez`)),
        false,
      );
    }
  });

  it('is refused when the base is made for another machine', async () => {
    await must('umoci', ['config', '--image', at('base:v1'), '--tag', 'other', '--architecture', 'riscv64']);
    const words = ['--ref', 'os/main', '--no-webserver', '--oci-dir', at('nothing'), '--json'];
    const from = ['--from', `oci:${at('base:other')}`];
    const ended = await runOstreeContainer(['build', '--repo', place.repo, ...words, ...from]);
    assert.equal(JSON.parse(ended.stdout).code, 'ARCHITECTURE_MISMATCH');
    assert.equal(existsSync(at('nothing')), false);
  });
});

/** Two layers by umoci: the tree of the commit, then with files of its own, changed ones and links. */
async function makeBase({ root, tree }: SeedPlace): Promise<void> {
  const at = (name: string): string => join(root, name);
  await must('umoci', ['init', '--layout', at('base')]);
  await must('umoci', ['new', '--image', at('base:v1')]);
  await must('umoci', ['unpack', '--image', at('base:v1'), at('b')]);
  const files = at('b/rootfs');
  await must('cp', ['-a', `${tree}/.`, files]);
  rmSync(join(files, 'ostree'));
  await must('mv', [join(files, 'usr/etc'), join(files, 'etc')]);
  await must('umoci', ['repack', '--image', at('base:v1'), '--refresh-bundle', at('b')]);
  for (const folder of ['opt/gone', 'usr/lib/x/replaced']) mkdirSync(join(files, folder), { recursive: true });
  for (const name of ['opt/gone/a', 'opt/gone/b', 'usr/lib/x/replaced/a', 'extra'])
    writeFileSync(join(files, name), name);
  writeFileSync(join(files, 'etc/conf'), 'of the base\n');
  rmSync(join(files, 'usr/lib/new'));
  rmSync(join(files, 'usr/lib/x/empty'));
  mkdirSync(join(files, 'usr/lib/x/empty'));
  cpSync(join(files, 'etc/conf'), join(files, 'usr/lib/x/empty/file'));
  await must('ln', [join(files, 'usr/lib/big'), join(files, 'usr/lib/big-too')]);
  await must('umoci', ['repack', '--image', at('base:v1'), at('b')]);
  await must('umoci', [
    ...['config', '--image', at('base:v1'), '--config.env', 'A=b', '--config.label', 'foo=bar'],
    ...['--config.cmd', '/of-the-base'],
  ]);
}

const podmanPeers = { skip: needs('root', 'ostree', 'skopeo', 'podman', 'runc', 'python3', 'busybox') };

describe('a container of an image of the seed layout', podmanPeers, () => {
  it('has a shell, and files as the commit has them', async () => {
    const place = await makeSeedPlace(makeScratch(), '/bin/busybox');
    const at = (name: string): string => join(place.root, name);
    const podman = ['--root', at('storage'), '--runroot', at('run'), '--storage-driver', 'vfs'];
    try {
      await built(place, ['--ref', 'os/main', '--no-webserver', '--oci-dir', at('image:v1')]);
      const store = `containers-storage:[vfs@${at('storage')}+${at('run')}]localhost/os:v1`;
      await must('skopeo', ['--insecure-policy', 'copy', '-q', `oci:${at('image')}:v1`, store]);
      const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
      const words = ['--runtime', 'runc', 'run', '--rm', '--network', 'none', ...limits, 'localhost/os:v1'];
      const shown = await must('podman', [...podman, ...words, 'sh', '-c', 'cat /etc/conf; ls -n /usr/lib/x/own']);
      assert.match(shown.stdout, /^second\n-rwsr-x---\s+1 7\s+8\s/);
    } finally {
      await run('podman', [...podman, 'rmi', '-a', '-f']);
      removeTree(place.root);
    }
  });
});

describe('a push', { skip: needs('root', 'docker-registry', 'ostree', 'skopeo', 'python3') }, () => {
  it('prints the digest that the registry then has, and a second one sends nothing', async () => {
    const place = await makeSeedPlace(makeScratch());
    const registry = await startDockerRegistry();
    try {
      const name = `${registry.host}/os:v1`;
      const words = ['--ref', 'os/main', '--no-webserver', '--tls-verify=false', '--push', name];
      const digest = await built(place, words);
      const inspect = ['inspect', '--tls-verify=false', '--format', '{{.Digest}}', `docker://${name}`];
      assert.equal((await must('skopeo', inspect)).stdout.trim(), digest);
      const before = registry.accessLog().filter((line) => line.startsWith('PATCH') || line.startsWith('PUT')).length;
      assert.equal(await built(place, words), digest);
      const uploads = registry.accessLog().filter((line) => line.startsWith('PATCH') || line.startsWith('PUT'));
      assert.equal(uploads.length - before, 1, 'the manifest alone');
    } finally {
      await registry.stop();
      removeTree(place.root);
    }
  });
});
