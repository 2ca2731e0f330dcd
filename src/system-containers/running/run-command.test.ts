import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { addSlot, link, type TestHostOptions, testHost, testPlaces } from '../deployment/host.fixture.ts';
import type { Places } from '../places/index.ts';
import { makeBindSources } from './bind-sources.ts';
import { COULD_NOT_START, type RunRequest, runCommand } from './index.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

const CONFIG = {
  process: { terminal: false, args: ['/bin/kvd'], cwd: '/' },
  root: { path: 'rootfs', readonly: true },
  linux: { namespaces: [{ type: 'pid' }] },
};

function installed(t: TestContext, options: TestHostOptions = {}, name = 'kvd') {
  const places = testPlaces(t);
  const path = addSlot(places, name, 0, { runtime: '/usr/bin/crun' });
  writeFileSync(join(path, 'config.json'), JSON.stringify(CONFIG));
  link(places, name, `${name}.0`);
  return { places, path, host: testHost(places, options) };
}

function asked(changes: Partial<RunRequest> = {}): RunRequest {
  const unused = (): never => {
    throw new Error('unreachable: nobody should ask for that');
  };
  return {
    subject: 'kvd',
    command: ['ls', '-l'],
    setValues: new Map(),
    permissions: [],
    tty: false,
    runtimePath: unused,
    openRepository: unused,
    ...changes,
  };
}

describe('a command in a container that runs', () => {
  it('is executed in it, by the runtime that the container was installed with', async (t) => {
    const { host } = installed(t, { states: { kvd: 'active' }, work: () => 7 });
    assert.equal(await runCommand(host, asked({ tty: true })), 7);
    assert.deepEqual(host.calls, ['exec -t kvd ls -l']);
  });
  it('may be left alone there, and nowhere else', async (t) => {
    const { host } = installed(t, { states: { kvd: 'active' } });
    assert.equal(await runCommand(host, asked({ tty: true, detach: true })), 0);
    assert.deepEqual(host.calls, ['exec --detach kvd ls -l']);
    const stopped = installed(t, { states: { kvd: 'inactive' } });
    await assert.rejects(runCommand(stopped.host, asked({ detach: true })), { code: 'BAD_VALUE' });
    await assert.rejects(runCommand(stopped.host, asked({ subject: 'other', detach: true })), { code: 'BAD_VALUE' });
  });
  it('that the runtime could not start is told apart from one that failed', async (t) => {
    for (const [status, isStarted, expected] of [
      [1, true, 1],
      [1, false, COULD_NOT_START],
      [255, false, COULD_NOT_START],
      [7, false, 7],
      [0, false, 0],
    ] as const) {
      const work: TestHostOptions['work'] = (_, pidFile) => {
        if (isStarted && pidFile !== undefined) writeFileSync(pidFile, '1');
        return status;
      };
      const { host } = installed(t, { states: { kvd: 'active' }, work });
      assert.equal(await runCommand(host, asked()), expected);
    }
  });
  it('takes no values', async (t) => {
    const { host } = installed(t, { states: { kvd: 'active' } });
    await assert.rejects(runCommand(host, asked({ setValues: new Map([['A', 'b']]) })), { code: 'BAD_VALUE' });
  });
});

describe('a command in a container that is installed and stopped', () => {
  it('runs in a bundle of its own with the configuration and the files of the deployment', async (t) => {
    let seen: unknown;
    let id = '';
    const { host, places, path } = installed(t, {
      work: ([, name = '', bundle = '']) => {
        id = name;
        seen = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'));
        return 3;
      },
    });
    writeFileSync(join(path, 'tmpfiles-kvd.conf'), '');
    assert.equal(await runCommand(host, asked({ tty: true })), 3);
    assert.deepEqual(seen, {
      process: { terminal: true, args: ['ls', '-l'], cwd: '/' },
      root: { path: join(path, 'rootfs'), readonly: true },
      linux: { namespaces: [{ type: 'pid' }] },
    });
    assert.notEqual(id, 'kvd');
    assert.deepEqual(host.calls, [`tmpfiles ${path}/tmpfiles-kvd.conf`, 'run']);
    assert.deepEqual(readdirSync(places.state), []);
  });
  it('leaves nothing when it is interrupted, not in the runtime either', async (t) => {
    const abort = new AbortController();
    const { host, places } = installed(t, {
      work: () => {
        abort.abort(new Error('interrupted'));
        throw abort.signal.reason;
      },
    });
    await assert.rejects(runCommand({ ...host, signal: abort.signal }, asked()), /interrupted/);
    assert.match(host.calls.join(), /^run,delete os-containers-[0-9a-f]{12}$/);
    assert.deepEqual(readdirSync(places.state), []);
  });
  it('that is broken, or has no configuration, is refused', async (t) => {
    const { host, places } = installed(t);
    addSlot(places, 'files', 0, { hasService: false, runtime: '/usr/bin/runc' });
    link(places, 'files', 'files.0');
    addSlot(places, 'half', 0);
    for (const subject of ['files', 'half']) {
      await assert.rejects(runCommand(host, asked({ subject })), { code: 'CONTAINER_BROKEN' });
    }
  });
});

describe('directories that a container mounts', () => {
  const sources = (...paths: readonly string[]) =>
    paths.map((path) => ({ path, destination: '/x', isReadOnly: false }));
  function at(t: TestContext): { run: string; make(...paths: readonly string[]): void } {
    const run = scratch(t);
    const places: Places = { ...testPlaces(t), uid: process.getuid?.() ?? 0 };
    const directories = { ...places.directories, run };
    return { run, make: (...paths) => makeBindSources({ ...places, directories }, sources(...paths)) };
  }
  it('are made below the runtime directory, and nowhere else', (t) => {
    const { run, make } = at(t);
    const other = scratch(t);
    make(`${run}/kvd/deep`, `${run}/../escaped`, `${other}/kvd`, run, `${run}/kvd`);
    assert.deepEqual(readdirSync(run, { recursive: true }).sort(), ['kvd', 'kvd/deep']);
    assert.deepEqual(readdirSync(other), []);
  });
  it('are not made through links, or in the place of files', (t) => {
    const { run, make } = at(t);
    const other = scratch(t);
    symlinkSync(other, join(run, 'link'));
    writeFileSync(join(run, 'socket'), '');
    make(`${run}/link/kvd`, `${run}/socket`, `${run}/socket/x`);
    assert.deepEqual(readdirSync(other), []);
  });
  it('are not made where anybody may write', (t) => {
    const { run, make } = at(t);
    mkdirSync(join(run, 'open'));
    process.umask(0);
    mkdirSync(join(run, 'wide'), { mode: 0o777 });
    process.umask(0o022);
    make(`${run}/open/a`, `${run}/wide/a`);
    assert.deepEqual([existsSync(join(run, 'open/a')), existsSync(join(run, 'wide/a'))], [true, false]);
  });
});

describe('a directory for one run', { skip: needs('flock') }, () => {
  it('is its own, and goes with what killed runs have left', (t) => {
    const above = join(scratch(t), 'state');
    mkdirSync(join(above, 'os-containers-run-0000', 'deep'), { recursive: true });
    const [a, b] = [makeTemporaryDirectory(above), makeTemporaryDirectory(above)];
    assert.equal(readdirSync(above).length, 2);
    a.remove();
    assert.ok(existsSync(b.path) && !existsSync(a.path));
    b.remove();
    assert.deepEqual(readdirSync(above), []);
  });
});
