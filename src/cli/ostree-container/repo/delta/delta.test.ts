import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../../../test/support/needs.ts';
import { unpackVector, VECTORS } from '../../../../../test/support/ostree-vectors.ts';
import { runNode } from '../../../../../test/support/program.ts';
import { scratch } from '../../../../../test/support/scratch.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'main.js');
const FROM = '3ffc4ab570a1809bc439d8202373cf2c10edc19bb4ec232d0003636c5f69578e';
const TO = '1901b54cb4b4187086a65caddd0fdac3f28414509bfedea2240cd7790dc26c3f';
const SIGNED = join(VECTORS, 'deltas/signed-ed25519.delta');
const keyFile = (name: string): string => join(VECTORS, 'keys', `ed25519-${name}`);

const needsXz = { skip: needs('xz') };

function commands(t: TestContext) {
  const repository = unpackVector(t, 'delta');
  const run = (...words: readonly string[]) =>
    runNode(MAIN, ['repo', 'delta', ...words], { env: { OSTREE_REPO: repository } });
  return { repository, run };
}

describe('repo delta', () => {
  it('lists what there is, under the words of the program ostree as well', async (t) => {
    const { run, repository } = commands(t);
    assert.equal((await run('list')).stdout, `${FROM}\n${FROM}-${TO}\n`);
    const words = ['repo', 'static-delta', 'list', '--json', '--repo', repository];
    assert.deepEqual(JSON.parse((await runNode(MAIN, words)).stdout), {
      schema: 'ostree-container.repo-delta-list/1',
      deltas: [
        { delta: FROM, from: null, to: FROM },
        { delta: `${FROM}-${TO}`, from: FROM, to: TO },
      ],
    });
    assert.equal((await run('indexes')).stdout, `${TO}\n${FROM}\n`);
  });

  it('deletes one by its name, and knows it no more', async (t) => {
    const { run } = commands(t);
    assert.equal((await run('delete', `${FROM}-${TO}`, '--dry-run')).status, 0);
    assert.equal((await run('delete', `${FROM}-${TO}`)).status, 0);
    assert.equal((await run('delete', `${FROM}-${TO}`)).status, 1);
    assert.equal((await run('show', `${FROM}-${TO}`)).status, 1);
    assert.equal((await run('list')).stdout, `${FROM}\n`);
    assert.equal((await run('reindex')).status, 0);
    assert.equal((await run('indexes')).stdout, `${FROM}\n`);
  });

  it('makes one from the parent when nothing is said, and not again if there is one', needsXz, async (t) => {
    const { run, repository } = commands(t);
    await run('delete', `${FROM}-${TO}`);
    const { stdout, status } = await run('generate', TO);
    assert.deepEqual([status, stdout], [0, `Generating static delta:\n  From: ${FROM}\n  To:   ${TO}\n`]);
    assert.equal((await run('generate', TO, '-n')).stdout, `Delta ${FROM}-${TO} already exists.\n`);
    const document = JSON.parse((await run('generate', TO, '--dry-run', '--json')).stdout);
    assert.deepEqual([document.created, document.dryRun, document.from, document.to], [true, true, FROM, TO]);
    assert.deepEqual(document.objects, { metadata: 3, rollsum: 2, bsdiff: 2, plain: 1, links: 1 });
    assert.equal(readFileSync(join(repository, document.path)).length, document.superblockSize);
  });

  it('signs a delta, and verifies and applies it with the right key only', needsXz, async (t) => {
    const { run } = commands(t);
    const file = join(scratch(t), 'x.delta');
    const words = ['--keys-file', keyFile('0.secret'), '--inline', '--filename', file];
    assert.equal((await run('generate', TO, ...words)).status, 0);
    for (const path of [file, SIGNED]) {
      const verified = await run('verify', '--keys-file', keyFile('0.public'), path);
      assert.deepEqual([verified.status, verified.stdout], [0, 'Verification OK\n']);
      const refused = await run('verify', '--keys-file', keyFile('1.public'), path);
      assert.deepEqual([refused.status, refused.stdout], [3, '']);
    }
    assert.equal((await run('apply-offline', '--keys-file', keyFile('1.public'), file)).status, 3);
    assert.equal((await run('apply-offline', '--keys-file', keyFile('0.public'), file)).status, 0);
  });

  it('refuses words that do not fit together', async (t) => {
    const { run, repository } = commands(t);
    for (const words of [
      ['generate'],
      ['generate', TO, '--to', TO],
      ['generate', TO, '--empty', '--from', FROM],
      ['generate', TO, '--set-endianness', 'x'],
      ['generate', TO, '--set-endianness', 'l', '--swap-endianness'],
      ['generate', TO, '--max-chunk-size', '1.5'],
      ['generate', TO, '--sign-type', 'dummy'],
      ['delete'],
      ['apply-offline'],
    ]) {
      assert.equal((await run(...words)).status, 2, words.join(' '));
    }
    assert.ok(existsSync(join(repository, 'deltas')));
  });
});
