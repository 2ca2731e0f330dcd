/** A disk that is full while a repository is written to: nothing is lost, and with room it goes on. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type SmallDisk, withSmallDisk } from '../support/full-disk.ts';
import { needs } from '../support/needs.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { must, runNode } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';
import { assertNoLitter, assertSound, makeRepository, ostree, refsOf } from './ostree-place.ts';
import { bundled } from './ostree-program.ts';

const skip = needs('loop-mount', 'ostree', 'nginx', 'root');

const folder = makeScratch();
const tree = join(folder, 'tree');
const before = join(folder, 'before');
const server = join(folder, 'server');
let nginx: Nginx | undefined;
if (skip === false) {
  fs.mkdirSync(before);
  fs.writeFileSync(join(before, 'small'), 'small\n');
  fs.mkdirSync(join(tree, 'etc'), { recursive: true });
  for (let i = 0; i < 4; i++) fs.writeFileSync(join(tree, 'etc', `file-${i}`), randomBytes(50_000));
  await makeRepository(server, 'archive');
  await ostree(server, 'commit', '-b', 'main', before);
  await ostree(server, 'commit', '-b', 'main', tree);
  nginx = await startNginx({ root: server });
}
after(async () => {
  await nginx?.stop();
  removeTree(folder);
});

/** Blocks beside what the command leaves on the disk: it needs some more while it is at work. */
const STEPS = [-60, -40, -20, -8, -2, 4, 8, 12, 20, 30];

const COMMANDS: Readonly<Record<string, { readonly ref: string; readonly words: readonly string[] }>> = {
  commit: { ref: 'heads/main', words: ['commit', '-b', 'main', '--skip-if-unchanged', tree] },
  pull: { ref: 'remotes/origin/main', words: ['pull', 'origin', 'main'] },
};

/** How it ended: 0, or the code of its error. */
async function attempt(repo: string, [command = '', ...words]: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await runNode(await bundled(), [
    'repo',
    command,
    '--json',
    '--repo',
    repo,
    ...words,
  ]);
  if (status === 0) return '0';
  assert.equal(status, 1, stderr);
  return String((JSON.parse(stdout) as { code: unknown }).code);
}

async function prepare(disk: SmallDisk, minFree: number): Promise<string> {
  const repo = join(disk.path, 'repo');
  await makeRepository(repo, 'bare');
  await ostree(repo, 'config', 'set', 'core.min-free-space-percent', String(minFree));
  await ostree(repo, 'remote', 'add', '--no-gpg-verify', 'origin', nginx?.url ?? '');
  await ostree(repo, 'commit', '-b', 'main', before);
  await ostree(repo, 'refs', '--create=origin:main', 'main');
  return repo;
}

describe('a full disk', { skip, concurrency: 2 }, () => {
  for (const [name, { ref, words }] of Object.entries(COMMANDS)) {
    for (const [minFree, expected] of [
      [0, 'DISK_FULL'],
      [3, 'MIN_FREE_SPACE'],
    ] as const) {
      it(`is ${expected} for ${name} with ${minFree} percent in reserve: all of it or nothing`, async (t) => {
        const ends: string[] = [];
        await withSmallDisk({ sizeKiB: 8192 }, async (disk) => {
          const model = await prepare(disk, minFree);
          const { blocks, bfree, bavail, bsize: block } = fs.statfsSync(disk.path);
          // Of what root may use, ext4 keeps some back for itself; the reserve is counted with it.
          const reserve = Math.max(0, Math.ceil((blocks * minFree) / 100) - (bfree - bavail)) * block;
          let needed = 0;
          for (const step of [undefined, ...STEPS]) {
            const repo = join(disk.path, 'copy');
            fs.cpSync(model, repo, { recursive: true });
            const old = refsOf(repo)[ref];
            // Blocks are taken late and given back late: what is free is known after that.
            await must('sync', ['--file-system', disk.path]);
            const free = disk.free();
            if (step !== undefined) {
              await disk.fill(reserve + needed + step * block);
              const end = await attempt(repo, words);
              ends.push(`${step}:${end}`);
              assert.ok(['0', 'DISK_FULL', expected].includes(end), `${step}: ${end}`);
              assert.equal(refsOf(repo)[ref] === old, end !== '0', `${step}: ${end}`);
              await assertSound(repo);
              assertNoLitter(repo);
              await disk.release();
            }
            assert.equal(await attempt(repo, words), '0', 'it goes on when there is space again');
            assert.notEqual(refsOf(repo)[ref], old);
            await assertSound(repo);
            await must('sync', ['--file-system', disk.path]);
            needed ||= free - disk.free();
            fs.rmSync(repo, { recursive: true });
          }
        });
        t.diagnostic(`blocks beside the need, and how it ended: ${ends.join(' ')}`);
        assert.ok(ends.some((end) => end.endsWith(':0')) && ends.some((end) => end.endsWith(expected)), ends.join(' '));
      });
    }
  }
});
