import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { must, run, runNode, start, startNode } from './program.ts';
import { scratch } from './scratch.ts';

describe('a program run by a test', () => {
  it('gives its status, both outputs and gets its input', async () => {
    const ended = await run('sh', ['-c', 'cat; echo problem >&2; exit 3'], { input: 'given' });
    assert.deepEqual([ended.status, ended.signal, ended.stdout, ended.stderr], [3, null, 'given', 'problem\n']);
  });
  it('sees nothing of the environment of the tests', async () => {
    const { stdout } = await run('env', [], { env: { EXTRA: '1', HOME: undefined } });
    const names = stdout.split('\n').map((line) => line.split('=')[0]);
    for (const name of [
      'CI',
      'JOURNAL_STREAM',
      'HTTPS_PROXY',
      'https_proxy',
      'NODE_OPTIONS',
      'NODE_TEST_CONTEXT',
      'HOME',
    ])
      assert.ok(!names.includes(name), name);
    assert.ok(names.includes('PATH') && names.includes('EXTRA'));
  });
  it('runs under a prefix, with options for node', async (t) => {
    const script = join(scratch(t), 'script.mjs');
    writeFileSync(script, 'console.log(process.execArgv[0], process.argv[2], process.env.UNDER)');
    const { stdout } = await runNode(script, ['word'], { node: ['--no-warnings'], prefix: ['env', 'UNDER=env'] });
    assert.equal(stdout, '--no-warnings word env\n');
  });
  it('is killed with its children when its time is over', async () => {
    const before = Date.now();
    await assert.rejects(run('sh', ['-c', 'echo begun; sleep 30; echo never'], { timeoutMs: 200 }), /200 ms.*begun/s);
    assert.ok(Date.now() - before < 10_000);
  });
  it('can be waited for and killed in the middle', async (t) => {
    const script = join(scratch(t), 'server.mjs');
    writeFileSync(script, "console.log('ready'); setInterval(() => {}, 1000)");
    const running = startNode(script, []);
    await running.says('ready');
    running.kill();
    assert.equal((await running.done).signal, 'SIGKILL');
  });
  it('that ends without saying what is waited for fails the wait', async () => {
    const running = start('sh', ['-c', 'echo something else']);
    await assert.rejects(running.says('ready'), /something else/);
    await delay(20);
    await assert.rejects(running.says('still not'), /something else/);
  });
  it('that does not exist, or has to succeed and does not, is an error', async () => {
    await assert.rejects(run('/nonexistent/program', []), /cannot be started/);
    await assert.rejects(must('sh', ['-c', 'echo why >&2; exit 4']), /status 4: why/);
  });
});
