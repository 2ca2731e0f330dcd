/** A Debian system as images: what arrives is what was committed, and an update of one package costs little. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { copyRoot } from '../support/machine.ts';
import { needs } from '../support/needs.ts';
import { type Finished, must, runOstreeContainer, startOstreeContainer } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';

const LONG = { timeoutMs: 900_000 };
const REF = 'os/main';
/** With what is in every root of the tests: some 300 MB. */
const PACKAGES = ['curl', 'git', 'gnupg', 'iproute2', 'less', 'openssh-server', 'perl', 'python3', 'rsync', 'vim'];
/** What is updated: a library of 6 MB, as in most updates for security. */
const UPDATED = 'libssl3';
const MOST_BY_LAYERS = 0.15;
const MOST_BY_DELTA = 0.12;
const MIB = 2 ** 20;
const COPY = ['--insecure-policy', 'copy', '-q', '--src-tls-verify=false'];

interface Place {
  readonly folder: string;
  readonly repo: string;
  readonly first: string;
  readonly second: string;
  readonly files: number;
  readonly bytes: number;
}

async function makePlace(): Promise<Place> {
  const folder = makeScratch();
  const root = await copyRoot(folder, PACKAGES);
  for (const name of ['dev', 'proc', 'sys', 'run', 'tmp', 'var/log', 'var/cache/apt', 'var/lib/apt/lists']) {
    for (const each of readdirSync(join(root, name))) rmSync(join(root, name, each), { recursive: true });
  }
  for (const name of ['etc/resolv.conf', 'etc/hostname', 'etc/machine-id']) rmSync(join(root, name), { force: true });
  const repo = join(folder, 'repo');
  await must('ostree', ['init', `--repo=${repo}`, '--mode=archive']);
  const first = await commit(repo, root, 1);
  await updatePackage(root, join(folder, 'package'));
  const second = await commit(repo, root, 2);
  const [files = 0, bytes = 0] = await sizeOf(root);
  return { folder, repo, first, second, files, bytes };
}

/** A tree for OSTree has its `/etc` in `/usr`, while it is committed. */
async function commit(repo: string, root: string, day: number): Promise<string> {
  renameSync(join(root, 'etc'), join(root, 'usr/etc'));
  const words = ['-b', REF, '-s', `day ${day}`, `--timestamp=2024-01-0${day} 00:00:00 +0000`];
  const { stdout } = await must('ostree', ['commit', `--repo=${repo}`, ...words, `--tree=dir=${root}`], LONG);
  renameSync(join(root, 'usr/etc'), join(root, 'etc'));
  return stdout.trim();
}

/** A later version of a package that is installed, put in its place by dpkg: every program in it was compiled anew. */
async function updatePackage(root: string, package_: string): Promise<void> {
  const ask = async (...words: readonly string[]): Promise<string> =>
    (await must('dpkg-query', [`--admindir=${root}/var/lib/dpkg`, ...words, UPDATED])).stdout.trim();
  const owned = (await ask('-L')).split('\n').filter((path) => statSync(join(root, path)).isFile());
  assert.ok(owned.length > 3);
  for (const path of owned) {
    const content = readFileSync(join(root, path));
    mkdirSync(dirname(join(package_, path)), { recursive: true });
    writeFileSync(join(package_, path), content.subarray(0, 4).equals(ELF) ? recompiled(content) : content);
  }
  const fields = ['Package', 'Architecture', 'Multi-Arch', 'Maintainer', 'Depends', 'Description'];
  const format = fields.map((name) => `${name}: \${${name}}\\n`).join('');
  const version = (await ask('-s')).match(/^Version: (.*)$/m)?.[1];
  mkdirSync(join(package_, 'DEBIAN'));
  writeFileSync(join(package_, 'DEBIAN/control'), `${await ask('-W', '-f', format)}\nVersion: ${version}+update1\n`);
  await must('dpkg-deb', ['--build', '--root-owner-group', package_, `${package_}.deb`]);
  await must('dpkg', ['--force-script-chrootless', `--root=${root}`, '--install', `${package_}.deb`], LONG);
}

const ELF = Buffer.from('\x7fELF', 'latin1');

/** Longer from some place on, and other addresses all over: worse than most compilers are. */
function recompiled(content: Buffer): Buffer {
  const at = Math.floor(content.length / 3);
  const made = Buffer.concat([content.subarray(0, at), Buffer.alloc(64, 0x90), content.subarray(at)]);
  for (let i = 4096; i < made.length; i += 40) made.writeUInt8((made.readUInt8(i) + (i % 251)) % 256, i);
  return made;
}

async function sizeOf(root: string): Promise<readonly number[]> {
  const { stdout } = await must('find', [root, '-type', 'f', '-printf', '%s\n']);
  const sizes = stdout.trim().split('\n').map(Number);
  return [sizes.length, sizes.reduce((sum, size) => sum + size, 0)];
}

async function ours(...words: readonly string[]): Promise<Finished> {
  const ended = await runOstreeContainer(words, LONG);
  if (ended.status !== 0) throw new Error(`${words.join(' ')}: status ${ended.status}: ${ended.stderr}`);
  return ended;
}

describe('a Debian system as an image in a registry', {
  skip: needs('root', 'mmdebstrap', 'flock', 'ostree', 'dpkg', 'dpkg-deb', 'docker-registry', 'skopeo', 'umoci'),
}, () => {
  let place: Place;
  let registry: DockerRegistry;
  before(async () => {
    place = await makePlace();
    registry = await startDockerRegistry({ below: place.folder });
  });
  after(async () => {
    await registry?.stop();
    if (place !== undefined) removeTree(place.folder);
  });

  const at = (name: string): string => `registry:${registry.host}/${name}`;
  const revision = async (repo: string): Promise<string> =>
    (await must('ostree', ['rev-parse', `--repo=${repo}`, REF])).stdout.trim();
  const listing = async (repo: string, commit: string): Promise<string> =>
    (await must('ostree', ['ls', '-RXC', `--repo=${repo}`, commit])).stdout;

  async function repository(name: string): Promise<string> {
    const path = join(place.folder, name);
    await must('ostree', ['init', `--repo=${path}`, '--mode=bare']);
    return path;
  }

  async function assertSame(repo: string, commit: string): Promise<void> {
    assert.equal(await revision(repo), commit);
    await must('ostree', ['fsck', '--quiet', `--repo=${repo}`], LONG);
    assert.equal(await listing(repo, commit), await listing(place.repo, commit));
  }

  /** Sizes of the layers, by digest. */
  async function layersOf(name: string): Promise<ReadonlyMap<string, number>> {
    const { stdout } = await must('skopeo', [
      'inspect',
      '--tls-verify=false',
      '--raw',
      `docker://${registry.host}/${name}`,
    ]);
    const { layers } = JSON.parse(stdout) as { readonly layers: readonly { digest: string; size: number }[] };
    return new Map(layers.map(({ digest, size }) => [digest, size]));
  }

  /** Bytes of all blobs that the registry sends meanwhile. */
  async function sent(work: () => Promise<unknown>): Promise<number> {
    const seen = registry.accessLog().length;
    await work();
    const lines = registry.accessLog().slice(seen);
    const gets = lines.flatMap((line) => /^GET \S+\/blobs\/\S+ 20[06] ([0-9]+)$/.exec(line)?.[1] ?? []);
    return gets.reduce((sum, bytes) => sum + Number(bytes), 0);
  }

  const encapsulate = (name: string, commit: string, ...words: readonly string[]): Promise<Finished> =>
    ours('container', 'encapsulate', '--tls-verify=false', '--repo', place.repo, ...words, commit, at(name));
  const unencapsulate = (repo: string, name: string): Promise<Finished> => {
    const reference = `ostree-unverified-image:${at(name)}`;
    return ours(
      'container',
      'unencapsulate',
      '--insecure-skip-tls-verification',
      '--repo',
      repo,
      '--write-ref',
      REF,
      reference,
    );
  };

  it('in layers by packages, is the same commit in another repository, and costs little to update', async (t) => {
    const repo = await repository('by-layers');
    await encapsulate('v1:1', place.first);
    await unencapsulate(repo, 'v1:1');
    await assertSame(repo, place.first);

    await encapsulate('v1:2', place.second, '--prior-build', at('v1:1'));
    const layers = await layersOf('v1:2');
    const total = [...layers.values()].reduce((sum, size) => sum + size, 0);
    const bytes = await sent(() => unencapsulate(repo, 'v1:2'));
    await assertSame(repo, place.second);
    t.diagnostic(
      `${place.files} files, ${(place.bytes / MIB).toFixed(0)} MiB; ${layers.size} layers, ${(total / MIB).toFixed(1)} MiB`,
    );
    t.diagnostic(`by layers: ${(bytes / MIB).toFixed(2)} MiB fetched, ${percent(bytes / total)} of the image`);
    assert.ok(bytes > 0 && bytes <= MOST_BY_LAYERS * total, `${bytes} of ${total} bytes`);
  });

  it('with its repository inside, is the same commit, and costs little to update by a delta', async (t) => {
    const repo = await repository('by-delta');
    const build = (tag: string, commit: string, ...words: readonly string[]): Promise<Finished> => {
      const push = ['--tls-verify=false', '--push', `${registry.host}/seed:${tag}`];
      return ours('build', '--repo', place.repo, '--ref', commit, '--no-webserver', ...words, ...push);
    };
    const pull = (tag: string): Promise<Finished> =>
      ours('pull', '--tls-verify=false', '--no-verify', '--repo', repo, '--ref', REF, `${registry.host}/seed:${tag}`);
    await build('1', place.first);
    const whole = await sent(() => pull('1'));
    await assertSame(repo, place.first);

    await build('2', REF, '--static-delta', place.first); // by its name, which the stock client asks for
    const bytes = await sent(() => pull('2'));
    await assertSame(repo, place.second);
    const total = [...(await layersOf('seed:2')).values()].reduce((sum, size) => sum + size, 0);
    t.diagnostic(
      `the image is ${(total / MIB).toFixed(1)} MiB, of which a first pull takes ${(whole / MIB).toFixed(1)} MiB`,
    );
    t.diagnostic(`by a delta: ${(bytes / MIB).toFixed(2)} MiB fetched, ${percent(bytes / whole)} of a first pull`);
    assert.ok(bytes > 0 && bytes <= MOST_BY_DELTA * whole, `${bytes} of ${whole} bytes`);
    await byStockClient(t);
  });

  /** The program ostree, at the web server of the second image; every byte that it gets counts. */
  async function byStockClient(t: TestContext): Promise<void> {
    const layout = join(place.folder, 'layout');
    await must('skopeo', [...COPY, `docker://${registry.host}/seed:2`, `oci:${layout}:2`], LONG);
    await must('umoci', ['unpack', '--image', `${layout}:2`, join(place.folder, 'bundle')], LONG);
    const inside = join(place.folder, 'bundle/rootfs/ostree/repo');
    const [, all = 0] = await sizeOf(join(inside, 'objects'));
    const repo = await repository('stock');
    await must('ostree', ['pull-local', `--repo=${repo}`, place.repo, place.first], LONG);
    await must('ostree', ['refs', `--repo=${repo}`, place.first, `--create=origin:${REF}`]);
    const server = await startServer(inside);
    const counter = await startCounter(server.port);
    try {
      const url = `http://127.0.0.1:${counter.port}/repo`;
      await must('ostree', ['remote', 'add', `--repo=${repo}`, '--no-gpg-verify', 'origin', url]);
      await must('ostree', ['pull', `--repo=${repo}`, 'origin', REF], LONG);
    } finally {
      counter.close();
      await server.stop();
    }
    assert.equal((await must('ostree', ['rev-parse', `--repo=${repo}`, `origin:${REF}`])).stdout.trim(), place.second);
    await must('ostree', ['fsck', '--quiet', `--repo=${repo}`], LONG);
    const share = percent(counter.bytes() / all);
    t.diagnostic(`by the stock client: ${(counter.bytes() / MIB).toFixed(2)} MiB fetched, ${share} of all objects`);
    assert.ok(counter.bytes() > 0 && counter.bytes() <= MOST_BY_DELTA * all, `${counter.bytes()} of ${all} bytes`);
  }
});

async function startServer(repo: string): Promise<{ readonly port: number; stop(): Promise<unknown> }> {
  const server = startOstreeContainer(['serve', '--repo', repo, '--listen', '127.0.0.1:0'], LONG);
  let said = '';
  server.child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  await server.says(/ on http:\S+\n/);
  const port = Number(/ on http:\/\/127\.0\.0\.1:(\d+)\//.exec(said)?.[1]);
  return {
    port,
    stop() {
      server.signal('SIGTERM');
      return server.done;
    },
  };
}

/** Between a client and a server: how much comes back, headers included. */
async function startCounter(to: number): Promise<{ readonly port: number; bytes(): number; close(): void }> {
  let bytes = 0;
  const server = createServer((client) => {
    const origin = connect(to, '127.0.0.1');
    origin.on('data', (chunk) => {
      bytes += chunk.length;
    });
    client.pipe(origin).pipe(client);
    for (const [one, other] of [
      [client, origin],
      [origin, client],
    ] as const) {
      one.on('error', () => other.destroy());
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('unreachable: a port was asked for');
  return { port: address.port, bytes: () => bytes, close: () => void server.close() };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
