/** Streams of the size of an operating system, and larger. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../support/needs.ts';
import { must, OSTREE_CONTAINER } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

const peers = { skip: needs('ostree', 'tar', 'time', 'root') };
const LONG = { timeoutMs: 900_000 };
const MiB = 2 ** 20;

async function committed(t: TestContext, make: (tree: string) => void, mode = 'bare') {
  const folder = scratch(t);
  const [repo, tree] = [join(folder, 'repo'), join(folder, 'tree')];
  fs.mkdirSync(tree);
  make(tree);
  await must('ostree', ['init', `--repo=${repo}`, `--mode=${mode}`]);
  await must('ostree', ['commit', `--repo=${repo}`, '-b', 'main', '--consume', tree], LONG);
  return { folder, repo };
}

/** @returns the largest resident size in bytes */
async function measured(folder: string, ...words: readonly string[]): Promise<number> {
  const log = join(folder, 'memory');
  await must('time', ['-f', '%M', '-o', log, process.execPath, OSTREE_CONTAINER, ...words], LONG);
  return Number(fs.readFileSync(log, 'latin1')) * 1024;
}

/** Out and in again. @returns the memory of both */
async function there(folder: string, repo: string, mode: string) {
  const [file, target] = [join(folder, 'x.tar'), join(folder, 'target')];
  const exporting = await measured(folder, 'tar', 'export', '--repo', repo, '-o', file, 'main');
  await must('ostree', ['init', `--repo=${target}`, `--mode=${mode}`]);
  const importing = await measured(folder, 'tar', 'import', '--repo', target, '--write-ref', 'main', file);
  await must('ostree', ['fsck', '--quiet', `--repo=${target}`], LONG);
  const revision = async (at: string) => (await must('ostree', ['rev-parse', `--repo=${at}`, 'main'])).stdout;
  assert.equal(await revision(target), await revision(repo));
  return { exporting, importing, file };
}

describe('a stream', () => {
  it('of a file of 1 GiB is written and read with less than 200 MB of memory', peers, async (t) => {
    const { folder, repo } = await committed(t, (tree) => {
      const fd = fs.openSync(join(tree, 'large'), 'w');
      for (let i = 0; i < 1024; i++) fs.writeSync(fd, Buffer.alloc(MiB, `part ${i} `));
      fs.closeSync(fd);
    });
    const { exporting, importing, file } = await there(folder, repo, 'bare');
    assert.ok(fs.statSync(file).size > 1024 * MiB);
    t.diagnostic(`export ${Math.round(exporting / MiB)} MiB, import ${Math.round(importing / MiB)} MiB`);
    assert.ok(exporting < 200e6 && importing < 200e6, `${exporting}, ${importing}`);
  });

  it('of 50 000 files is written and read, and unpacked by tar into a sound repository', peers, async (t) => {
    const { folder, repo } = await committed(t, (tree) => {
      for (let i = 0; i < 50_000; i++) {
        if (i % 500 === 0) fs.mkdirSync(join(tree, `d${i / 500}`));
        fs.writeFileSync(join(tree, `d${Math.floor(i / 500)}/f${i}`), `content of file ${i}\n`);
      }
    });
    const { exporting, importing, file } = await there(folder, repo, 'bare');
    t.diagnostic(`export ${Math.round(exporting / MiB)} MiB, import ${Math.round(importing / MiB)} MiB`);
    assert.ok(exporting < 400 * MiB && importing < 600 * MiB, `${exporting}, ${importing}`);
    const root = join(folder, 'root');
    fs.mkdirSync(root);
    await must('tar', ['--numeric-owner', '-xpf', file, '-C', root], LONG);
    await must('ostree', ['fsck', '--quiet', `--repo=${join(root, 'sysroot/ostree/repo')}`], LONG);
  });
});
