import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Command, type CrashPoint, crashMatrix, type Fault, recordDurableCalls } from './crash-matrix.ts';
import { needs } from './needs.ts';
import { makeScratch, removeTree, scratch } from './scratch.ts';
import { parseStrace } from './strace-log.ts';

/** Replaces `a` and `b` one after the other, each by a new file that is renamed over it; clears leftovers first. */
const CAREFUL = `
import * as fs from 'node:fs';
process.chdir(process.argv[2]);
for (const name of ['a', 'b']) {
  fs.rmSync(name + '.new', { force: true });
  const fd = fs.openSync(name + '.new', 'wx');
  fs.writeSync(fd, 'new');
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  fs.renameSync(name + '.new', name);
}
const dir = fs.openSync('.', 'r');
fs.fsyncSync(dir);`;

/** The mistake to be found: between the two calls there is no \`a\`. */
const CARELESS = `
import * as fs from 'node:fs';
process.chdir(process.argv[2]);
fs.writeFileSync('a.new', 'new');
fs.rmSync('a');
fs.renameSync('a.new', 'a');`;

/** An optional dependency; asked for by name, since its types are of no interest here. */
const koffi = resolved('koffi');

function resolved(name: string): string | undefined {
  try {
    return import.meta.resolve(name);
  } catch {
    return undefined; // not installed: the test is skipped
  }
}

function subject(t: TestContext, program: string, fault?: Fault) {
  const script = join(scratch(t), 'script.mjs');
  writeFileSync(script, program);
  return {
    fault,
    prepare: async () => {
      const dir = makeScratch();
      for (const name of ['a', 'b']) writeFileSync(join(dir, name), 'old');
      return dir;
    },
    command: (dir: string): Command => ({ file: process.execPath, args: [script, dir] }),
    check: async (dir: string, at: CrashPoint) => {
      for (const name of ['a', 'b']) {
        const allowed = at.stage === 'hit' || program === CARELESS ? ['old', 'new'] : ['new'];
        assert.ok(existsSync(join(dir, name)), `${name} is missing`);
        assert.ok(allowed.includes(readFileSync(join(dir, name), 'utf8')), `${name} is torn`);
      }
      if (at.stage === 'again') assert.deepEqual(readdirSync(dir).sort(), ['a', 'b']);
    },
    dispose: removeTree,
  };
}

describe('the crash matrix', { skip: needs('strace') }, () => {
  it('kills a careful program once at each durable call, and finds nothing', async (t) => {
    const { kills, calls, children } = await crashMatrix(subject(t, CAREFUL));
    const sum = Object.values(calls).reduce((a, b) => a + b, 0);
    assert.equal(kills, sum);
    assert.deepEqual([calls['fsync'], calls['rename']], [3, 2]);
    assert.deepEqual(children, []);
  });

  it('finds the moment at which a careless program leaves nothing', async (t) => {
    await assert.rejects(crashMatrix(subject(t, CARELESS)), /killed at rename 1 of 1.*\(hit\): a is missing/s);
  });

  it('makes calls fail, and shows how the program ended', async (t) => {
    const matrix = subject(t, CAREFUL, 'ENOSPC');
    const statuses: (number | null)[] = [];
    await crashMatrix({
      ...matrix,
      only: ['fsync', 'rename'],
      check: async (dir, at) => {
        if (at.stage === 'hit') statuses.push(at.run.status);
        if (at.stage === 'hit') assert.match(at.run.stderr, /ENOSPC/);
        await matrix.check(dir, at);
      },
    });
    assert.deepEqual(statuses, [1, 1, 1, 1, 1]);
  });

  it('leaves child programs alone and reports them', async (t) => {
    const matrix = subject(
      t,
      `import { spawnSync } from 'node:child_process'; import * as fs from 'node:fs';
       process.chdir(process.argv[2]);
       for (const name of ['a', 'b']) { fs.writeFileSync(name + '.new', 'new'); fs.renameSync(name + '.new', name); }
       spawnSync('ln', ['-sfn', 'a', 'link']);
       fs.rmSync('link');`,
    );
    const { kills, children } = await crashMatrix(matrix);
    assert.equal(kills, 3);
    assert.match(children.join(), /\/ln symlink/);
  });

  it('does not count the two fsyncs at the end of a process that has loaded koffi', {
    skip: koffi === undefined,
  }, async (t) => {
    const { kills, calls } = await crashMatrix(subject(t, `import ${JSON.stringify(koffi)};\n${CAREFUL}`));
    assert.equal(calls['fsync'], 3);
    assert.equal(
      kills,
      Object.values(calls).reduce((a, b) => a + b, 0),
    );
  });

  it('refuses a program whose durable calls come from several threads', async (t) => {
    const matrix = subject(
      t,
      `import { rename, writeFile } from 'node:fs/promises';
       process.chdir(process.argv[2]);
       const move = async (n) => { await writeFile('x' + n, ''); await rename('x' + n, 'y' + n); };
       await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(move));`,
    );
    const dir = await matrix.prepare();
    t.after(() => removeTree(dir));
    await assert.rejects(recordDurableCalls(matrix.command(dir)), /threads/);
  });

  it('refuses a program that makes no durable call, and one that fails', async (t) => {
    const dir = scratch(t);
    const node = (code: string) => ({ file: process.execPath, args: ['-e', code], cwd: dir });
    await assert.rejects(recordDurableCalls(node('1')), /no durable call/);
    await assert.rejects(recordDurableCalls(node('process.exit(3)')), /has to succeed: status 3/);
  });

  it('works for promises on a pool of one thread', async (t) => {
    const matrix = subject(
      t,
      `import { rename, writeFile } from 'node:fs/promises';
       process.chdir(process.argv[2]);
       for (const name of ['a', 'b']) { await writeFile(name + '.new', 'new'); await rename(name + '.new', name); }`,
    );
    const command = (dir: string) => ({ ...matrix.command(dir), env: { UV_THREADPOOL_SIZE: '1' } });
    assert.deepEqual((await crashMatrix({ ...matrix, command })).calls, { rename: 2 });
  });
});

describe('a log of strace', () => {
  const LOG = `10 execve("/usr/bin/node", ["node"], 0x7 /* 3 vars */) = 0
10 clone3({flags=CLONE_VM|CLONE_THREAD, stack_size=1} => {parent_tid=[11]}, 88) = 11
11 rename("a) = 0", "b" <unfinished ...>
10 fork( <unfinished ...>
12 execve("/bin/mv", ["mv"], 0x7 /* 3 vars */) = 0
10 <... fork resumed>) = 12
11 <... rename resumed>) = 0
12 unlink("x") = -1 ENOENT (No such file or directory)
10 fsync(1</dev/null>) = -1 EINVAL (Invalid argument)
10 +++ exited with 0 +++
`;
  it('tells threads from children, and joins what was interrupted', () => {
    const { main, calls } = parseStrace(LOG);
    assert.equal(main, 10);
    const short = calls.filter(({ call }) => /rename|unlink/.test(call));
    assert.deepEqual(short, [
      { thread: 11, process: 10, program: '/usr/bin/node', call: 'rename', args: '"a) = 0", "b"', result: '0' },
      {
        thread: 12,
        process: 12,
        program: '/bin/mv',
        call: 'unlink',
        args: '"x"',
        result: '-1 ENOENT (No such file or directory)',
      },
    ]);
  });
});
