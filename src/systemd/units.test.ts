import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { scratch } from '../../test/support/scratch.ts';
import { systemctl } from './units.ts';

const never = new AbortController().signal;

/** A `systemctl` of ours, first in PATH: it notes its arguments, one a line, and goes on as `script` says. */
function fakeSystemctl(t: TestContext, script: string): () => string[] {
  const root = scratch(t);
  const log = join(root, 'calls');
  writeFileSync(
    join(root, 'systemctl'),
    `#!/bin/sh\nfor word; do printf '%s\\n' "$word" >> ${log}; done\necho . >> ${log}\n${script}\n`,
    { mode: 0o755 },
  );
  usePath(t, `${root}:${process.env['PATH']}`);
  return () => (existsSync(log) ? readFileSync(log, 'utf8').split('.\n').slice(0, -1) : []);
}

function usePath(t: TestContext, path: string): void {
  const before = process.env['PATH'];
  process.env['PATH'] = path;
  t.after(() => {
    process.env['PATH'] = before;
  });
}

describe('restarting and reloading units', () => {
  it('is one call for all of them, in their order, as plain words', async (t) => {
    const calls = fakeSystemctl(t, 'exit 0');
    await systemctl(false).restart(['b.service', 'a.service', 'weird;name$(x).service'], never);
    await systemctl(false).reload(['nginx'], never);
    const units = 'b.service\na.service\nweird;name$(x).service\n';
    assert.deepEqual(calls(), [`restart\n--\n${units}`, 'reload\n--\nnginx\n']);
  });

  it("speaks to the caller's own manager when asked to", async (t) => {
    const calls = fakeSystemctl(t, 'exit 0');
    await systemctl(true).restart(['a.service'], never);
    assert.deepEqual(calls(), ['--user\nrestart\n--\na.service\n']);
  });

  it('forgets the failures of a unit that has used up its start limit, and restarts it after all', async (t) => {
    const hit = 'printf "Id=a.service\\nResult=start-limit-hit\\n"';
    const state = join(scratch(t), 'forgotten');
    const calls = fakeSystemctl(
      t,
      `case $1 in show) ${hit};; reset-failed) touch ${state};; restart) test -e ${state};; esac`,
    );
    await systemctl(false).restart(['a.service'], never);
    assert.deepEqual(
      calls().map((call) => call.split('\n')[0]),
      ['restart', 'show', 'reset-failed', 'restart'],
    );
  });

  it('that fails for another reason is tried once', async (t) => {
    const calls = fakeSystemctl(t, 'case $1 in show) printf "Id=a.service\\nResult=exit-code\\n";; *) exit 1;; esac');
    await assert.rejects(systemctl(false).restart(['a.service'], never), { code: 'SYSTEMCTL_FAILED' });
    assert.equal(calls().filter((call) => call.startsWith('restart')).length, 1);
  });

  it('that fails is an error with what systemctl said, on one line, and a hint that shows more', async (t) => {
    fakeSystemctl(t, 'echo "Job for a.service failed." >&2; echo "  See   \\"journalctl\\"" >&2; exit 1');
    await assert.rejects(systemctl(false).restart(['a.service', 'b.service'], never), {
      name: 'CodedError',
      code: 'SYSTEMCTL_FAILED',
      message: 'systemctl restart a.service b.service: Job for a.service failed.; See "journalctl"',
      hint: 'see "systemctl status a.service b.service"',
      subject: 'a.service b.service',
    });
  });

  it('that fails for the own manager names that one in the hint', async (t) => {
    fakeSystemctl(t, 'exit 1');
    await assert.rejects(systemctl(true).reload(['a.service'], never), {
      code: 'SYSTEMCTL_FAILED',
      hint: 'see "systemctl --user status a.service"',
    });
  });

  it('that fails without a word is an error with the status', async (t) => {
    fakeSystemctl(t, 'exit 5');
    await assert.rejects(systemctl(false).reload(['a.service'], never), {
      code: 'SYSTEMCTL_FAILED',
      message: 'systemctl reload a.service: status 5',
    });
  });

  it('cannot bring control characters of a unit into our error', async (t) => {
    fakeSystemctl(t, 'printf "\\033[2Jgone\\n" >&2; exit 1');
    await assert.rejects(systemctl(false).restart(['a.service'], never), (error: Error) => {
      return error.message.includes('\\u{1b}[2Jgone') && !error.message.includes('\x1b');
    });
  });

  it('without systemctl on the machine is an error of its own', async (t) => {
    usePath(t, scratch(t));
    await assert.rejects(systemctl(false).restart(['a.service'], never), { code: 'PROGRAM_MISSING' });
  });

  it('is broken off by the signal, with its reason, and systemctl ends', async (t) => {
    const root = scratch(t);
    const calls = fakeSystemctl(t, `sleep 60\ntouch ${root}/survived`);
    const controller = new AbortController();
    const reason = new Error('enough');
    const restarted = systemctl(false).restart(['a.service'], controller.signal);
    while (calls().length === 0) await delay(5);
    controller.abort(reason);
    await assert.rejects(restarted, reason);
    assert.ok(!existsSync(join(root, 'survived')));
  });

  it('is not even begun when the signal has come', async (t) => {
    const calls = fakeSystemctl(t, 'exit 0');
    const reason = new Error('enough');
    await assert.rejects(systemctl(false).restart(['a.service'], AbortSignal.abort(reason)), reason);
    assert.deepEqual(calls(), []);
  });
});

describe('looking at units', () => {
  const BLOCK = (id: string, more = ''): string =>
    `Type=notify\\nResult=success\\nNRestarts=2\\nId=${id}\\nLoadState=loaded\\nActiveState=active\\nSubState=running\\nInvocationID=0a1b\\n${more}`;

  it('asks for named properties of all of them in one call', async (t) => {
    const calls = fakeSystemctl(t, `printf '${BLOCK('a.service')}\\n${BLOCK('b.service')}'`);
    await systemctl(false).show(['a.service', 'b.service'], never);
    const [call = ''] = calls();
    const words = call.trimEnd().split('\n');
    assert.deepEqual([words[0], ...words.slice(2)], ['show', '--', 'a.service', 'b.service']);
    const properties = words[1]?.replace('--property=', '').split(',');
    for (const name of ['LoadState', 'ActiveState', 'SubState', 'Result', 'Type', 'InvocationID', 'NRestarts']) {
      assert.ok(properties?.includes(name), name);
    }
  });

  it('gives what it says about each, in the order asked and under the names asked', async (t) => {
    const failed =
      'Type=simple\\nResult=exit-code\\nNRestarts=0\\nId=b.service\\nLoadState=loaded\\nActiveState=failed\\nSubState=failed\\nInvocationID=\\n';
    fakeSystemctl(t, `printf '${BLOCK('a.service')}\\n${failed}'`);
    assert.deepEqual(await systemctl(false).show(['a', 'b'], never), [
      {
        unit: 'a',
        loadState: 'loaded',
        activeState: 'active',
        subState: 'running',
        result: 'success',
        type: 'notify',
        invocation: '0a1b',
        restarts: 2,
      },
      {
        unit: 'b',
        loadState: 'loaded',
        activeState: 'failed',
        subState: 'failed',
        result: 'exit-code',
        type: 'simple',
        invocation: '',
        restarts: 0,
      },
    ]);
  });

  it('counts no restarts of a unit that has no such property', async (t) => {
    fakeSystemctl(t, "printf 'Id=a.mount\\nActiveState=active\\nLoadState=loaded\\n'");
    const [status] = await systemctl(false).show(['a.mount'], never);
    assert.deepEqual([status?.restarts, status?.type, status?.activeState], [0, '', 'active']);
  });

  it('takes everything after the first equals sign for the value', async (t) => {
    fakeSystemctl(t, "printf 'SubState=a=b\\n'");
    assert.equal((await systemctl(false).show(['a.service'], never))[0]?.subState, 'a=b');
  });

  it('of which systemctl says nothing gives empty states, which are not active', async (t) => {
    fakeSystemctl(t, 'exit 0');
    const found = await systemctl(false).show(['a.service', 'b.service'], never);
    assert.deepEqual(
      found.map(({ unit, activeState, loadState }) => [unit, activeState, loadState]),
      [
        ['a.service', '', ''],
        ['b.service', '', ''],
      ],
    );
  });

  it('that fails is an error', async (t) => {
    fakeSystemctl(t, 'echo "Failed to connect to bus: No medium found" >&2; exit 1');
    await assert.rejects(systemctl(true).show(['a.service'], never), {
      code: 'SYSTEMCTL_FAILED',
      message: 'systemctl show a.service: Failed to connect to bus: No medium found',
    });
  });
});
