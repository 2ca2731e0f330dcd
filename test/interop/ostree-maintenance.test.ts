import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { decodeSummary, openRepository, SUMMARY_KEYS, updateSummary } from '../../src/ostree/index.ts';
import { encodeSummary } from '../../src/ostree/summary/summary.ts';
import { crashMatrix } from '../support/crash-matrix.ts';
import { needs } from '../support/needs.ts';
import { must, OSTREE_CONTAINER, run, runOstreeContainer, start } from '../support/program.ts';
import { makeScratch, removeTree, scratch } from '../support/scratch.ts';
import {
  type Cleanup,
  contentsOf,
  copyOf,
  exactCopyOf,
  filesIn,
  flipByte,
  type History,
  makeHistory,
  objectOf,
  objectPath,
  ostree,
  START,
} from './maintenance-repositories.ts';
import { assertSameOutput } from './ostree-side-by-side.ts';

const skip = needs('ostree', 'root');
const ours = (repository: string, ...words: readonly string[]) =>
  runOstreeContainer(['repo', ...words, `--repo=${repository}`]);

async function succeed(repository: string, ...words: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await ours(repository, ...words);
  assert.equal(status, 0, `${words.join(' ')}: ${stderr}`);
  return stdout;
}

describe('a summary beside the program ostree', { skip }, () => {
  it('is the same to the byte but for its time, and both show it with the same words', async (t) => {
    const { path } = await makeHistory(t);
    const theirs = copyOf(t, path);
    rmSync(join(theirs, 'deltas'), { recursive: true });
    const mine = copyOf(t, theirs);
    await ostree(theirs, 'summary', '--update');
    await succeed(mine, 'summary', '--update');
    const expected = readFileSync(join(theirs, 'summary'));
    const { lastModified } = decodeSummary(expected);
    const written = decodeSummary(readFileSync(join(mine, 'summary')));
    const time = decodeSummary(expected).metadata.find(([key]) => key === SUMMARY_KEYS.lastModified);
    assert.ok(time !== undefined && lastModified !== undefined);
    const metadata = written.metadata.map((entry) => (entry[0] === SUMMARY_KEYS.lastModified ? time : entry));
    assert.ok(expected.equals(encodeSummary({ refs: written.refs, metadata })));
    for (const repository of [theirs, mine]) {
      await assertSameOutput(['summary', `--repo=${repository}`, '-v']);
      await assertSameOutput(['summary', `--repo=${repository}`, '--view', '--raw']);
    }
  });
  it('says the same with a collection, refs of another one, deltas, and words of the user', async (t) => {
    const { path, main } = await makeHistory(t, 'archive', ['core.collection-id=org.example.Os']);
    mkdirSync(join(path, 'refs/mirrors/org.other.Os'), { recursive: true });
    writeFileSync(join(path, 'refs/mirrors/org.other.Os/theirs'), `${main[1]}\n`);
    const theirs = copyOf(t, path);
    const mine = copyOf(t, path);
    const words = [
      'summary',
      '-u',
      '-m',
      'example.text="x"',
      '-m',
      'example.number=uint32 7',
      '-m',
      'example.list=[1, 2]',
    ];
    await ostree(theirs, ...words);
    await succeed(mine, ...words);
    const lines = async (repository: string) =>
      (await ostree(repository, 'summary', '-v'))
        .split('\n')
        .filter((line) => !/Last-Modified|Timestamp|^ {6}[0-9a-f]{64}/.test(line))
        .map((line) =>
          line.startsWith('Static Deltas') ? [...line.matchAll(/'([0-9a-f-]+)'/g)].map(String).sort().join() : line,
        )
        .sort();
    assert.deepEqual(await lines(mine), await lines(theirs));
    await assertSameOutput(['summary', `--repo=${theirs}`, '-v']);
    await assertSameOutput(['summary', `--repo=${mine}`, '-v']);
    const bytes = readFileSync(join(theirs, 'summary'));
    const summary = decodeSummary(bytes);
    assert.ok(bytes.equals(encodeSummary(summary)), 'comes back as it was');
    assert.deepEqual([summary.collectionId, summary.collections.size, summary.deltas?.size], ['org.example.Os', 1, 2]);
    assert.deepEqual(filesIn(mine, 'delta-indexes'), filesIn(theirs, 'delta-indexes'));
    assert.match(readFileSync(join(mine, 'config'), 'utf8'), /^indexed-deltas=true$/m);
    assert.match(await ostree(mine, 'show', '--raw', 'ostree-metadata'), /'example.text': <'x'>/);
    assert.equal((await run('ostree', ['fsck', `--repo=${mine}`])).status, 0);
  });
  it('is what the program finds refs in', async (t) => {
    const { path } = await makeHistory(t);
    await succeed(path, 'summary', '--update');
    const client = join(scratch(t), 'repo');
    await must('ostree', [`--repo=${client}`, 'init']);
    await ostree(client, 'remote', 'add', '--no-gpg-verify', 'origin', `file://${path}`);
    assert.deepEqual((await ostree(client, 'remote', 'refs', 'origin')).split('\n').sort(), [
      'origin:dev',
      'origin:main',
      'origin:other/alias',
    ]);
    await ostree(client, 'pull', 'origin', 'main');
  });
  it('takes an old signature away, and changes nothing in a dry run', async (t) => {
    const { path } = await makeHistory(t);
    writeFileSync(join(path, 'summary.sig'), 'old');
    const before = filesIn(path, '.');
    await succeed(path, 'summary', '--update', '--dry-run');
    assert.deepEqual(
      filesIn(path, '.').filter((name) => name !== '.lock'),
      before.filter((name) => name !== '.lock'),
    );
    await succeed(path, 'summary', '--update');
    assert.deepEqual([existsSync(join(path, 'summary')), existsSync(join(path, 'summary.sig'))], [true, false]);
  });
  it('refuses to tell of a ref whose commit is missing', async (t) => {
    const { path, main } = await makeHistory(t);
    rmSync(objectPath(path, main[3] ?? '', 'commit'));
    const { status, stdout } = await ours(path, 'summary', '-u', '--json');
    assert.deepEqual([status, JSON.parse(stdout).code], [1, 'OBJECT_MISSING']);
    assert.notEqual((await run('ostree', [`--repo=${path}`, 'summary', '-u'])).status, 0);
  });
});

describe('fsck beside the program ostree', { skip }, () => {
  const verdicts = async (path: string, ...words: readonly string[]) => {
    const theirs = await run('ostree', ['fsck', `--repo=${path}`, ...words]);
    const { status, stdout } = await ours(path, 'fsck', '--json', ...words);
    return { theirs: theirs.status, status, document: JSON.parse(stdout) };
  };
  for (const mode of ['archive', 'bare', 'bare-user', 'bare-user-only']) {
    it(`finds nothing in a sound repository of mode ${mode}, with the same last line`, async (t) => {
      const { path } = await makeHistory(t, mode);
      const { theirs, status, document } = await verdicts(path);
      assert.deepEqual([theirs, status, document.findings, document.commits], [0, 0, [], 8]);
      const last = (text: string) => text.trim().split('\n').at(-1);
      assert.equal(last(await succeed(path, 'fsck')), last(await ostree(path, 'fsck')));
    });
    for (const type of ['file', 'dirtree', 'dirmeta', 'commit']) {
      it(`finds a ${type} with one other byte, and one that is missing, in mode ${mode}`, async (t) => {
        const { path, dev } = await makeHistory(t, mode);
        const commit = dev[1] ?? '';
        const damaged = await exactCopyOf(t, path);
        flipByte(await objectOf(damaged, commit, type));
        const flipped = await verdicts(damaged, '--all');
        assert.deepEqual([flipped.theirs, flipped.status], [1, 1]);
        assert.deepEqual(kindsOf(flipped.document), [`corrupt ${type}`]);
        assert.equal((await ours(damaged, 'fsck', '--delete')).status, 1);
        const after = await ours(damaged, 'fsck', '--json');
        assert.ok(
          kindsOf(JSON.parse(after.stdout)).every((kind) => /^(lost|missing) commit$/.test(kind)),
          after.stdout,
        );
        const holey = await exactCopyOf(t, path);
        rmSync(await objectOf(holey, commit, type));
        // A commit in the middle of a history may be missing.
        const isFine = type === 'commit';
        const mine = await ours(await exactCopyOf(t, holey), 'fsck', '--json');
        assert.deepEqual(kindsOf(JSON.parse(mine.stdout)), isFine ? [] : [`missing ${type}`]);
        assert.deepEqual((await verdicts(holey)).theirs, isFine ? 0 : 1);
      });
    }
  }
  it('tells which commits need what is broken, and where it is in them', async (t) => {
    const { path, main } = await makeHistory(t);
    rmSync(await objectOf(path, main[0] ?? '', 'file'));
    const own = JSON.parse((await ours(path, 'fsck', '--json')).stdout);
    assert.equal(own.findings[0].users.length, 8);
    assert.deepEqual([...new Set(own.findings[0].users.map((user: { path: string }) => user.path))], ['/same']);
    assert.equal(own.marked.length, 8);
    assert.equal((await run('ostree', ['fsck', `--repo=${path}`])).status, 1, 'theirs sees our marks');
  });
  it('sees another owner, mode or attribute in a bare repository', { skip: needs('setfattr') }, async (t) => {
    const { path, main } = await makeHistory(t, 'bare');
    const damages: readonly ((file: string) => unknown)[] = [
      (file) => chownSync(file, 12, 34),
      (file) => chmodSync(file, 0o600),
      (file) => must('setfattr', ['-n', 'user.stray', '-v', 'x', file]),
      (file) => appendFileSync(file, 'stray'),
    ];
    for (const damage of damages) {
      const copy = await exactCopyOf(t, path);
      await damage(await objectOf(copy, main[0] ?? '', 'file'));
      const { theirs, status, document } = await verdicts(copy, '--all');
      assert.deepEqual([theirs, status, kindsOf(document)], [1, 1, ['corrupt file']]);
    }
  });
  it('warns of what does not count in bare-user, of garbage beside a commit, and of what nothing leads to', async (t) => {
    const { path, main } = await makeHistory(t, 'bare-user');
    chmodSync(await objectOf(path, main[0] ?? '', 'file'), 0o600);
    const stray = await verdicts(path);
    assert.deepEqual([stray.theirs, stray.status, kindsOf(stray.document)], [0, 0, ['attributes file']]);
    const garbage = join(path, 'objects/00', `${'0'.repeat(62)}.dirmeta`);
    mkdirSync(join(path, 'objects/00'), { recursive: true });
    writeFileSync(garbage, 'garbage');
    assert.equal((await verdicts(path)).status, 0);
    const unreachable = await ours(path, 'fsck', '--json', '--unreachable');
    assert.deepEqual(kindsOf(JSON.parse(unreachable.stdout)), ['attributes file', 'corrupt dirmeta']);
    writeFileSync(objectPath(path, main[3] ?? '', 'commitmeta'), 'garbage');
    const detached = await verdicts(path);
    assert.deepEqual([detached.theirs, detached.status], [0, 1]);
    assert.ok(kindsOf(detached.document).includes('detached commitmeta'));
  });
  it('agrees on bindings, and on refs without commits', async (t) => {
    const { path, main } = await makeHistory(t);
    await ostree(path, 'refs', '--delete', 'origin:old', 'other/alias');
    for (const words of [['--verify-bindings'], ['--verify-back-refs']]) {
      const { theirs, status } = await verdicts(path, ...words);
      assert.equal(theirs, status, words[0]);
    }
    await ostree(path, 'refs', '--create=wrong', main[1] ?? '');
    const { theirs, status, document } = await verdicts(path, '--verify-bindings');
    assert.deepEqual([theirs, status, kindsOf(document)], [1, 1, ['binding ref']]);
    rmSync(objectPath(path, main[3] ?? '', 'commit'));
    const dangling = await verdicts(path);
    assert.deepEqual([dangling.theirs, dangling.status, kindsOf(dangling.document)], [1, 1, ['missing commit']]);
  });
  it('writes a tombstone for a parent that is missing, where the program deletes the commit that misses it', async (t) => {
    const { path, main } = await makeHistory(t);
    const missing = objectPath(path, main[1] ?? '', 'commit');
    rmSync(missing);
    const { stdout } = await ours(path, 'fsck', '--add-tombstones');
    assert.match(stdout, new RegExp(`^Adding tombstone for commit ${main[1]}$`, 'm'));
    assert.ok(existsSync(objectPath(path, main[1] ?? '', 'tombstone-commit')));
    assert.match(readFileSync(join(path, 'config'), 'utf8'), /^tombstone-commits=true$/m);
    assert.doesNotMatch(await succeed(path, 'fsck', '--add-tombstones'), /tombstone/);
    assert.equal((await run('ostree', ['fsck', `--repo=${path}`])).status, 0);
  });
});

function kindsOf(document: {
  readonly findings: readonly { readonly kind: string; readonly type: string }[];
}): string[] {
  return document.findings.map(({ kind, type }) => `${kind} ${type}`).sort();
}

describe('prune beside the program ostree', { skip }, () => {
  const after = (seconds: number): string => `--keep-younger-than=@${START + seconds}`;
  const selections: readonly (readonly string[])[] = [
    [],
    ['--no-prune', '--refs-only', '--depth=0'],
    ['--depth=0'],
    ['--refs-only'],
    ['--refs-only', '--depth=0'],
    ['--refs-only', '--depth=1'],
    ['--commit-only', '--refs-only', '--depth=0'],
    [after(0)],
    [after(3)],
    [after(5)],
    [after(100)],
    [after(100), '--retain-branch-depth=main=1'],
    [after(100), '--only-branch=dev'],
    ['--only-branch=dev', '--depth=0'],
    ['--only-branch=dev', '--only-branch=main', '--depth=0'],
    ['--only-branch=main', '--retain-branch-depth=main=2', '--depth=0'],
    ['--only-branch=origin:old', '--depth=0'],
    ['--retain-branch-depth=dev=1'],
    ['--retain-branch-depth=dev=1', '--depth=0'],
    ['--retain-branch-depth=nope=1', '--commit-only', '--depth=0'],
  ];
  async function comparePrune(t: Cleanup, path: string, words: readonly string[]): Promise<void> {
    const [theirs, mine] = [await exactCopyOf(t, path), await exactCopyOf(t, path)];
    const expected = await ostree(theirs, 'prune', ...words);
    const printed = await succeed(mine, 'prune', ...words);
    const name = words.join(' ');
    assert.deepEqual(contentsOf(mine), contentsOf(theirs), name);
    assert.equal(printed.trim(), expected, name);
    assert.equal((await run('ostree', ['fsck', `--repo=${mine}`])).status, 0, name);
  }
  it('leaves the same and says the same, with all options that both know', async (t) => {
    const { path } = await makeHistory(t);
    for (const words of selections.slice(0, 11)) await comparePrune(t, path, words);
    // Where refs with different depths meet, what the program keeps depends on the order of a hash table.
    await ostree(path, 'refs', '--delete', 'other/alias');
    for (const words of selections.slice(11)) await comparePrune(t, path, words);
  });
  for (const mode of ['bare', 'bare-user', 'bare-user-only']) {
    it(`leaves the same in a repository of mode ${mode}`, async (t) => {
      const { path } = await makeHistory(t, mode);
      for (const words of selections.slice(0, 5)) await comparePrune(t, path, words);
    });
  }
  it('leaves the same with tombstones, and when a commit is deleted by name', async (t) => {
    for (const config of [[], ['core.tombstone-commits=true']]) {
      const { path, main, dev } = await makeHistory(t, 'archive', config);
      await comparePrune(t, path, [`--delete-commit=${main[1]}`]);
      await comparePrune(t, path, [`--delete-commit=${dev[0]}`, '--refs-only', '--depth=1']);
      await comparePrune(t, path, [`--delete-commit=${main[3]}`, '--static-deltas-only']);
      await comparePrune(t, path, ['--refs-only', '--depth=0']);
    }
  });
  it('leaves the same where commits are partial, signed, or cached summaries are of nobody', async (t) => {
    const { path, dev, main } = await makeHistory(t);
    rmSync(await objectOf(path, dev[1] ?? '', 'dirtree'));
    for (const commit of [dev[1], main[0], main[2]]) writeFileSync(join(path, 'state', `${commit}.commitpartial`), '');
    for (const commit of [main[1], main[3]]) writeFileSync(objectPath(path, commit ?? '', 'commitmeta'), '');
    mkdirSync(join(path, 'tmp/cache/summaries'), { recursive: true });
    await ostree(path, 'remote', 'add', '--no-gpg-verify', 'known', 'http://localhost/');
    for (const name of ['known', 'known.sig', 'gone', 'gone.sig'])
      writeFileSync(join(path, 'tmp/cache/summaries', name), '');
    for (const words of [[], ['--refs-only', '--depth=0'], [after(3)]]) await comparePrune(t, path, words);
  });
  it('refuses the same', async (t) => {
    const { path, main } = await makeHistory(t);
    const refusals = [
      [`--delete-commit=${main[3]}`],
      [`--delete-commit=${'0'.repeat(64)}`],
      ['--keep-younger-than=nonsense'],
      ['--only-branch=nope'],
      ['--static-deltas-only'],
      ['--retain-branch-depth=main'],
    ];
    const before = contentsOf(path);
    for (const words of refusals) {
      assert.notEqual((await run('ostree', [`--repo=${path}`, 'prune', ...words])).status, 0, words[0]);
      assert.notEqual((await ours(path, 'prune', ...words)).status, 0, words[0]);
    }
    rmSync(await objectOf(path, main[0] ?? '', 'dirtree'));
    assert.notEqual((await run('ostree', [`--repo=${path}`, 'prune'])).status, 0);
    const { status, stdout } = await ours(path, 'prune', '--json');
    assert.deepEqual([status, JSON.parse(stdout).code], [1, 'OBJECT_MISSING']);
    assert.equal(contentsOf(path)['objects']?.length, (before['objects']?.length ?? 0) - 1);
  });
  it('keeps what refs of other collections lead to, unlike the program, in every selection', async (t) => {
    const { path, dev } = await makeHistory(t);
    mkdirSync(join(path, 'refs/mirrors/org.example.Os'), { recursive: true });
    writeFileSync(join(path, 'refs/mirrors/org.example.Os/x'), `${dev[0]}\n`);
    await succeed(path, 'prune', after(100));
    assert.ok(existsSync(objectPath(path, dev[0] ?? '', 'commit')));
  });
  it('keeps for each ref what it wants, whatever other refs lead to the same commits', async (t) => {
    const { path, main } = await makeHistory(t);
    await succeed(path, 'prune', after(100), '--retain-branch-depth=main=1');
    const kept = main.map((commit) => existsSync(objectPath(path, commit, 'commit')));
    assert.deepEqual(kept, [true, false, true, true], 'the oldest is that of origin:old');
  });
  it('takes the indexes of deltas along, and files unpacked for checkouts', async (t) => {
    const { path, main } = await makeHistory(t);
    await succeed(path, 'summary', '--update');
    assert.equal(filesIn(path, 'delta-indexes').length, 2);
    const file = (await objectOf(path, main[0] ?? '', 'file')).split('/').slice(-2).join('/').replace('filez', 'file');
    mkdirSync(join(path, 'uncompressed-objects-cache', file, '..'), { recursive: true });
    writeFileSync(join(path, 'uncompressed-objects-cache', file), '');
    for (const ref of ['main', 'dev', 'origin:old', 'other/alias']) rmSync(join(path, 'refs', pathOfRef(ref)));
    await succeed(path, 'prune', '--refs-only');
    for (const folder of ['objects', 'deltas', 'delta-indexes', 'uncompressed-objects-cache'])
      assert.deepEqual(filesIn(path, folder), [], folder);
  });
});

function pathOfRef(ref: string): string {
  const [remote, name] = ref.split(':');
  return name === undefined ? `heads/${ref}` : `remotes/${remote}/${name}`;
}

describe('prune while others work', { skip }, () => {
  async function shortWait(t: Cleanup): Promise<History> {
    return makeHistory(t, 'archive', ['core.lock-timeout-secs=1']);
  }
  it('gives up with status 4 while the program commits, and then does its work', async (t) => {
    const { path } = await shortWait(t);
    const folder = scratch(t);
    const fifo = join(folder, 'fifo');
    await must('mkfifo', [fifo]);
    const commit = start('ostree', [`--repo=${path}`, 'commit', '-b', 'new', `--tree=tar=${fifo}`]);
    writeFileSync(join(folder, 'file'), 'content');
    const tar = start('sh', ['-c', `exec 3>'${fifo}'; sleep 60; tar -C '${folder}' -cf - file >&3`], {
      input: undefined,
    });
    t.after(() => tar.kill());
    await untilLocked(path);
    const { status, stdout } = await ours(path, 'prune', '--json');
    assert.deepEqual([status, JSON.parse(stdout).code], [4, 'LOCK_TIMEOUT']);
    tar.kill();
    commit.kill();
    await commit.done.catch(() => undefined);
    await succeed(path, 'prune');
  });
  it('gives up while a transaction of our own is open', async (t) => {
    const { path } = await shortWait(t);
    const repository = openRepository(path);
    t.after(() => repository.close());
    const held = await repository.lock.acquire('shared', { signal: new AbortController().signal });
    assert.equal((await ours(path, 'prune')).status, 4);
    assert.equal((await ours(path, 'prune', '--dry-run')).status, 0, 'looking disturbs nobody');
    held.release();
    assert.equal((await ours(path, 'prune')).status, 0);
  });
});

async function untilLocked(path: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const { stdout } = await run('sh', ['-c', `ls '${path}/tmp'`]);
    if (/staging-.*-lock/.test(stdout)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail('the program did not begin its transaction');
}

describe('prune that is killed', { skip: needs('ostree', 'root', 'strace') }, () => {
  it('leaves, at each of its steps, a repository that the program finds sound', { timeout: 900_000 }, async (t) => {
    const { path, main } = await makeHistory(t, 'archive', ['core.tombstone-commits=true']);
    await ostree(path, 'refs', '--delete', 'origin:old', 'dev');
    await ostree(path, 'prune', '--refs-only'); // fewer steps, of the same kinds
    await ostree(path, 'static-delta', 'generate', '--empty', main[0] ?? '');
    await ostree(path, 'summary', '--update');
    writeFileSync(join(path, 'state', `${main[1]}.commitpartial`), '');
    writeFileSync(objectPath(path, main[0] ?? '', 'commitmeta'), '');
    const words = ['prune', '--refs-only', '--depth=1'];
    const expected = copyOf(t, path);
    await succeed(expected, ...words);
    const { kills } = await crashMatrix<string>({
      prepare: async () => {
        const folder = makeScratch();
        await must('cp', ['-a', path, join(folder, 'repo')]);
        return folder;
      },
      command: (folder) => ({
        file: process.execPath,
        args: [OSTREE_CONTAINER, 'repo', ...words, `--repo=${join(folder, 'repo')}`],
      }),
      check: async (folder, { stage }) => {
        const repository = join(folder, 'repo');
        const { status, stdout, stderr } = await run('ostree', ['fsck', `--repo=${repository}`]);
        assert.equal(status, 0, stdout + stderr);
        if (stage !== 'hit') assert.deepEqual(contentsOf(repository), contentsOf(expected));
      },
      dispose: removeTree,
    });
    assert.ok(kills > 20, `${kills}`);
  });
});

describe('a summary whose signer is ours', { skip }, () => {
  it('is signed beside, with the same time on both files, and so is the commit of the metadata', async (t) => {
    const { path } = await makeHistory(t, 'archive', ['core.collection-id=org.example.Os']);
    const signed: Uint8Array[] = [];
    const sign = async (data: Uint8Array): Promise<Uint8Array> => {
      signed.push(data);
      return Buffer.alloc(64, signed.length);
    };
    const repository = openRepository(path);
    t.after(() => repository.close());
    const signal = new AbortController().signal;
    const updated = await updateSummary(repository, { signal, signers: [{ key: 'ostree.sign.ed25519', sign }] });
    assert.ok(updated.isSigned && updated.metadataCommit !== undefined);
    assert.ok(Buffer.from(signed[0] ?? []).equals(readFileSync(objectPath(path, updated.metadataCommit, 'commit'))));
    assert.ok(Buffer.from(signed[1] ?? []).equals(readFileSync(join(path, 'summary'))));
    const time = async (name: string) => (await must('stat', ['-c', '%Y %y', join(path, name)])).stdout;
    assert.equal(await time('summary'), await time('summary.sig'));
    assert.match(
      await ostree(path, 'show', '--print-detached-metadata-key=ostree.sign.ed25519', 'ostree-metadata'),
      /0x01/,
    );
  });
});
