import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { needs } from '../../test/support/needs.ts';
import { makeScratch, removeTree, scratch } from '../../test/support/scratch.ts';
import { runProgram } from '../linux/processes/spawn.ts';
import { exampleConfig, programPath, writeBundle } from './bundle.fixture.ts';
import { openRuntime } from './open-runtime.ts';

const never = new AbortController().signal;

/** A runtime that notes its words, one call a line, and goes on as the script says. */
function fakeRuntime(t: TestContext, script: string): { path: string; calls: () => string[] } {
  const root = scratch(t);
  const log = join(root, 'calls');
  const path = join(root, 'runtime');
  writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' "$*" >> ${log}\n${script}\n`, { mode: 0o755 });
  return { path, calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : []) };
}

/** A running container of that runtime; gone when the test is over. */
async function startContainer(t: TestContext, runtime: string, script: string): Promise<string> {
  const bundle = scratch(t);
  const id = `test-${process.pid}-${Math.random().toString(36).slice(2)}`;
  writeBundle(bundle, exampleConfig(script));
  const child = spawn(runtime, ['run', '--bundle', bundle, id], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const ended = once(child, 'exit');
  t.after(async () => {
    await openRuntime(runtime).deleteForce(id, never);
    await ended;
  });
  for (let left = 100; left > 0; left--) {
    const { stdout } = await runProgram(runtime, ['state', id]);
    if (/"status": *"running"/.test(stdout)) return id;
    assert.equal(child.exitCode, null, said);
    await delay(50);
  }
  return assert.fail(`${runtime} does not run the container: ${said}`);
}

for (const name of ['runc', 'crun']) {
  const skip = needs('root', 'mount', name, 'busybox');
  const runtime = () => openRuntime(runtimePath);
  let runtimePath = programPath(name);
  if (name === 'crun' && skip === false) {
    // crun 1.8 refuses machines with both generations of cgroups: here it sees only the new one, and uses none.
    const folder = makeScratch();
    after(() => removeTree(folder));
    runtimePath = join(folder, 'crun');
    const call = `exec ${programPath(name)} --cgroup-manager=disabled "$@"`;
    const script = `mount -t cgroup2 none /sys/fs/cgroup && ${call}`;
    writeFileSync(runtimePath, `#!/bin/sh\nexec unshare --mount sh -c '${script}' crun "$@"\n`, { mode: 0o755 });
  }

  describe(`${name}`, () => {
    it('knows the cgroups of systemd and files for the process id', { skip }, async () => {
      assert.deepEqual(await runtime().features(never), { systemdCgroup: true, pidFile: true });
    });

    it('writes its default configuration, and leaves nothing behind', { skip }, async (t) => {
      const before = process.env['TMPDIR'];
      const root = scratch(t);
      process.env['TMPDIR'] = root;
      t.after(() => {
        if (before === undefined) delete process.env['TMPDIR'];
        else process.env['TMPDIR'] = before;
      });
      for (const rootless of [false, true]) {
        const spec = JSON.stringify(await runtime().defaultConfig({ rootless }, never));
        assert.equal(/"type":"user"/.test(spec), rootless);
      }
      assert.deepEqual(readdirSync(root), []);
    });

    it('deletes a container that runs, and has nothing against one that does not exist', { skip }, async (t) => {
      const id = await startContainer(t, runtime().path, 'sleep 1000');
      await runtime().deleteForce(id, never);
      assert.notEqual((await runProgram(runtime().path, ['state', id])).status, 0);
      await runtime().deleteForce(id, never);
    });

    it('runs a command in a container and passes on its status', { skip }, async (t) => {
      const id = await startContainer(t, runtime().path, 'echo mark > /tmp/mark; sleep 1000');
      assert.equal(await runtime().exec(id, ['sh', '-c', 'exit 42'], { tty: false }, never), 42);
      const seen = await runtime().execCaptured(
        id,
        ['sh', '-c', 'cat /tmp/mark; echo err >&2; exit 3'],
        { timeoutMs: 20_000 },
        never,
      );
      assert.deepEqual(seen, { status: 3, output: 'mark\nerr\n', timedOut: false });
    });

    it('leaves options of the command to the command', { skip }, async (t) => {
      const id = await startContainer(t, runtime().path, 'sleep 1000');
      const seen = await runtime().execCaptured(id, ['ls', '-d', '--', '/'], { timeoutMs: 20_000 }, never);
      assert.deepEqual([seen.status, seen.output], [0, '/\n']);
    });

    it('ends a check that takes too long', { skip }, async (t) => {
      const id = await startContainer(t, runtime().path, 'sleep 1000');
      const seen = await runtime().execCaptured(id, ['sleep', '500'], { timeoutMs: 500 }, never);
      assert.equal(seen.timedOut, true);
      const { stdout } = await runProgram(runtime().path, ['ps', id]);
      assert.doesNotMatch(stdout, /sleep 500/);
    });

    it('runs a bundle and passes on the status of its command', { skip }, async (t) => {
      const bundle = scratch(t);
      writeBundle(bundle, exampleConfig('touch /file 2>/dev/null && exit 1; exit 17'));
      assert.equal(await runtime().run(`test-run-${name}-${process.pid}`, bundle, {}, never), 17);
    });
  });
}

describe('a runtime', () => {
  it('is asked for its features once, and knows nothing that its help does not name', async (t) => {
    const { path, calls } = fakeRuntime(
      t,
      'case "$*" in --help) echo "  --systemd-cgroup-x, --pid-file";; run*) echo "   --pid-file value";; esac',
    );
    const runtime = openRuntime(path);
    assert.deepEqual(await runtime.features(never), { systemdCgroup: false, pidFile: true });
    await runtime.features(never);
    assert.deepEqual(calls(), ['--help', 'run --help']);
  });

  it('is called with these words', async (t) => {
    const { path, calls } = fakeRuntime(t, 'exit 0');
    const runtime = openRuntime(path);
    await runtime.exec('kvd', ['ls', '-l'], { tty: true }, never);
    await runtime.exec('kvd', ['ls'], { tty: false }, never);
    await runtime.run('kvd-1', '/b', { pidFile: '/p' }, never);
    await runtime.deleteForce('kvd', never);
    assert.deepEqual(calls(), [
      'exec -t kvd ls -l',
      'exec kvd ls',
      'run --pid-file /p --bundle /b kvd-1',
      'delete --force kvd',
    ]);
  });

  it('that is not there is a missing runtime, whatever is asked of it', async () => {
    const runtime = openRuntime('/nowhere/runc');
    const missing = { name: 'RuntimeError', code: 'RUNTIME_MISSING' };
    await assert.rejects(runtime.features(never), missing);
    await assert.rejects(runtime.defaultConfig({ rootless: true }, never), missing);
    await assert.rejects(runtime.run('a', '/', {}, never), missing);
  });

  it('whose spec fails, or writes nothing, or no JSON, has failed', async (t) => {
    for (const script of ['echo "cannot: \\033[2J" >&2; exit 1', 'exit 0', 'echo "[]" > config.json']) {
      const { path } = fakeRuntime(t, script);
      await assert.rejects(
        openRuntime(path).defaultConfig({ rootless: false }, never),
        (error: Error & { code: string }) => {
          return error.code === 'RUNTIME_FAILED' && !error.message.includes('\x1b');
        },
      );
    }
    const { path } = fakeRuntime(t, 'echo "{" > config.json');
    await assert.rejects(openRuntime(path).defaultConfig({ rootless: false }, never), { code: 'BAD_CONTAINER_CONFIG' });
  });

  it('that cannot delete a container has failed, unless it says that there is none', async (t) => {
    const busy = fakeRuntime(t, 'case $1 in delete) echo busy >&2; exit 1;; state) echo "{}";; esac');
    await assert.rejects(openRuntime(busy.path).deleteForce('kvd', never), {
      code: 'RUNTIME_FAILED',
      message: `${busy.path} delete --force kvd: busy`,
    });
    const absent = fakeRuntime(t, 'echo "container \\"kvd\\" does not exist" >&2; exit 1');
    await openRuntime(absent.path).deleteForce('kvd', never);
    const broken = fakeRuntime(t, 'echo "permission denied" >&2; exit 1');
    await assert.rejects(openRuntime(broken.path).deleteForce('kvd', never), { code: 'RUNTIME_FAILED' });
  });

  it('whose command a signal ended has the status of a shell', async (t) => {
    const { path } = fakeRuntime(t, 'kill -USR1 $$');
    assert.equal(await openRuntime(path).exec('a', ['b'], { tty: false }, never), 128 + 10);
  });
});
