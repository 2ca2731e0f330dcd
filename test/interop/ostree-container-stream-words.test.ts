/** `tar export` and `tar import` with whose signatures count, and with standard output of every kind. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../support/needs.ts';
import { unpackVector, VECTORS, vectorManifest } from '../support/ostree-vectors.ts';
import { must, OSTREE_CONTAINER, run, runOstreeContainer, startOstreeContainer } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { committed, makeTree, ours } from './stream-place.ts';

const peers = { skip: needs('ostree', 'root', 'python3') };

describe('signatures of an imported stream', () => {
  const { refs } = vectorManifest().signed;
  const key = (name: string): string => join(VECTORS, 'keys', name);

  async function signedPlace(t: TestContext) {
    const folder = scratch(t);
    const source = unpackVector(t, 'signed');
    const target = join(folder, 'target');
    await must('ostree', ['init', `--repo=${target}`, '--mode=archive']);
    const remote = ['remote', 'add', `--repo=${target}`, `--gpg-import=${key('gpg-0.pub.gpg')}`];
    await must('ostree', [...remote, 'origin', 'https://example.com/repo']);
    const importOf = async (ref: string, ...words: readonly string[]) => {
      const { bytes } = await ours('tar', 'export', '--repo', source, ref);
      return runOstreeContainer(['tar', 'import', '--repo', target, '--json', ...words], { input: bytes });
    };
    return { target, importOf };
  }

  it('are held against the keys of a remote, or of a keyring', peers, async (t) => {
    const { target, importOf } = await signedPlace(t);
    const words = ['--remote', 'origin', '--write-ref', 'origin:main'];
    const ended = await importOf('gpg-rsa', ...words);
    assert.equal(ended.status, 0, ended.stderr);
    const { verified, signatures } = JSON.parse(ended.stdout);
    assert.deepEqual([verified, signatures.length], [true, 1]);
    assert.match(ended.stderr, /gpg signature by/);
    const shown = await must('ostree', ['show', `--repo=${target}`, '--gpg-verify-remote=origin', 'origin:main']);
    assert.match(shown.stdout, /Good signature/);
    assert.equal((await importOf('gpg-ed25519', '--gpg-keyring', key('gpg-1.pub.gpg'))).status, 0);
  });

  for (const [ref, remote, status, code] of [
    ['unsigned', 'origin', 3, 'COMMITMETA_MISSING'],
    ['ed25519-one', 'origin', 3, 'SIGNATURE_MISSING'],
    ['gpg-untrusted', 'origin', 3, 'SIGNATURE_KEY_MISSING'],
    ['forged', 'origin', 3, 'SIGNATURE_INVALID'],
    ['gpg-rsa', 'nowhere', 1, 'REMOTE_UNKNOWN'],
  ] as const) {
    it(`refuse ${ref} for the remote ${remote} with ${code}`, peers, async (t) => {
      const { target, importOf } = await signedPlace(t);
      const ended = await importOf(ref, '--remote', remote);
      assert.deepEqual([ended.status, JSON.parse(ended.stdout).code], [status, code], ended.stderr);
      const objects = fs.readdirSync(join(target, 'objects'), { recursive: true, encoding: 'utf8' });
      assert.deepEqual(
        objects.filter((name) => name.includes('.')),
        [],
      );
    });
  }

  it('are not asked for without an option, and that is said', peers, async (t) => {
    const { importOf } = await signedPlace(t);
    const ended = await importOf('forged');
    assert.equal(ended.status, 0, ended.stderr);
    assert.equal(JSON.parse(ended.stdout).commit, refs['forged']);
    assert.match(ended.stderr, /signatures were not checked/);
  });
});

describe('standard output of an export', () => {
  it('may be left by its reader', peers, async (t) => {
    const { repo } = await committed(t, makeTree(t));
    const { child, done } = startOstreeContainer(['tar', 'export', '--repo', repo, 'main']);
    child.stdout?.once('data', () => child.stdout?.destroy());
    const { status, stderr } = await done;
    assert.deepEqual([status, stderr], [0, '']);
  });

  it('fails when it cannot be written, and says so once', peers, async (t) => {
    const { repo } = await committed(t, makeTree(t));
    const line = `exec "$0" "$1" tar export --repo "$2" main > /dev/full`;
    const { status, stderr } = await run('bash', ['-c', line, process.execPath, OSTREE_CONTAINER, repo]);
    assert.equal(status, 1);
    assert.match(stderr, /^ostree-container: standard output: ENOSPC[^\n]*\n$/);
  });

  it('is no terminal, and no JSON document', peers, async (t) => {
    const { folder, repo } = await committed(t, makeTree(t));
    const pty = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
    const words = [process.execPath, OSTREE_CONTAINER, 'tar', 'export', '--repo', repo, 'main'];
    const onTerminal = await run('python3', ['-c', pty, ...words]);
    assert.equal(onTerminal.status, 2, onTerminal.stdout);
    assert.match(onTerminal.stdout, /not for a terminal/);
    const noInput = await run('python3', ['-c', pty, ...words.slice(0, 3), 'import', '--repo', repo]);
    assert.equal(noInput.status, 2, noInput.stdout);
    assert.match(noInput.stdout, /no stream on standard input/);
    const json = await runOstreeContainer(['tar', 'export', '--json', '--repo', repo, 'main']);
    assert.deepEqual([json.status, JSON.parse(json.stdout).code], [2, 'USAGE']);
    const file = join(folder, 'x.tar');
    const document = JSON.parse((await ours('tar', 'export', '--json', '--repo', repo, '-o', file, 'main')).stdout);
    assert.deepEqual([document.schema, document.file], ['ostree-container.tar-export/1', file]);
    assert.equal(document.size, fs.statSync(file).size);
  });

  it('leaves no file when the export fails', peers, async (t) => {
    const { folder, repo } = await committed(t, makeTree(t));
    fs.rmSync(join(repo, 'objects', (await firstFile(repo)) ?? ''));
    const ended = await runOstreeContainer(['tar', 'export', '--repo', repo, '-o', join(folder, 'x.tar'), 'main']);
    assert.equal(ended.status, 1, ended.stderr);
    assert.deepEqual(fs.readdirSync(folder), ['repo']);
  });
});

async function firstFile(repo: string): Promise<string | undefined> {
  const names = fs.readdirSync(join(repo, 'objects'), { recursive: true, encoding: 'utf8' });
  return names.find((name) => name.endsWith('.filez'));
}
