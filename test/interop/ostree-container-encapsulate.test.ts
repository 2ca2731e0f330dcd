/** Images of format v1 judged by ostree, skopeo, podman and gpg, and counted at a registry. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { decodeDetached, encodeDetached, GPG_SIGNATURES, withSignature } from '../../src/ostree/objects/detached.ts';
import { gpgHome } from '../../src/trust/openpgp/gpg.fixture.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { needs } from '../support/needs.ts';
import { must, run, runOstreeContainer, startOstreeContainer } from '../support/program.ts';
import { makeScratch, removeTree, scratch } from '../support/scratch.ts';
import { emptyRepository, makeSeedPlace, type SeedPlace } from './seed-place.ts';

const peers = { skip: needs('root', 'ostree', 'tar', 'python3', 'busybox') };
const REF = 'os/main';

/** One that has to succeed. @returns standard output without its newline */
async function ours(...words: readonly string[]): Promise<string> {
  const ended = await runOstreeContainer(['container', ...words]);
  if (ended.status !== 0) throw new Error(`container ${words.join(' ')}: ${ended.status}: ${ended.stderr}`);
  return ended.stdout.trim();
}

/** Status and `code` of one that has to fail. */
async function refusal(...words: readonly string[]): Promise<readonly [number | null, string]> {
  const ended = await runOstreeContainer(['container', ...words, '--json']);
  return [ended.status, (JSON.parse(ended.stdout || '{}') as { readonly code?: string }).code ?? ''];
}

const listing = async (repo: string, rev: string): Promise<string> =>
  (await must('ostree', ['ls', `--repo=${repo}`, '-RXC', rev])).stdout;

interface Layer {
  readonly digest: string;
  readonly size: number;
}
interface Manifest {
  readonly layers: readonly Layer[];
}

function manifestOf(layout: string): Manifest {
  const index = JSON.parse(fs.readFileSync(join(layout, 'index.json'), 'utf8')) as { manifests: readonly Layer[] };
  return JSON.parse(fs.readFileSync(blobOf(layout, index.manifests[0]?.digest ?? ''), 'utf8')) as Manifest;
}

const blobOf = (layout: string, digest: string): string => join(layout, 'blobs', digest.replace(':', '/'));

/** As a container runtime does it: one layer over the other. */
async function unpack(layout: string, root: string): Promise<string> {
  fs.mkdirSync(root);
  for (const { digest } of manifestOf(layout).layers) {
    await must('tar', [
      '--xattrs',
      '--xattrs-include=*',
      '--numeric-owner',
      '-C',
      root,
      '-xpzf',
      blobOf(layout, digest),
    ]);
  }
  return join(root, 'sysroot/ostree/repo');
}

describe('an image of format v1', peers, () => {
  let place: SeedPlace;
  let image: string;
  let digest: string;
  const at = (name: string): string => join(place.root, name);
  before(async () => {
    place = await makeSeedPlace(makeScratch(), '/bin/busybox');
    image = at('image');
    digest = await ours('encapsulate', '--repo', place.repo, REF, `oci:${image}:v1`);
  });
  after(() => removeTree(place.root));

  it('unpacked by tar is a repository that ostree checks, lists and pulls from', async (t) => {
    const inside = await unpack(image, join(scratch(t), 'root'));
    await must('ostree', ['fsck', `--repo=${inside}`]);
    const copy = await emptyRepository(join(scratch(t), 'copy'), 'archive');
    await must('ostree', ['pull-local', `--repo=${copy}`, inside, place.second]);
    await must('ostree', ['fsck', `--repo=${copy}`]);
    assert.equal(await listing(copy, place.second), await listing(place.repo, REF));
  });

  for (const mode of ['archive', 'bare', 'bare-user']) {
    it(`is the same commit again in a repository of mode ${mode}, for ostree, too`, async (t) => {
      const repo = await emptyRepository(join(scratch(t), 'repo'), mode);
      const said = await ours(
        'unencapsulate',
        '--repo',
        repo,
        '--write-ref',
        REF,
        `ostree-unverified-image:oci:${image}:v1`,
      );
      assert.equal(said, `Imported: ${REF} => ${place.second}`);
      await must('ostree', ['fsck', `--repo=${repo}`]);
      assert.equal(await listing(repo, REF), await listing(place.repo, REF));
      assert.equal((await must('ostree', ['refs', `--repo=${repo}`])).stdout, `${REF}\n`);
      const checkout = join(scratch(t), 'checkout');
      await must('ostree', ['checkout', `--repo=${repo}`, ...(mode === 'bare-user' ? ['-U'] : []), REF, checkout]);
    });
  }

  it('has the same digest when it is made again, in a registry, and after skopeo has copied it', async (t) => {
    const registry = await startFakeRegistry();
    t.after(() => registry.close());
    const name = `registry:${registry.host}/os:v1`;
    assert.equal(await ours('encapsulate', '--tls-verify=false', '--repo', place.repo, REF, name), digest);
    const copy = ['--insecure-policy', 'copy', '-q', '--dest-tls-verify=false'];
    await must('skopeo', [...copy, `oci:${image}:v1`, `docker://${registry.host}/theirs:v1`]);
    for (const where of ['os', 'theirs']) {
      const reference = `registry:${registry.host}/${where}:v1`;
      assert.equal(await ours('info', '--tls-verify=false', reference), digest);
    }
    const layers = `${manifestOf(image).layers.length}`.padEnd(4);
    assert.match(
      await ours('compare', '--tls-verify=false', name, `oci:${image}:v1`),
      new RegExp(
        `^Total new layers: ${layers}  Size: .*\nRemoved layers:   0     Size: 0 B\nAdded layers:     0     Size: 0 B$`,
      ),
    );
  });

  for (const [kind, words, name] of [
    ['Docker schema 2', ['--format', 'v2s2'], 'dir:'],
    ['zstd', ['--dest-compress-format', 'zstd'], 'oci:'],
    ['zstd:chunked', ['--dest-compress-format', 'zstd:chunked'], 'oci:'],
    ['an archive of Docker', [], 'docker-archive:'],
    ['an archive', [], 'oci-archive:'],
  ] as const) {
    it(`is the same commit after skopeo has made ${kind} of it`, async (t) => {
      const [copy, repo] = [join(scratch(t), 'copy'), await emptyRepository(join(scratch(t), 'repo'), 'archive')];
      const to = `${name}${copy}${name === 'docker-archive:' ? ':localhost/os:v1' : ''}`;
      const copying = await run('skopeo', ['--insecure-policy', 'copy', '-q', ...words, `oci:${image}:v1`, to]);
      assert.equal(copying.status, 0, copying.stderr);
      const said = await ours('unencapsulate', '--repo', repo, `ostree-unverified-image:${to}`);
      assert.equal(said, `Imported: ${place.second}`);
      await must('ostree', ['fsck', `--repo=${repo}`]);
    });
  }

  it('needs two layers after one component has changed, and none the second time', async (t) => {
    const registry = await startFakeRegistry();
    t.after(() => registry.close());
    const folder = scratch(t);
    const [source, target] = [join(folder, 'source'), await emptyRepository(join(folder, 'target'), 'archive')];
    const components = Array.from({ length: 9 }, (_, i) => `part-${i}`);
    const tree = join(folder, 'tree');
    for (const name of components) {
      fs.mkdirSync(join(tree, 'usr', name), { recursive: true });
      fs.writeFileSync(join(tree, 'usr', name, 'file'), `${name}\n`.repeat(1000));
    }
    await emptyRepository(source, 'archive');
    const publish = async (version: string, ...words: readonly string[]): Promise<readonly Layer[]> => {
      await must('ostree', ['commit', `--repo=${source}`, '-b', REF, '--owner-uid=0', '--owner-gid=0', tree]);
      const meta = join(folder, 'meta.json');
      fs.writeFileSync(meta, JSON.stringify(await contentMeta(source, components)));
      const name = `registry:${registry.host}/os:${version}`;
      const own = ['--json', '--tls-verify=false', '--contentmeta', meta, '--repo', source, ...words];
      return (JSON.parse(await ours('encapsulate', ...own, REF, name)) as Manifest).layers;
    };
    const take = async (version: string) => {
      const seen = registry.requests.length;
      const name = `ostree-unverified-registry:${registry.host}/os:${version}`;
      await ours('unencapsulate', '--insecure-skip-tls-verification', '--repo', target, '--write-ref', REF, name);
      return registry.requests
        .slice(seen)
        .filter(({ method }) => method === 'GET')
        .map(({ url }) => url);
    };
    const first = await publish('1');
    assert.equal(first.length, 11);
    await take('1');
    fs.writeFileSync(join(tree, 'usr/part-4/file'), 'changed\n');
    const second = await publish('2', '--prior-build', `registry:${registry.host}/os:1`);
    const changed = second.filter(({ digest: each }) => !first.some((layer) => layer.digest === each));
    assert.equal(changed.length, 2);
    const fetched = (await take('2')).filter((url) => second.some(({ digest: each }) => url.endsWith(each)));
    assert.deepEqual(
      fetched.map((url) => url.slice(url.indexOf('sha256'))).sort(),
      changed.map((layer) => layer.digest).sort(),
    );
    const again = await take('2');
    assert.equal(again.filter((url) => second.some(({ digest: each }) => url.endsWith(each))).length, 0);
    assert.equal(again.filter((url) => url.includes('/manifests/')).length, 1);
    await must('ostree', ['fsck', `--repo=${target}`]);
  });

  it('that has to be signed itself is refused, whatever a policy accepts', async (t) => {
    const folder = scratch(t);
    const repo = await emptyRepository(join(folder, 'repo'), 'archive');
    const policy = join(folder, 'policy.json');
    const take = (...words: readonly string[]) =>
      refusal('unencapsulate', '--policy', policy, '--repo', repo, ...words);
    fs.writeFileSync(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
    assert.deepEqual(await take(`ostree-image-signed:oci:${image}:v1`), [3, 'POLICY_REJECTED']);
    const transports = { oci: { '': [{ type: 'insecureAcceptAnything' }] } };
    fs.writeFileSync(policy, JSON.stringify({ default: [{ type: 'reject' }], transports }));
    assert.deepEqual(await take(`ostree-image-signed:oci:${image}:v1`), [3, 'SIGNATURE_MISSING']);
    fs.writeFileSync(policy, JSON.stringify({ default: [{ type: 'reject' }] }));
    assert.deepEqual(await take(`ostree-unverified-image:oci:${image}:v1`), [3, 'POLICY_REJECTED']);
    assert.equal((await must('ostree', ['refs', `--repo=${repo}`])).stdout, '');
  });

  it('says what would be fetched, and fetches nothing, in a dry run', async (t) => {
    const repo = await emptyRepository(join(scratch(t), 'repo'), 'archive');
    const words = ['--json', '--dry-run', '--repo', repo, `ostree-unverified-image:oci:${image}:v1`];
    const plan = JSON.parse(await ours('unencapsulate', ...words)) as Manifest & { readonly bytes: number };
    const { layers } = manifestOf(image);
    assert.deepEqual(
      plan.layers,
      layers.map(({ digest: each, size }) => ({ digest: each, size, isThere: false })),
    );
    assert.equal(
      plan.bytes,
      layers.reduce((sum, { size }) => sum + size, 0),
    );
    assert.ok(
      !fs.readdirSync(join(repo, 'objects'), { recursive: true, encoding: 'utf8' }).some((name) => name.includes('.')),
    );
  });

  it('is built upon by containers that end with "container commit"', async (t) => {
    const root = scratch(t);
    fs.mkdirSync(join(root, 'var/cache/apt'), { recursive: true });
    fs.writeFileSync(join(root, 'var/cache/apt/file'), 'cached');
    const { removed, bytes } = JSON.parse(await ours('commit', '--json', '--root', root)) as Record<string, number>;
    assert.deepEqual([removed, bytes, fs.readdirSync(join(root, 'var/cache'))], [2, 6, []]);
  });

  it('is taken out whole by the run after one that was killed, at whatever moment', async (t) => {
    const repo = await emptyRepository(join(scratch(t), 'repo'), 'archive');
    const words = [
      'container',
      'unencapsulate',
      '--repo',
      repo,
      '--write-ref',
      REF,
      `ostree-unverified-image:oci:${image}:v1`,
    ];
    for (const ms of [180, 260, 340, 420]) {
      const running = startOstreeContainer(words);
      await new Promise((done) => setTimeout(done, ms));
      running.kill();
      await running.done.catch(() => undefined);
      await must('ostree', ['fsck', `--repo=${repo}`]);
    }
    const ended = await runOstreeContainer(words);
    assert.equal(ended.stdout, `Imported: ${REF} => ${place.second}\n`);
    await must('ostree', ['fsck', `--repo=${repo}`]);
    assert.equal(await listing(repo, REF), await listing(place.repo, REF));
  });

  for (const [flaw, code, status, damage] of [
    ['a layer with another byte', 'INVALID_DIGEST', 3, (file: string) => flip(file)],
    ['a layer that is too short', 'INVALID_SIZE', 3, (file: string) => fs.truncateSync(file, 100)],
    ['a layer with more behind its end', 'INVALID_SIZE', 3, (file: string) => fs.appendFileSync(file, 'more')],
  ] as const) {
    it(`with ${flaw} leaves the repository as it was: ${code}`, async (t) => {
      const copy = join(scratch(t), 'copy');
      fs.cpSync(image, copy, { recursive: true });
      const layers = manifestOf(copy).layers;
      damage(blobOf(copy, layers[1]?.digest ?? ''));
      const repo = await emptyRepository(join(scratch(t), 'repo'), 'archive');
      const words = ['--repo', repo, '--write-ref', REF, `ostree-unverified-image:oci:${copy}:v1`];
      assert.deepEqual(await refusal('unencapsulate', ...words), [status, code]);
      assert.equal((await must('ostree', ['refs', `--repo=${repo}`])).stdout, '');
      assert.ok(
        !fs
          .readdirSync(join(repo, 'objects'), { recursive: true, encoding: 'utf8' })
          .some((name) => name.includes('.')),
      );
      await must('ostree', ['fsck', `--repo=${repo}`]);
    });
  }
});

function flip(file: string): void {
  const bytes = fs.readFileSync(file);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  fs.writeFileSync(file, bytes);
}

/** Each of these folders of `/usr` as a component. */
async function contentMeta(repo: string, components: readonly string[]) {
  const lines = (await must('ostree', ['ls', `--repo=${repo}`, '-RC', REF, '/usr'])).stdout.split('\n');
  const mapping = lines.flatMap((line) => {
    const [, checksum, name] = /^-.* ([0-9a-f]{64}) \/usr\/([^/]+)\/file$/.exec(line) ?? [];
    return checksum === undefined || name === undefined ? [] : [[checksum, name] as const];
  });
  assert.equal(mapping.length, components.length);
  const layers = Object.fromEntries(components.map((name) => [name, name]));
  return { version: 1, layers, mapping: Object.fromEntries(mapping) };
}

describe('the signature of a commit in an image', {
  skip: needs('root', 'ostree', 'gpg', 'python3', 'busybox'),
}, () => {
  it('is judged as ostree judges it', async (t) => {
    const place = await makeSeedPlace(makeScratch());
    t.after(() => removeTree(place.root));
    const home = gpgHome(t);
    const keys = {
      good: home.makeKey('good', 'rsa2048'),
      revoked: home.makeKey('revoked', 'rsa2048'),
      expired: home.makeKey('expired', 'rsa2048', '1d', '20200101T000000'),
      other: home.makeKey('other', 'rsa2048'),
    };
    const commit = place.second;
    const file = (ending: string): string =>
      join(place.repo, 'objects', commit.slice(0, 2), `${commit.slice(2)}.${ending}`);
    const signature = (key: string, clock?: string): Buffer =>
      home.sign(fs.readFileSync(file('commit')), key, [], clock);
    const signed = {
      good: [signature(keys.good)],
      two: [signature(keys.other), signature(keys.good)],
      other: [signature(keys.other)],
      revoked: [signature(keys.revoked)],
      expired: [signature(keys.expired, '20200101T010000')],
      flipped: [flipped(signature(keys.good))],
    };
    home.revoke(keys.revoked);
    const keyring = join(place.root, 'keyring.gpg');
    fs.writeFileSync(keyring, home.publicKeys(keys.good, keys.revoked, keys.expired));
    const verdicts = async (name: string) => {
      const layout = join(place.root, name);
      await ours('encapsulate', '--repo', place.repo, REF, `oci:${layout}`);
      const [repo, theirs] = [
        await emptyRepository(join(place.root, `repo-${name}`), 'archive'),
        await emptyRepository(join(place.root, `theirs-${name}`), 'archive'),
      ];
      for (const each of [repo, theirs]) {
        await must('ostree', [
          'remote',
          'add',
          `--repo=${each}`,
          `--gpg-import=${keyring}`,
          'os',
          `file://${place.repo}`,
        ]);
      }
      const ended = await runOstreeContainer([
        ...['container', 'unencapsulate', '--json', '--repo', repo, '--write-ref', REF],
        `ostree-remote-image:os:oci:${layout}`,
      ]);
      const { code = 'accepted' } = JSON.parse(ended.stdout) as { readonly code?: string };
      if (ended.status !== 0) {
        assert.equal((await must('ostree', ['refs', `--repo=${repo}`])).stdout, '');
        const objects = fs.readdirSync(join(repo, 'objects'), { recursive: true, encoding: 'utf8' });
        assert.ok(!objects.some((each) => each.includes('.')));
      }
      const pulled = await run('ostree', ['pull', `--repo=${theirs}`, 'os', REF]);
      assert.equal(ended.status === 0, pulled.status === 0, `${name}: ${ended.stderr} ${pulled.stderr}`);
      return [ended.status, code];
    };
    assert.deepEqual(await verdicts('missing'), [3, 'COMMITMETA_MISSING']);
    const found: Record<string, unknown> = {};
    for (const [name, signatures] of Object.entries(signed)) {
      const none = decodeDetached(new Uint8Array(), 'none');
      const detached = signatures.reduce((all, each) => withSignature(all, GPG_SIGNATURES, each), none);
      fs.writeFileSync(file('commitmeta'), encodeDetached(detached));
      found[name] = await verdicts(name);
    }
    assert.deepEqual(found, {
      good: [0, 'accepted'],
      two: [0, 'accepted'],
      other: [3, 'SIGNATURE_KEY_MISSING'],
      revoked: [3, 'SIGNATURE_EXPIRED'],
      expired: [3, 'SIGNATURE_EXPIRED'],
      flipped: [3, 'SIGNATURE_INVALID'],
    });
    const unknown = ['--repo', place.repo, `ostree-remote-image:nobody:oci:${join(place.root, 'good')}`];
    assert.deepEqual(await refusal('unencapsulate', ...unknown), [1, 'REMOTE_UNKNOWN']);
  });
});

/** The signature itself, not its packet. */
function flipped(signature: Buffer): Buffer {
  const copy = Buffer.from(signature);
  copy[copy.length - 10] = (copy.at(-10) ?? 0) ^ 1;
  return copy;
}

describe('a container of an image of format v1', {
  skip: needs('root', 'ostree', 'skopeo', 'podman', 'runc', 'python3', 'busybox'),
}, () => {
  it('has a shell, the files of the commit with their attributes and links, and a repository that is sound', async (t) => {
    const place = await makeSeedPlace(makeScratch(), '/bin/busybox');
    const at = (name: string): string => join(place.root, name);
    const podman = ['--root', at('storage'), '--runroot', at('run'), '--storage-driver', 'vfs'];
    try {
      await ours('encapsulate', '--repo', place.repo, '--cmd', 'sh', REF, `oci:${at('image')}:v1`);
      const store = `containers-storage:[vfs@${at('storage')}+${at('run')}]localhost/os:v1`;
      await must('skopeo', ['--insecure-policy', 'copy', '-q', `oci:${at('image')}:v1`, store]);
      const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
      const words = ['--runtime', 'runc', 'run', '--rm', '--network', 'none', ...limits, 'localhost/os:v1'];
      const script = 'cat /etc/conf; ls -n /usr/lib/x/own';
      const shown = await must('podman', [...podman, ...words, 'sh', '-c', script]);
      assert.match(shown.stdout, /^second\n-rwsr-x---\s+2 7\s+8\s/);
      const root = await mounted(t, podman);
      const links = (name: string): number => fs.lstatSync(join(root, name)).nlink;
      assert.deepEqual([links('usr/lib/same'), links('usr/lib/x/empty')], [3, 1]);
      const script2 = 'import os, sys; print(os.getxattr(sys.argv[1], sys.argv[2]).hex())';
      const attribute = async (path: string, name: string): Promise<string> =>
        (await must('python3', ['-c', script2, join(root, path), name])).stdout.trim();
      assert.equal(await attribute('usr/bin/tool', 'security.capability'), '0100000200200000000000000000000000000000');
      assert.equal(await attribute('usr/lib/x/empty', 'user.note'), '78');
      await must('ostree', ['fsck', `--repo=${join(root, 'sysroot/ostree/repo')}`]);
    } finally {
      await run('podman', [...podman, 'rmi', '-a', '-f']);
      removeTree(place.root);
    }
  });
});

/** The root of the image, as podman has it. */
async function mounted(t: TestContext, podman: readonly string[]): Promise<string> {
  const root = (await must('podman', [...podman, 'image', 'mount', 'localhost/os:v1'])).stdout.trim();
  t.after(() => run('podman', [...podman, 'image', 'umount', '-a']));
  return root;
}
