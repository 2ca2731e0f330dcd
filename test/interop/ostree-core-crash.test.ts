/** Transactions of ours: the order of their system calls, and what killed ones leave to us and to `ostree`. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FsckFound, fsckObjects } from '../../src/ostree/jobs/fsck-objects.ts';
import { parseObjectName } from '../../src/ostree/objects/object-type.ts';
import type { RepositoryMode } from '../../src/ostree/repository/config.ts';
import { createRepository, openRepository } from '../../src/ostree/repository/repository.ts';
import { objectsOf } from '../../src/ostree/storage/object-reader.ts';
import { needs } from '../support/needs.ts';
import { must, runNode, startNode } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { parseStrace } from '../support/strace-log.ts';

const CHILD = join(import.meta.dirname, 'ostree-core-child.js');

function newRepository(t: TestContext, config: string, mode: RepositoryMode = 'archive'): string {
  const path = join(scratch(t), 'repo');
  createRepository(path, { mode });
  appendFileSync(join(path, 'config'), config);
  return path;
}

/** Everything that lies in `objects`, whether a commit needs it or not. */
async function brokenObjects(path: string): Promise<readonly FsckFound[]> {
  const repository = openRepository(path);
  try {
    const folder = join(path, 'objects');
    const objects = readdirSync(folder).flatMap((fanout) =>
      readdirSync(join(folder, fanout)).flatMap((name) => {
        const found = parseObjectName(fanout, name);
        return found === undefined ? [] : [{ checksum: found.checksum, type: found.type as 'file' }];
      }),
    );
    assert.ok(objects.length > 0);
    return (await fsckObjects({ reader: objectsOf(repository), writer: undefined }, { objects })).found;
  } finally {
    repository.close();
  }
}

const stagingIn = (path: string): string[] =>
  readdirSync(join(path, 'tmp')).filter((name) => name.startsWith('staging'));

const TRACED = 'rename,renameat,renameat2,unlink,unlinkat,rmdir,fsync,fdatasync,syncfs,execve,clone,clone3,fork,vfork';

/** Of an object in the staging directory, below its two digits or not yet. */
const IS_STAGED = /^f(data)?sync\([0-9]+<[^>]*\/staging-[^/>]*\/([0-9a-f]{2}\/|\.new-)/;

/** The calls of one commit of ours, with the paths of descriptors. */
async function traced(t: TestContext, path: string): Promise<string[]> {
  const log = join(scratch(t), 'log');
  const prefix = ['strace', '-f', '-y', '-qq', '-o', log, '-e', `trace=${TRACED}`];
  const { status, stderr } = await runNode(CHILD, ['commit', path, 'main', '1', '3', '1'], { prefix });
  assert.equal(status, 0, stderr);
  const { calls } = parseStrace(readFileSync(log, 'utf8'));
  const atTheEnd = /^f(data)?sync\([12]</; // koffi flushes stdout and stderr
  return calls.map(({ call, args }) => `${call}(${args})`).filter((text) => !atTheEnd.test(text));
}

describe('the system calls of a transaction', { skip: needs('strace') }, () => {
  it('flush once before the first rename, the directories after the last, and write refs at the end', async (t) => {
    const path = newRepository(t, 'min-free-space-percent=0\n');
    const calls = await traced(t, path);
    const all = (pattern: RegExp): number[] => calls.flatMap((call, i) => (pattern.test(call) ? [i] : []));
    const shown = calls.join('\n');
    const object = (endings: string): RegExp => new RegExp(`^rename[^,]*,[^,]*/objects/[0-9a-f]{2}${endings}"`);
    const fanouts = all(/^fsync\([0-9]+<[^>]*\/objects\/[0-9a-f]{2}>/);
    const last = fanouts.pop() ?? -1;
    const [objects = -1, objectsAgain = -1] = all(/^fsync\([0-9]+<[^>]*\/objects>/);
    const steps = [
      all(/^syncfs\(/),
      all(object('(/[0-9a-f]{62}\\.(filez|dirtree|dirmeta))?')),
      fanouts,
      [objects],
      all(object('/[0-9a-f]{62}\\.commit')),
      [last],
      [objectsAgain],
      all(/^rename[^,]*,[^,]*\/main"/),
      all(/^unlink\("[^"]*\.commitpartial/).slice(-1),
    ];
    assert.deepEqual(
      [steps[0], steps[1], steps[4], steps[7], steps[8]].map((step) => step?.length),
      [1, 5, 1, 1, 1],
      shown,
    );
    assert.ok(fanouts.length >= 2 && fanouts.length <= 6, shown);
    const order = steps.flat();
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
      shown,
    );
    const others = all(IS_STAGED);
    assert.deepEqual(others, [], 'no object is flushed by itself');
  });

  it('flush every object when the config says so', async (t) => {
    const calls = await traced(t, newRepository(t, 'per-object-fsync=true\n'));
    assert.equal(calls.filter((call) => IS_STAGED.test(call)).length, 6);
  });

  it('flush nothing with fsync=false, but for the mark that a commit is partial', async (t) => {
    const calls = await traced(t, newRepository(t, 'fsync=false\n'));
    const flushes = calls.filter((call) => /^(syncfs|f(data)?sync)\(/.test(call));
    const others = flushes.filter((call) => !/\/state>|\/staging-[^/>]*(\/\.new)?>/.test(call));
    assert.deepEqual(others, []);
    assert.ok(flushes.length <= 3, flushes.join('\n'));
  });
});

describe('what a killed run of ours left', () => {
  for (const mode of ['archive', 'bare-user'] satisfies RepositoryMode[]) {
    it(`in ${mode} is taken over by ostree, whole objects only`, { skip: needs('ostree') }, async (t) => {
      const path = newRepository(t, 'fsync=false\nmin-free-space-percent=0\n', mode);
      const tree = join(scratch(t), 'tree');
      mkdirSync(tree);
      let leftovers = 0;
      for (let round = 0; round < 4; round++) {
        const running = startNode(CHILD, ['commit', path, 'never', `${round}`, '200000', '8']);
        await running.says(`wrote ${100 * (round + 1)}`);
        await sleep(Math.random() * 20);
        running.kill();
        await running.done;
        assert.equal(stagingIn(path).length, 2, 'a directory and its lock');
        leftovers++;
        if (round % 2 === 0) continue; // the next of ours takes it over first
        writeFileSync(join(tree, `f${round}`), `content ${round}`);
        await must('ostree', [`--repo=${path}`, 'commit', '-b', 'theirs', tree]);
        assert.deepEqual(stagingIn(path), []);
        assert.deepEqual(await brokenObjects(path), []);
      }
      assert.equal(leftovers, 4);
      assert.equal(existsSync(join(path, 'refs/heads/never')), false);
      assert.match((await must('ostree', [`--repo=${path}`, 'fsck'])).stdout, /no errors found/);
    });
  }

  it('is what the next run of ours goes on with', async (t) => {
    const path = newRepository(t, 'fsync=false\nmin-free-space-percent=0\n');
    const running = startNode(CHILD, ['commit', path, 'main', '1', '1000', '64']);
    await running.says('wrote 500');
    running.kill();
    await running.done;
    const staging = stagingIn(path)[0] ?? '';
    const staged = readdirSync(join(path, 'tmp', staging), { recursive: true, encoding: 'utf8' });
    assert.ok(staged.filter((name) => name.endsWith('.filez')).length >= 500);
    assert.equal((await runNode(CHILD, ['commit', path, 'main', '1', '1000', '64'])).status, 0);
    assert.deepEqual(readdirSync(join(path, 'tmp')), []);
    assert.deepEqual(await brokenObjects(path), []);
  });

  it('and what ostree left, is taken over the other way around', { skip: needs('ostree', 'strace') }, async (t) => {
    const path = newRepository(t, 'min-free-space-percent=0\n', 'bare-user');
    const tree = join(scratch(t), 'tree');
    mkdirSync(tree);
    for (let i = 0; i < 20; i++) writeFileSync(join(tree, `f${i}`), `content ${i}`);
    const kill = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'inject=syncfs:signal=KILL:when=1'];
    const commit = [`--repo=${path}`, 'commit', '-b', 'theirs', tree];
    await assert.rejects(must('ostree', commit, { prefix: kill }));
    assert.ok(stagingIn(path).length > 0);
    assert.equal((await runNode(CHILD, ['commit', path, 'ours', '1', '5', '1'])).status, 0);
    assert.deepEqual(stagingIn(path), []);
    assert.deepEqual(await brokenObjects(path), []);
    const objects = readdirSync(join(path, 'objects'), { recursive: true, encoding: 'utf8' });
    assert.ok(objects.filter((name) => name.endsWith('.file')).length >= 25, 'theirs were whole, too');
    await must('ostree', commit);
    assert.match((await must('ostree', [`--repo=${path}`, 'fsck'])).stdout, /no errors found/);
  });
});
