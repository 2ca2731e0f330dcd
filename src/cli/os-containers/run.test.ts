import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { type Finished, runNode, startNode } from '../../../test/support/program.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { addSlot, link, testPlaces } from '../../system-containers/deployment/host.fixture.ts';

const MAIN = join(import.meta.dirname, 'main.js');

/** A runtime that writes the process id down as runc does, says its words, and goes on as the script says. */
function withRuntime(t: TestContext, script: string): { root: string; runtime: string } {
  const places = testPlaces(t);
  const runtime = join(scratch(t), 'runtime');
  const pidFile = 'while [ $# -gt 0 ]; do if [ "$1" = --pid-file ]; then echo 1 > "$2"; fi; shift; done';
  writeFileSync(runtime, `#!/bin/sh\necho "$@" | tee -a ${runtime}.calls; (${pidFile})\n${script}\n`, { mode: 0o755 });
  const path = addSlot(places, 'kvd', 0, { runtime });
  const config = { process: { args: ['/bin/kvd'], cwd: '/' }, root: { path: 'rootfs', readonly: true } };
  writeFileSync(join(path, 'config.json'), JSON.stringify(config));
  link(places, 'kvd', 'kvd.0');
  return { root: places.root, runtime };
}

function run(root: string, ...words: readonly string[]): Promise<Finished> {
  return runNode(MAIN, ['--root', root, 'run', ...words]);
}

describe('run', { skip: needs('root') }, () => {
  it('passes the status of the command on, and all of its words', async (t) => {
    const { root } = withRuntime(t, 'exit 42');
    const { status, stdout } = await run(root, 'kvd', 'ls', '-l', '--all', '--', '--help');
    assert.equal(status, 42);
    assert.match(stdout, /^run --pid-file \S+ --bundle \S+ os-containers-[0-9a-f]{12}\n$/);
  });
  it('ends with 125 when nothing could be started', async (t) => {
    const { root, runtime } = withRuntime(t, '');
    const missing = await run(root, 'other', 'ls');
    assert.deepEqual([missing.status, missing.stdout], [125, '']);
    rmSync(runtime);
    assert.equal((await run(root, 'kvd', 'ls')).status, 125);
  });
  it('without a command, or with values for a container, is wrong usage', async (t) => {
    const { root } = withRuntime(t, '');
    for (const words of [[], ['kvd'], ['--set', 'A', 'kvd', 'ls'], ['--set', 'A=b', 'kvd', 'ls']]) {
      const { status, stdout } = await run(root, ...words);
      assert.deepEqual([status, stdout], [2, ''], words.join(' '));
    }
  });
  it('cleans up after a signal, and says which one it was', async (t) => {
    const { root, runtime } = withRuntime(t, 'case "$1" in run) echo ready; exec sleep 60;; esac');
    const running = startNode(MAIN, ['--root', root, 'run', 'kvd', 'sleep', '60']);
    await running.says('ready');
    running.signal('SIGTERM');
    assert.equal((await running.done).status, 143);
    assert.match(readFileSync(`${runtime}.calls`, 'utf8'), /^delete --force os-containers-/m);
  });
});
