import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { needs, searchPath } from '../../../test/support/needs.ts';
import { findProgram } from '../../linux/processes/find-program.ts';
import { runProgram } from '../../linux/processes/spawn.ts';
import { openRuntime } from '../../runtime/index.ts';
import { testHost, testPlaces } from '../deployment/host.fixture.ts';
import { type Layer, storeImage, testRepository } from '../deployment/image.fixture.ts';
import { prepare, setActive } from '../deployment/index.ts';
import { COULD_NOT_START, type RunRequest, runCommand } from './index.ts';

const RUNC = findProgram('runc', searchPath()) ?? 'runc';
const CONFIG = {
  ociVersion: '1.0.0',
  process: { terminal: false, args: ['/bin/busybox', 'sh'], env: ['PORT=$PORT'], cwd: '/', user: { uid: 0, gid: 0 } },
  root: { path: 'rootfs', readonly: true },
  mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
  linux: { namespaces: [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }] },
};

function layer(): Layer {
  const busybox = findProgram('busybox', searchPath());
  return {
    'bin/busybox': busybox === undefined ? '' : readFileSync(busybox),
    'proc/': '',
    'etc/marker': 'of the image',
    'exports/config.json.template': JSON.stringify(CONFIG),
    'exports/manifest.json': '{"defaultValues": {"PORT": "80"}}',
  };
}

async function stored(t: TestContext, more: Layer = {}) {
  const places = testPlaces(t);
  const repository = testRepository(t, places);
  const name = 'docker.io/example/kvd:latest';
  const image = await storeImage(t, repository, name, [{ ...layer(), ...more }]);
  const host = { ...testHost(places), runtime: openRuntime, env: process.env };
  const request: RunRequest = {
    subject: 'example/kvd',
    command: ['/bin/busybox', 'true'],
    setValues: new Map(),
    permissions: [],
    tty: false,
    runtimePath: () => RUNC,
    openRepository: () => repository,
  };
  const left = (): string[] => readdirSync(join(repository.path, 'tmp')).filter((each) => each.startsWith('os-'));
  return { places, repository, image, host, request, left };
}

const shell = (script: string): readonly string[] => ['/bin/busybox', 'sh', '-c', script];

describe('a command in an image', { skip: needs('root', 'runc', 'busybox') }, () => {
  it('runs with its files and values, and its status comes back', async (t) => {
    const { host, request, left } = await stored(t);
    const test = 'test "$(/bin/busybox cat /etc/marker)" = "of the image" && exit 4$PORT';
    assert.equal(await runCommand(host, { ...request, command: shell(test) }), 480 - 256);
    const set = { ...request, setValues: new Map([['PORT', '2']]), command: shell('exit 4$PORT') };
    assert.equal(await runCommand(host, set), 42);
    assert.deepEqual([left(), host.warnings], [[], []]);
  });
  it('may not write to them', async (t) => {
    const { host, request } = await stored(t);
    assert.notEqual(await runCommand(host, { ...request, command: shell('echo x > /etc/marker') }), 0);
  });
  it('that is not in it could not be started', async (t) => {
    const { host, request, left } = await stored(t);
    assert.equal(await runCommand(host, { ...request, command: ['/bin/nothing'] }), COULD_NOT_START);
    assert.equal(await runCommand(host, { ...request, command: ['/bin/busybox', 'false'] }), 1);
    assert.deepEqual(left(), []);
  });
  it('that is interrupted leaves neither files nor a container', async (t) => {
    const { host, request, left } = await stored(t);
    const abort = new AbortController();
    const running = runCommand(
      { ...host, signal: abort.signal },
      { ...request, command: ['/bin/busybox', 'sleep', '987'] },
    );
    const isThere = async (): Promise<boolean> =>
      /os-containers-/.test((await runProgram(RUNC, ['list', '-q'])).stdout);
    for (let tries = 0; tries < 100 && !(await isThere()); tries++) await delay(50);
    abort.abort(new Error('interrupted'));
    await assert.rejects(running, /interrupted/);
    assert.deepEqual([await isThere(), left()], [false, []]);
  });
  it('is refused when the image has files for the host', async (t) => {
    const { host, request, left } = await stored(t, { 'exports/hostfs/etc/x': '' });
    await assert.rejects(runCommand(host, request), { code: 'IMAGE_EXPORTS_HOST_FILES' });
    assert.deepEqual(left(), []);
  });
  it('is refused when there is no such image, and no such container', async (t) => {
    const { host, request } = await stored(t);
    await assert.rejects(runCommand(host, { ...request, subject: 'other' }), { code: 'IMAGE_NOT_STORED' });
  });
});

describe('a command beside a stopped service', { skip: needs('root', 'runc', 'busybox') }, () => {
  it('runs on the files of the deployment', async (t) => {
    const { places, repository, image, host, request } = await stored(t);
    const deploying = { ...request, name: 'kvd', slot: 0, imageName: 'example/kvd', image, runtimePath: RUNC };
    (await prepare(host, repository, deploying)).publish({});
    setActive(places, 'kvd', 0);
    const command = shell('test -f /etc/marker && exit 23');
    assert.equal(await runCommand(host, { ...request, subject: 'kvd', command }), 23);
    assert.deepEqual(readdirSync(places.state), []);
  });
});
