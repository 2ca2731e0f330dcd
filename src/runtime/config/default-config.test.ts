import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { runProgram } from '../../linux/processes/spawn.ts';
import type { ImageConfig, RunConfig } from '../../oci/index.ts';
import { makeRootfs, programPath } from '../bundle.fixture.ts';
import { openRuntime } from '../open-runtime.ts';
import { formatConfig } from './config.ts';
import { defaultConfigFor } from './default-config.ts';
import { assertDeployable } from './deployable.ts';

const never = new AbortController().signal;
const SPEC = {
  ociVersion: '1.0.2',
  process: {
    terminal: true,
    user: { uid: 0, gid: 0 },
    args: ['sh'],
    env: ['PATH=/usr/bin:/bin', 'TERM=xterm'],
    cwd: '/',
    rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
    noNewPrivileges: true,
  },
  root: { path: 'rootfs' },
  hostname: 'runc',
  linux: {
    uidMappings: [{ containerID: 0, hostID: 0, size: 1 }],
    gidMappings: [{ containerID: 0, hostID: 0, size: 1 }],
    namespaces: [{ type: 'pid' }, { type: 'network' }, { type: 'user' }],
    maskedPaths: ['/proc/kcore'],
  },
};

function image(config: RunConfig | undefined): ImageConfig {
  return { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] }, config };
}
function made(config?: RunConfig, more: Partial<Parameters<typeof defaultConfigFor>[2]> = {}) {
  const { config: result, warnings } = defaultConfigFor(SPEC, image(config), { name: 'image', ...more });
  return { result, warnings, json: JSON.parse(Buffer.from(formatConfig(result)).toString()) };
}

describe('the default configuration', () => {
  it('is that of the runtime, without a terminal, limits and a user namespace, with a root that nobody writes to', () => {
    const { json, result } = made();
    assert.deepEqual(json, {
      ociVersion: '1.0.2',
      process: {
        terminal: false,
        user: { uid: 0, gid: 0 },
        args: ['run.sh'],
        env: ['PATH=/usr/bin:/bin'],
        cwd: '/',
        noNewPrivileges: true,
      },
      root: { path: 'rootfs', readonly: true },
      hostname: 'runc',
      linux: { namespaces: [{ type: 'pid' }], maskedPaths: ['/proc/kcore'] },
    });
    assertDeployable(result);
  });

  it('takes what is run, where, as whom and with which environment from the image', () => {
    const { json } = made(
      {
        Entrypoint: ['/bin/kvd'],
        Cmd: ['-p', '1'],
        Env: ['PATH=/x', 'A=b'],
        WorkingDir: '/data',
        User: 'kvd',
        StopSignal: 'SIGINT',
      },
      { passwd: Buffer.from('kvd:x:90:91::/:\n'), group: Buffer.from('audio:x:29:kvd\n'), hostname: 'kvd' },
    );
    assert.deepEqual(json.process.args, ['/bin/kvd', '-p', '1']);
    assert.deepEqual(json.process.env, ['PATH=/x', 'A=b']);
    assert.deepEqual(json.process.user, { uid: 90, gid: 91, additionalGids: [29] });
    assert.deepEqual([json.process.cwd, json.hostname], ['/data', 'kvd']);
    assert.deepEqual(json.annotations, { 'org.opencontainers.image.stopSignal': 'SIGINT' });
  });

  it('has a PATH in any case', () => {
    assert.deepEqual(made({ Env: ['A=b'] }).json.process.env, ['PATH=/usr/bin:/bin', 'A=b']);
  });

  it('falls back on run.sh when the image has it and not the command, and says so', () => {
    const absent = (...paths: string[]) => ({ isAbsent: (path: string) => paths.includes(path) });
    const [Cmd, PATH, noScript] = [['/bin/kvd', 'x'], ['PATH=/a:/b'], ['/a/run.sh', '/b/run.sh']];
    const both = made({ Cmd, Env: PATH }, absent('/bin/kvd', '/a/run.sh'));
    assert.deepEqual([both.json.process.args, both.warnings.length], [['run.sh'], 1]);
    for (const more of [absent('/a/run.sh'), absent('/bin/kvd', ...noScript), {}]) {
      const { json, warnings } = made({ Cmd, Env: PATH }, more);
      assert.deepEqual([json.process.args, warnings], [Cmd, []]);
    }
    assert.deepEqual(made({}, absent()).warnings, []);
  });

  it('is refused for an image whose user cannot be found, and for a runtime that says nothing of use', () => {
    assert.throws(() => made({ User: 'kvd' }), { code: 'BAD_CONTAINER_CONFIG' });
    for (const spec of [undefined, null, [], 'x', { process: [] }]) {
      assert.throws(() => defaultConfigFor(spec, undefined, { name: 'image' }), { code: 'BAD_CONTAINER_CONFIG' });
    }
  });

  it('made of what runc gives is one that runc runs', {
    skip: needs('root', 'mount', 'runc', 'busybox'),
  }, async (t) => {
    const runc = programPath('runc');
    const spec = await openRuntime(runc).defaultConfig({ rootless: true }, never);
    const { config } = defaultConfigFor(spec, image({ Cmd: ['sh', '-c', 'id; touch /x; hostname'], User: '7:8' }), {
      name: 'image',
      hostname: 'kvd',
    });
    const bundle = scratch(t);
    makeRootfs(bundle);
    writeFileSync(join(bundle, 'config.json'), formatConfig(config));
    const { stdout, stderr } = await runProgram(runc, ['run', '--bundle', bundle, `test-default-${process.pid}`]);
    assert.equal(stdout, 'uid=7 gid=8\nkvd\n', stderr);
    assert.match(stderr, /Read-only file system/);
  });
});
