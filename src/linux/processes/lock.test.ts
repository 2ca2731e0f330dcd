import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratch } from '../../../test/support/scratch.ts';
import { systemCalls } from '../calls/ffi.ts';
import { type Directory, openDirectory } from '../files/directory.ts';
import { lockFile, ofdLock, ofdUnlock } from './lock.ts';

const calls = systemCalls();
const never = new AbortController().signal;

function setUp(t: TestContext): { path: string; directory: Directory } {
  const path = scratch(t);
  const directory = openDirectory(path);
  t.after(() => directory.close());
  return { path, directory };
}

const programCanLock = (path: string) => spawnSync('flock', ['-n', path, 'true']).status === 0;

/** A child that has printed something; it is killed with the test. */
async function started(t: TestContext, file: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child;
}
const ended = (child: ChildProcess) => new Promise((resolve) => child.once('close', resolve));

describe('a lock file', () => {
  it('is made with mode 0600, and an existing one gets it', async (t) => {
    const { path, directory } = setUp(t);
    for (const leave of [() => undefined, () => fs.chmodSync(join(path, 'lock'), 0o644)]) {
      leave();
      (await lockFile(directory, 'lock', { timeoutMs: 0, signal: never })).release();
      assert.equal(fs.statSync(join(path, 'lock')).mode & 0o7777, 0o600);
    }
  });

  it('keeps the flock program out until it is released', async (t) => {
    const { path, directory } = setUp(t);
    const lock = await lockFile(directory, 'lock', { timeoutMs: 0, signal: never });
    assert.equal(programCanLock(join(path, 'lock')), false);
    lock.release();
    lock.release();
    assert.equal(programCanLock(join(path, 'lock')), true);
  });

  it('held by the flock program is waited for, which is said once', async (t) => {
    const { path, directory } = setUp(t);
    const holder = await started(t, 'flock', [join(path, 'lock'), 'sh', '-c', 'echo held; read -r _']);
    let said = 0;
    const onWait = () => {
      said++;
      setTimeout(() => holder.stdin?.end('\n'), 150);
    };
    const lock = await lockFile(directory, 'lock', { timeoutMs: 10_000, signal: never, onWait });
    assert.equal(said, 1);
    assert.equal(programCanLock(join(path, 'lock')), false);
    lock.release();
  });

  it('that stays held is LOCK_TIMEOUT; with no time to wait nothing is said', async (t) => {
    const { path, directory } = setUp(t);
    const lock = await lockFile(directory, 'lock', { timeoutMs: 0, signal: never });
    let said = 0;
    for (const timeoutMs of [0, 60]) {
      const second = lockFile(directory, 'lock', { timeoutMs, signal: never, onWait: () => said++ });
      await assert.rejects(second, { code: 'LOCK_TIMEOUT', subject: join(path, 'lock') });
    }
    assert.equal(said, 1);
    lock.release();
  });

  it('is given up on abort, with the caller’s reason and no open descriptor', async (t) => {
    const { directory } = setUp(t);
    const lock = await lockFile(directory, 'lock', { timeoutMs: 0, signal: never });
    const open = () => fs.readdirSync('/proc/self/fd').length;
    const before = open();
    const controller = new AbortController();
    const reason = new Error('interrupted');
    const onWait = () => controller.abort(reason);
    const wait = { timeoutMs: 60_000, signal: controller.signal, onWait };
    await assert.rejects(lockFile(directory, 'lock', wait), reason);
    await assert.rejects(lockFile(directory, 'other', wait), reason);
    assert.equal(directory.lstat('other'), undefined);
    assert.equal(open(), before);
    lock.release();
  });

  it('is free again when its holder was killed', async (t) => {
    const { path, directory } = setUp(t);
    const script = `import(${JSON.stringify(new URL('./lock.js', import.meta.url))}).then(async ({ lockFile }) => {
      const { openDirectory } = await import(${JSON.stringify(new URL('../files/directory.js', import.meta.url))});
      await lockFile(openDirectory(process.argv[1]), 'lock', { timeoutMs: 0, signal: new AbortController().signal });
      console.log('held');
      setInterval(() => {}, 1000);
    })`;
    const holder = await started(t, process.execPath, [...process.execArgv.filter(isPreload), '-e', script, path]);
    assert.equal(programCanLock(join(path, 'lock')), false);
    holder.kill('SIGKILL');
    await ended(holder);
    (await lockFile(directory, 'lock', { timeoutMs: 1000, signal: never })).release();
  });

  it('that was removed while it was held does not let two in', async (t) => {
    const { path, directory } = setUp(t);
    const old = await lockFile(directory, 'lock', { timeoutMs: 0, signal: never });
    const onWait = () => {
      fs.unlinkSync(join(path, 'lock'));
      old.release();
    };
    const lock = await lockFile(directory, 'lock', { timeoutMs: 5000, signal: never, onWait });
    assert.equal(programCanLock(join(path, 'lock')), false); // it is the file of that name that is locked
    lock.release();
  });

  it('is no link, FIFO or directory', async (t) => {
    const { path, directory } = setUp(t);
    fs.writeFileSync(join(path, 'victim'), '', { mode: 0o644 });
    fs.symlinkSync('victim', join(path, 'link'));
    fs.mkdirSync(join(path, 'dir'));
    spawnSync('mkfifo', [join(path, 'fifo')]);
    for (const name of ['link', 'dir', 'fifo']) {
      const lock = lockFile(directory, name, { timeoutMs: 0, signal: never });
      await assert.rejects(lock, { code: 'NOT_A_REGULAR_FILE', subject: join(path, name) });
    }
    assert.equal(fs.statSync(join(path, 'victim')).mode & 0o777, 0o644);
  });
});

/** The options that make this very run one with or without koffi; they come in pairs or joined by `=`. */
function isPreload(argument: string, index: number, all: readonly string[]): boolean {
  const isOption = (text: string | undefined) => text !== undefined && /^(--require|-r|--import)(=|$)/.test(text);
  return isOption(argument) || (isOption(all[index - 1]) && !all[index - 1]?.includes('='));
}

if (calls === undefined) {
  describe('an open file description lock without koffi', () => {
    it('is NO_OFD_LOCKS, with a hint', async (t) => {
      const fd = fs.openSync(join(scratch(t), 'l'), 'w');
      const lock = ofdLock(fd, 'exclusive', { timeoutMs: 0, signal: never, path: 'l' });
      await assert.rejects(
        lock,
        (error) => error instanceof Error && 'hint' in error && /koffi/.test(String(error.hint)),
      );
      assert.throws(() => ofdUnlock(fd), { code: 'NO_OFD_LOCKS' });
      fs.closeSync(fd);
    });
  });
} else {
  describe('an open file description lock', () => {
    const pair = (t: TestContext) => {
      const path = join(scratch(t), 'l');
      const [a, b] = [fs.openSync(path, 'w+'), fs.openSync(path, 'r+')];
      t.after(() => {
        for (const fd of [a, b]) fs.closeSync(fd);
      });
      return { path, a, b };
    };
    const once = (path: string) => ({ timeoutMs: 0, signal: never, path });

    it('is shared by readers, and excludes through another descriptor of the same process', async (t) => {
      const { path, a, b } = pair(t);
      await ofdLock(a, 'shared', once(path));
      await ofdLock(b, 'shared', once(path));
      await assert.rejects(ofdLock(b, 'exclusive', once(path)), { code: 'LOCK_TIMEOUT', subject: path });
      assert.deepEqual([calls.ofdLockIsFree(b, 'exclusive'), calls.ofdLockIsFree(b, 'shared')], [false, true]);
      ofdUnlock(a);
      await ofdLock(b, 'exclusive', once(path));
      await assert.rejects(ofdLock(a, 'shared', once(path)), { code: 'LOCK_TIMEOUT' });
    });

    it('excludes other processes, and is waited for', async (t) => {
      const { path, a } = pair(t);
      const script = fileURLToPath(new URL('../calls/ffi.js', import.meta.url));
      const child = await started(t, process.execPath, [
        '-e',
        `import(${JSON.stringify(script)}).then(({ systemCalls }) => {
          const fd = fs.openSync(process.argv[1], 'r+');
          console.log(systemCalls().ofdLock(fd, 'exclusive') ? 'held' : 'refused');
          process.stdin.once('data', () => process.exit());
        })`,
        path,
      ]);
      const onWait = () => setTimeout(() => child.stdin?.end('\n'), 100);
      await ofdLock(a, 'exclusive', { timeoutMs: 10_000, signal: never, path, onWait });
      assert.equal(calls.ofdLockIsFree(a, 'exclusive'), true); // one’s own lock is in nobody’s own way
    });

    it('does not hinder flock, nor flock it', async (t) => {
      const { path, a } = pair(t);
      await ofdLock(a, 'exclusive', once(path));
      assert.equal(programCanLock(path), true);
    });
  });
}
