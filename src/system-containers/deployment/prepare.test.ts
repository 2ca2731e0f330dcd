import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { commitTrees, fsck, string, type Vardict, variantOf } from '../../ostree/index.ts';
import type { Places } from '../places/index.ts';
import { findContainer } from './container.ts';
import { addSlot, link, type TestHost, testHost, testPlaces } from './host.fixture.ts';
import { type Layer, storeImage, testRepository } from './image.fixture.ts';
import { decodeInfo, NEW_INFO } from './info-file.ts';
import { prepare } from './prepare.ts';
import type { DeploymentRequest } from './request.ts';
import { treeOf } from './tree-of.ts';

const CONFIG = {
  ociVersion: '1.0.0',
  process: { terminal: false, args: ['/bin/kvd', '$PORT'], cwd: '/', user: { uid: 0, gid: 0 } },
  root: { path: 'rootfs', readonly: true },
};
const UNIT = '[Service]\nExecStart=$EXEC_START\nWorkingDirectory=$DESTDIR\n';
const BASE: Layer = {
  'bin/kvd': 'daemon one',
  'usr/share/kvd/old/notes': 'old',
  'exports/config.json.template': JSON.stringify(CONFIG, null, 1),
  'exports/service.template': UNIT,
  'exports/tmpfiles.template': 'd $STATE_DIRECTORY/$NAME 0700 $HOST_UID $HOST_GID - -\n',
  'exports/manifest.json': '{"defaultValues": {"PORT": "80"}}',
};

async function asked(t: TestContext, layers: readonly Layer[], changes: Partial<DeploymentRequest> = {}) {
  const places = testPlaces(t);
  const repository = testRepository(t, places);
  const image = await storeImage(t, repository, 'docker.io/example/kvd:latest', layers);
  const host = testHost(places);
  const request: DeploymentRequest = {
    name: 'kvd',
    slot: 0,
    imageName: 'example/kvd',
    image,
    setValues: new Map(),
    permissions: [],
    runtimePath: '/usr/bin/runc',
    ...changes,
  };
  return { places, repository, image, host, request };
}

function files(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
}

describe('a deployment', { skip: needs('root') }, () => {
  it('is complete beside its place, and takes it as a whole', async (t) => {
    const { places, repository, host, request, image } = await asked(t, [BASE]);
    const prepared = await prepare(host, repository, request);
    assert.deepEqual(findContainer(places, 'kvd'), undefined);
    assert.match(prepared.directory, /\/\.kvd\.0\.tmp-[0-9a-f]{8}$/);
    const deployment = prepared.publish({ installedFiles: ['/etc/x'] });
    assert.equal(deployment.path, join(places.checkouts, 'kvd.0'));
    assert.deepEqual(readdirSync(deployment.path).sort(), [
      'config.json',
      'info',
      'kvd.service',
      'rootfs',
      'tmpfiles-kvd.conf',
    ]);
    assert.deepEqual(readdirSync(places.checkouts).sort(), ['.storage', 'kvd.0']);
    const mode = (name: string): number => statSync(join(deployment.path, name)).mode & 0o7777;
    assert.deepEqual(
      ['.', 'rootfs', 'config.json', 'info', 'kvd.service'].map(mode),
      [0o711, 0o755, 0o600, 0o600, 0o644],
    );
    const text = (name: string): string => readFileSync(join(deployment.path, name), 'utf8');
    assert.deepEqual(JSON.parse(text('config.json')).process.args, ['/bin/kvd', '80']);
    const destination = '/var/lib/containers/atomic/kvd.0';
    const start = "/usr/bin/runc --systemd-cgroup run 'kvd'";
    assert.equal(text('kvd.service'), `[Service]\nExecStart=${start}\nWorkingDirectory=${destination}\n`);
    assert.equal(text('tmpfiles-kvd.conf'), 'd /var/lib/kvd 0700 0 0 - -\n');
    const info = decodeInfo(Buffer.from(text('info')), 'info');
    assert.deepEqual(info, deployment.info);
    assert.deepEqual(
      [info.image, info.revision, info.imageCommit],
      ['example/kvd', image.digest.slice(7), image.commit],
    );
    assert.deepEqual([info.created, info.installedFiles], [1_700_000_000, ['/etc/x']]);
    assert.deepEqual([info.values.get('PORT'), info.setValues], ['80', new Map()]);
    assert.deepEqual(info.verification, image.verification);
  });

  it('shares its files with the repository, which stays whole', async (t) => {
    const { repository, host, request } = await asked(t, [BASE]);
    const { path } = (await prepare(host, repository, request)).publish({});
    assert.ok(statSync(join(path, 'rootfs/bin/kvd')).nlink >= 2);
    const found = await fsck(repository, { signal: host.signal });
    assert.deepEqual(found.findings, []);
    assert.deepEqual(host.warnings, []);
  });

  it('has the layers over each other: whiteouts take away and are not there themselves', async (t) => {
    const next: Layer = {
      'bin/kvd': 'daemon two',
      'usr/share/kvd/.wh.old': '',
      'usr/share/kvd/new': 'new',
      'etc/.wh..wh..opq': '',
    };
    const { repository, host, request } = await asked(t, [{ ...BASE, 'etc/a': 'a' }, next, { 'etc/b': 'b' }]);
    const { path } = (await prepare(host, repository, request)).publish({});
    assert.equal(readFileSync(join(path, 'rootfs/bin/kvd'), 'utf8'), 'daemon two');
    assert.deepEqual(files(join(path, 'rootfs/usr')), ['share', 'share/kvd', 'share/kvd/new']);
    assert.deepEqual(files(join(path, 'rootfs/etc')), ['b']);
  });

  it('takes the place of what was in its slot, and nothing of that is left', async (t) => {
    const { places, repository, host, request } = await asked(t, [BASE]);
    mkdirSync(join(addSlot(places, 'kvd', 0), 'rootfs/old'), { recursive: true });
    const prepared = await prepare(host, repository, request);
    assert.ok(existsSync(join(places.checkouts, 'kvd.0/rootfs/old')));
    prepared.publish({});
    assert.ok(!existsSync(join(places.checkouts, 'kvd.0/rootfs/old')));
    assert.deepEqual(readdirSync(places.checkouts).sort(), ['.storage', 'kvd.0']);
    prepared.discard();
    assert.deepEqual(readdirSync(places.checkouts).sort(), ['.storage', 'kvd.0']);
  });

  it('that is discarded leaves nothing, and neither does one that fails', async (t) => {
    const { places, repository, host, request } = await asked(t, [BASE]);
    (await prepare(host, repository, request)).discard();
    const missing = { ...BASE, 'exports/manifest.json': '{}', 'exports/service.template': `${UNIT}# $OTHER\n` };
    const image = await storeImage(t, repository, 'docker.io/example/other:latest', [missing]);
    await assert.rejects(prepare(host, repository, { ...request, image }), {
      code: 'MISSING_VARIABLES',
      message: /PORT.*OTHER/s,
    });
    const abort = new AbortController();
    const aborting = prepare({ ...host, signal: abort.signal }, repository, request);
    abort.abort(new Error('enough'));
    await assert.rejects(aborting, /enough/);
    assert.deepEqual(readdirSync(places.checkouts), ['.storage']);
  });

  it('sweeps what a killed run has left', async (t) => {
    const { places, repository, host, request } = await asked(t, [BASE]);
    mkdirSync(join(places.checkouts, '.kvd.1.tmp-0123abcd/rootfs'), { recursive: true });
    (await prepare(host, repository, request)).publish({});
    assert.deepEqual(readdirSync(places.checkouts).sort(), ['.storage', 'kvd.0']);
  });

  it('keeps what the user set earlier, and its UUID, but not the defaults of the old image', async (t) => {
    const { repository, host, request } = await asked(t, [BASE], { setValues: new Map([['EXTRA', 'x']]) });
    const first = (await prepare(host, repository, request)).publish({});
    const newer = { ...BASE, 'exports/manifest.json': '{"defaultValues": {"PORT": "8080"}}' };
    const image = await storeImage(t, repository, 'docker.io/example/newer:latest', [newer]);
    const next = { ...request, image, slot: 1, previous: first.info, setValues: new Map([['MORE', 'y']]) };
    const { info } = (await prepare(host, repository, next)).publish({});
    assert.deepEqual([info.values.get('PORT'), info.values.get('UUID')], ['8080', first.info.values.get('UUID')]);
    assert.deepEqual(
      [...(info.setValues ?? [])],
      [
        ['EXTRA', 'x'],
        ['MORE', 'y'],
      ],
    );
  });

  it("after one without set-values takes for the user's what the old image did not give", async (t) => {
    const { places, repository, host, request } = await asked(t, [BASE]);
    const old = {
      revision: 'f'.repeat(64),
      created: 5,
      values: new Map([
        ['PORT', '80'],
        ['EXTRA', 'x'],
      ]),
    };
    const path = addSlot(places, 'kvd', 0, old);
    mkdirSync(join(path, 'rootfs/exports'), { recursive: true });
    writeFileSync(join(path, 'rootfs/exports/manifest.json'), '{"defaultValues": {"PORT": 80}}');
    link(places, 'kvd', 'kvd.0');
    const previous = { ...NEW_INFO, image: 'kvd', ...old };
    const { info } = (await prepare(host, repository, { ...request, slot: 1, previous })).publish({});
    assert.deepEqual([...(info.setValues ?? [])], [['EXTRA', 'x']]);
  });

  it('without a container service has only its files', async (t) => {
    const layer = { 'exports/manifest.json': '{"noContainerService": true}', 'exports/hostfs/etc/issue.d/x': 'x' };
    const { repository, host, request } = await asked(t, [layer], { runtimePath: '' });
    const prepared = await prepare(host, repository, request);
    const { path, info } = prepared.publish({});
    assert.deepEqual(readdirSync(path).sort(), ['info', 'rootfs']);
    assert.equal(info.hasService, false);
    assert.deepEqual(
      prepared.rendered.hostFiles.filter(({ kind }) => kind === 'file').map((file) => file.path),
      ['/etc/issue.d/x'],
    );
  });

  it('whose configuration could write to the repository is refused', async (t) => {
    const writable = { ...CONFIG, root: { path: 'rootfs', readonly: false } };
    const layer = { ...BASE, 'exports/config.json.template': JSON.stringify(writable) };
    const { places, repository, host, request } = await asked(t, [layer]);
    await assert.rejects(prepare(host, repository, request), { code: 'WRITABLE_ROOT' });
    assert.deepEqual(readdirSync(places.checkouts), ['.storage']);
  });

  it('that would act on the host unseen is refused and leaves nothing; with the permission it remembers that', async (t) => {
    const config = { ...CONFIG, hooks: { poststop: [{ path: '/bin/true' }] } };
    const layer = { ...BASE, 'exports/config.json.template': JSON.stringify(config) };
    const { places, repository, host, request } = await asked(t, [layer]);
    await assert.rejects(prepare(host, repository, request), { code: 'NOT_ALLOWED_ON_HOST' });
    assert.deepEqual(readdirSync(places.checkouts), ['.storage']);
    const allowed = await prepare(host, repository, { ...request, permissions: ['hooks'] });
    assert.deepEqual(allowed.publish({}).info.permissions, ['hooks']);
  });

  it('lies in a directory that nobody else may change', async (t) => {
    const { places, repository, host, request } = await asked(t, [BASE]);
    chmodSync(places.checkouts, 0o777);
    await assert.rejects(prepare(host, repository, request), { code: 'UNSAFE_OWNER', subject: places.checkouts });
  });
});

describe("a deployment of a root file system of the user's", { skip: needs('root') }, () => {
  function external(t: TestContext): { host: TestHost; places: Places; request: DeploymentRequest; rootfs: string } {
    const places = testPlaces(t);
    const rootfs = scratch(t);
    mkdirSync(join(rootfs, 'exports'));
    writeFileSync(join(rootfs, 'exports/config.json'), JSON.stringify(CONFIG));
    const request: DeploymentRequest = {
      ...{ name: 'own', slot: 0, imageName: 'own', image: { rootfs }, setValues: new Map(), permissions: [] },
      runtimePath: '/usr/bin/runc',
    };
    return { host: testHost(places), places, request, rootfs };
  }

  it('needs no repository: its configuration names the directory, and nothing is copied', async (t) => {
    const { host, request, rootfs } = external(t);
    const prepared = await prepare(host, undefined, request);
    const deployment = prepared.publish({});
    assert.deepEqual(readdirSync(deployment.path).sort(), ['config.json', 'info', 'own.service']);
    const config = JSON.parse(readFileSync(join(deployment.path, 'config.json'), 'utf8'));
    assert.deepEqual(config.root, { path: rootfs, readonly: true });
    assert.deepEqual([deployment.info.rootfs, deployment.info.revision], [rootfs, '']);
    assert.deepEqual(treeOf(deployment).list('exports'), ['config.json']);
  });

  it('is read without following its links', async (t) => {
    const { host, request, rootfs } = external(t);
    symlinkSync('/etc/hostname', join(rootfs, 'exports/manifest.json'));
    await assert.rejects(prepare(host, undefined, request), { code: 'BAD_IMAGE_MANIFEST' });
  });
});

describe('a deployment that cannot share files with the repository', { skip: needs('root', 'mount') }, () => {
  it('on another file system has copies, and says so once', async (t) => {
    const { places, repository, host, request } = await asked(t, [BASE]);
    const other = scratch(t);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', other]);
    const elsewhere = { ...host, places: { ...places, checkouts: other, state: join(other, '.state') } };
    const { path } = (await prepare(elsewhere, repository, request)).publish({});
    assert.equal(statSync(join(path, 'rootfs/bin/kvd')).nlink, 1);
    assert.equal(readFileSync(join(path, 'rootfs/bin/kvd'), 'utf8'), 'daemon one');
    assert.equal(host.warnings.filter((line) => /different file systems/.test(line)).length, 1);
  });
  it('because of the mode of the repository has copies with their owners', async (t) => {
    const places = testPlaces(t);
    const repository = testRepository(t, places, 'bare-user');
    const { host, request } = await asked(t, [BASE]);
    const image = await storeImage(t, repository, 'docker.io/example/kvd:latest', [BASE]);
    const here = { ...host, places };
    const { path } = (await prepare(here, repository, { ...request, image })).publish({});
    assert.deepEqual([statSync(join(path, 'rootfs/bin/kvd')).nlink, host.warnings.length], [1, 1]);
    assert.match(host.warnings[0] ?? '', /bare-user/);
  });
  it('is refused when there is no space for the copies, before anything is written', async (t) => {
    const { places, repository, host, request, image } = await asked(t, [BASE]);
    const other = scratch(t);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755,size=64m', 'tmpfs', other]);
    const hex = image.layers[0]?.slice(7) ?? '';
    await commitTrees(
      repository,
      {
        trees: [{ kind: 'commit', revision: `ociimage/${hex}` }],
        branch: `ociimage/${hex}`,
        timestamp: 1,
        metadata: layerMetadata(2 ** 30),
      },
      { signal: host.signal, fsync: false },
    );
    const elsewhere = { ...host, places: { ...places, checkouts: other, state: join(other, '.state') } };
    await assert.rejects(prepare(elsewhere, repository, request), { code: 'DISK_FULL' });
    assert.deepEqual(readdirSync(other), []);
  });
});

function layerMetadata(size: number): Vardict {
  const texts = {
    'docker.size': '1',
    'docker.uncompressed_size': String(size),
    'docker.uncompressed_digest': `sha256:${'0'.repeat(64)}`,
  };
  return Object.entries(texts).map(([key, value]) => [key, variantOf(string, value)] as const);
}
