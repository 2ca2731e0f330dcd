import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { runProgram } from './spawn.ts';

const sh = (script: string, options: Parameters<typeof runProgram>[2] = {}) =>
  runProgram('sh', ['-c', script], options);
const isRunning = (pid: string) =>
  existsSync(`/proc/${pid}`) && !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

async function untilGone(pid: string): Promise<boolean> {
  for (let i = 0; i < 100 && isRunning(pid); i++) await new Promise((resolve) => setTimeout(resolve, 20));
  return !isRunning(pid);
}

describe('a program', () => {
  it('gives its status and both outputs', async () => {
    assert.deepEqual(await sh('echo out; echo err >&2; exit 3'), {
      status: 3,
      signal: null,
      stdout: 'out\n',
      stderr: 'err\n',
      timedOut: false,
      truncated: false,
    });
  });

  it('gets its words as they are: there is no shell', async () => {
    const { stdout } = await runProgram('printf', ['%s|', '$HOME', '*', 'a b', '']);
    assert.equal(stdout, '$HOME|*|a b||');
  });

  it('has the environment, directory and input that it is given and nothing else', async (t) => {
    const cwd = scratch(t);
    const { stdout } = await runProgram('/usr/bin/env', [], { env: { A: '1' } });
    assert.equal(stdout, 'A=1\n');
    assert.equal((await runProgram('pwd', [], { cwd })).stdout, `${cwd}\n`);
    assert.equal((await runProgram('cat', [], { input: 'text\n' })).stdout, 'text\n');
    assert.equal((await runProgram('cat', [])).stdout, '');
  });

  it('need not read its input', async () => {
    const { status } = await runProgram('true', [], { input: Buffer.alloc(2 ** 22) });
    assert.equal(status, 0);
  });

  it('that a signal ended tells which', async () => {
    const { status, signal, timedOut } = await sh('kill -KILL $$');
    assert.deepEqual([status, signal, timedOut], [null, 'SIGKILL', false]);
  });

  it('that is absent is PROGRAM_MISSING, with input too; an absent directory is told from it', async () => {
    for (const options of [{}, { input: 'x' }, { timeoutMs: 1000 }]) {
      const run = runProgram('no-such-program', [], options);
      await assert.rejects(run, { code: 'PROGRAM_MISSING', subject: 'no-such-program' });
    }
    await assert.rejects(runProgram('true', [], { cwd: '/nowhere' }), { code: 'NOT_A_DIRECTORY', subject: '/nowhere' });
    await assert.rejects(runProgram('/etc/passwd', []), { code: 'EACCES' });
  });

  it('leaves no descriptor open', async () => {
    await sh('true');
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    await sh('sleep 30 & echo started');
    await sh('echo x', { input: 'x' });
    assert.equal(open(), before);
  });
});

describe('the output of a program', () => {
  it('is cut at the limit, each stream by itself, and drained to the end', async () => {
    const result = await sh('head -c 5000000 /dev/zero | tr "\\0" x; echo end >&2; exit 4', { outputLimit: 10 });
    assert.deepEqual(
      [result.stdout, result.stderr, result.truncated, result.status],
      ['x'.repeat(10), 'end\n', true, 4],
    );
  });

  it('of exactly the limit is not truncated', async () => {
    const { stdout, truncated } = await sh('printf 0123456789', { outputLimit: 10 });
    assert.deepEqual([stdout, truncated], ['0123456789', false]);
  });

  it('that a background process keeps open does not keep us', async () => {
    const start = performance.now();
    const { stdout, status } = await sh('sleep 30 & echo $!; exit 5');
    assert.ok(performance.now() - start < 5000);
    assert.equal(status, 5);
    assert.equal(isRunning(stdout.trim()), true); // it was left alone: nobody asked for its end
    process.kill(Number(stdout));
  });

  it('is complete although we were busy when the program ended', async () => {
    const run = sh('sleep 30 & echo $! >&2; head -c 60000 /dev/zero | tr "\\0" x');
    await new Promise((resolve) => setTimeout(resolve, 1));
    for (const end = performance.now() + 500; performance.now() < end; );
    const { stdout, stderr } = await run;
    process.kill(Number(stderr));
    assert.equal(stdout.length, 60_000);
  });

  it('that a background process writes for ever ends for us', async () => {
    const start = performance.now();
    const { stderr } = await sh('(while :; do echo x; sleep 0.02; done) & echo $! >&2');
    assert.ok(performance.now() - start < 6000);
    process.kill(Number(stderr));
  });
});

describe('a program that takes too long', () => {
  it('is ended with everything that it started', async () => {
    const { stdout, timedOut, status, signal } = await sh('sleep 30 & echo $!; wait', { timeoutMs: 300 });
    assert.deepEqual([timedOut, status, signal], [true, null, 'SIGTERM']);
    assert.equal(await untilGone(stdout.trim()), true);
  });

  it('is killed when it does not heed SIGTERM, and so is a child that does not', async () => {
    const start = performance.now();
    const { stdout, timedOut } = await sh('sh -c \'trap "" TERM; echo $$; while :; do sleep 1; done\' & wait', {
      timeoutMs: 300,
    });
    assert.equal(timedOut, true);
    assert.equal(await untilGone(stdout.trim()), true);
    const stubborn = await sh('trap "" TERM; echo up; while :; do sleep 1; done', { timeoutMs: 300 });
    assert.deepEqual([stubborn.signal, stubborn.timedOut, stubborn.stdout], ['SIGKILL', true, 'up\n']);
    assert.ok(performance.now() - start < 12_000);
  });

  it('is ended by the signal, too, and the caller gets his reason', async () => {
    const controller = new AbortController();
    const reason = new Error('interrupted');
    setTimeout(() => controller.abort(reason), 100);
    const start = performance.now();
    await assert.rejects(sh('sleep 30', { signal: controller.signal }), reason);
    assert.ok(performance.now() - start < 5000);
    await assert.rejects(sh('echo x', { signal: controller.signal }), reason);
  });

  it('and talks to our terminal is ended as well', async () => {
    const { timedOut, signal, stdout } = await sh('exec sleep 30', { timeoutMs: 200, inherit: true });
    assert.deepEqual([timedOut, signal, stdout], [true, 'SIGTERM', '']);
  });
});

describe('a program that inherits', () => {
  it('stays in our process group and captures nothing', async (t) => {
    const out = join(scratch(t), 'group');
    const { status, stdout } = await sh(`ps -o pgid= -p $$ > ${out}; exit 7`, { inherit: true });
    assert.deepEqual([status, stdout], [7, '']);
    const own = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ')[2];
    assert.equal(readFileSync(out, 'utf8').trim(), own);
  });
});
