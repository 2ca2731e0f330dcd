import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { isAlive, processIdentity } from './process-identity.ts';

describe('the identity of a process', () => {
  it('is ours while we run', () => {
    const own = processIdentity();
    assert.equal(own.pid, process.pid);
    assert.match(own.bootId, /^[0-9a-f-]{36}$/);
    assert.equal(isAlive(own), true);
    assert.deepEqual({ ...processIdentity(), startedAt: own.startedAt }, own);
    assert.deepEqual(JSON.parse(JSON.stringify(own)), own);
  });

  it('is not that of another process with the same number, nor one before a reboot', () => {
    const own = processIdentity();
    assert.equal(isAlive({ ...own, startTime: own.startTime - 1 }), false);
    const otherBoot = { ...own, bootId: '00000000-0000-0000-0000-000000000000' };
    assert.equal(isAlive({ ...otherBoot, startedAt: own.startedAt - 30 }), false);
    assert.equal(isAlive(otherBoot), true, 'a boot id that only looks different: the start is the same');
  });

  it('ends with the process, also while nobody has waited for it', async () => {
    // A parent that never waits: its child stays a zombie.
    const parent = spawn('bash', ['-c', 'sleep 0.2 & echo $!; exec sleep 30']);
    const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (text) => resolve(Number(text))));
    const child = processIdentity(pid);
    assert.equal(isAlive(child), true);
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(isAlive(child), false);
    parent.kill();
  });

  it('of no process is an error', () => {
    const { pid } = spawnSync('true');
    assert.throws(() => processIdentity(pid), { code: 'ENOENT' });
  });

  it('is read rightly although the name holds blanks and parentheses', async () => {
    const odd = spawn('bash', ['-c', 'printf ") S 1 (" > /proc/$$/comm; echo; read -r _']);
    await new Promise((resolve) => odd.stdout.once('data', resolve));
    assert.ok(odd.pid);
    const { startTime } = processIdentity(odd.pid);
    assert.ok(Math.abs(startTime - processIdentity().startTime) < 100 * 600); // within ten minutes of our own start
    odd.stdin.end();
  });
});
