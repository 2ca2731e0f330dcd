/** Commits of the same trees by the program `ostree` and by us have the same checksums, and each reads the other's. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { decodeSizes, SIZES_KEY } from '../../src/ostree/objects/sizes.ts';
import { openRepository } from '../../src/ostree/repository/repository.ts';
import { objectsOf } from '../../src/ostree/storage/object-reader.ts';
import { machineRoot } from '../support/machine.ts';
import { needs } from '../support/needs.ts';
import { unpackVector } from '../support/ostree-vectors.ts';
import { must, run, runOstreeContainer } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

const peers = { skip: needs('ostree', 'root') };
const MODES = ['archive', 'bare', 'bare-user', 'bare-user-only'] as const;

/** Two repositories of one mode, a folder to work in, and both programs with the same words. */
async function twins(t: TestContext, mode: string) {
  const folder = scratch(t);
  const [ours, theirs] = [join(folder, 'ours'), join(folder, 'theirs')];
  await must('ostree', ['init', `--repo=${ours}`, `--mode=${mode}`]);
  await must('ostree', ['init', `--repo=${theirs}`, `--mode=${mode}`]);
  const words = (given: readonly string[]) => ['--timestamp=@1700000000', '--subject=s', ...given];
  const commit = async (given: readonly string[]) => ({
    ours: await runOstreeContainer(['repo', 'commit', `--repo=${ours}`, ...words(given)], { cwd: folder }),
    theirs: await run('ostree', ['commit', `--repo=${theirs}`, ...words(given)], { cwd: folder }),
  });
  const same = async (...given: readonly string[]): Promise<string> => {
    const both = await commit(given);
    assert.deepEqual([both.ours.status, both.theirs.status], [0, 0], `${both.ours.stderr}${both.theirs.stderr}`);
    assert.equal(both.ours.stdout, both.theirs.stdout, given.join(' '));
    return both.ours.stdout.trim();
  };
  const refused = async (...given: readonly string[]): Promise<void> => {
    const both = await commit(given);
    assert.notEqual(both.theirs.status, 0, given.join(' '));
    assert.deepEqual([both.ours.status, both.ours.stdout], [1, ''], given.join(' '));
  };
  return { folder, ours, theirs, same, refused };
}

/** Owners, modes, attributes, links of both kinds, and names that sort differently in UTF-16. */
function smallTree(folder: string): string {
  const at = join(folder, 'tree');
  mkdirSync(join(at, 'd/e'), { recursive: true });
  writeFileSync(join(at, 'plain'), 'one');
  writeFileSync(join(at, 'd/set'), 'two');
  chownSync(join(at, 'd/set'), 5, 6);
  chmodSync(join(at, 'd/set'), 0o4775);
  chmodSync(join(at, 'd/e'), 0o1777);
  linkSync(join(at, 'plain'), join(at, 'd/hard'));
  symlinkSync('../nowhere', join(at, 'd/link'));
  lchownSync(join(at, 'd/link'), 7, 8);
  writeFileSync(join(at, '\u{1f600}'), '');
  writeFileSync(join(at, '\uffee'), '');
  execFileSync('setfattr', ['-n', 'user.a', '-v', '1', join(at, 'plain')]);
  return at;
}

describe('a commit of the vectors', () => {
  for (const mode of MODES) {
    it(`is that of ostree in mode ${mode}, and passes its fsck`, peers, async (t) => {
      const { ours, same } = await twins(t, mode);
      const tree = unpackVector(t, 'tree-v1');
      const commit = await same('--branch=main', tree);
      await must('ostree', ['fsck', `--repo=${ours}`]);
      const shown = await must('ostree', ['show', `--repo=${ours}`, 'main']);
      assert.ok(shown.stdout.startsWith(`commit ${commit}\n`));
      assert.match((await must('ostree', ['log', `--repo=${ours}`, 'main'])).stdout, /2023-11-14 22:13:20/);
      const listed = await must('ostree', ['ls', `--repo=${ours}`, '-R', 'main']);
      assert.ok(listed.stdout.split('\n').length > 1600);
    });
  }
});

describe('a commit of a Debian system', () => {
  it('is that of ostree, and checks out as it was', { skip: needs('ostree', 'machine') }, async (t) => {
    const { folder, ours, same } = await twins(t, 'bare-user');
    const root = await machineRoot();
    writeFileSync(join(folder, 'skip'), '/dev\n'); // devices cannot be committed
    await same('--branch=os', '--skip-list=skip', root);
    await must('ostree', ['fsck', '--quiet', `--repo=${ours}`], { timeoutMs: 300_000 });
    const out = join(folder, 'out');
    await must('ostree', ['checkout', `--repo=${ours}`, 'os', out], { timeoutMs: 300_000 });
    await must('diff', ['-r', '--no-dereference', '-q', '--exclude=dev', root, out], { timeoutMs: 300_000 });
  });
});

describe('a commit with the words of ostree', () => {
  it('is the same with metadata, parents and bindings', peers, async (t) => {
    const { folder, same } = await twins(t, 'archive');
    const tree = smallTree(folder);
    writeFileSync(join(folder, 'body'), 'one\n\ntwo\n');
    await same('-b', 'a/b', '-m', 'body', tree);
    await same('-b', 'a/b', '-F', 'body', '--bind-ref=z', '--bind-ref=a', tree);
    await same('-b', 'a/b', '--parent=none', '--no-bindings', tree);
    await same('-b', 'k', '--add-metadata-string=k1=1', '--add-metadata=k2=[uint32 5]', tree);
    await same('-b', 'k', '--keep-metadata=k2', '--keep-metadata=k1', '--add-metadata-string=z=a=b', tree);
    await same('--orphan', '--timestamp=2020-01-02 03:04:05 +0100', tree);
    await same('-b', 'k', '--skip-if-unchanged', '--add-metadata-string=new=1', tree);
    await same('-b', 'k', '--table-output', tree);
  });
  it('is the same with changed owners and modes', peers, async (t) => {
    const { folder, same } = await twins(t, 'bare');
    const tree = smallTree(folder);
    writeFileSync(join(folder, 'overrides'), '=384 /plain\n=511 /d\n+16 /d/set\n');
    writeFileSync(join(folder, 'skip'), '/d/e\n/d/link\n');
    await same('--orphan', '--owner-uid=9', '--owner-gid=10', tree);
    await same('--orphan', '--no-xattrs', tree);
    await same('--orphan', '--canonical-permissions', tree);
    await same('--orphan', '--mode-ro-executables', tree);
    await same('--orphan', '--statoverride=overrides', '--mode-ro-executables', tree);
    await same('--orphan', '--statoverride=overrides', '--canonical-permissions', tree);
    await same('--orphan', '--skip-list=skip', tree);
  });
  it('is the same of several trees, and of archives', peers, async (t) => {
    const { folder, same, refused } = await twins(t, 'archive');
    const tree = smallTree(folder);
    mkdirSync(join(folder, 'over/d'), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, 'over/plain'), 'three');
    mkdirSync(join(folder, 'clash/plain'), { recursive: true });
    const tar = (...words: readonly string[]) => execFileSync('tar', ['--numeric-owner', ...words], { cwd: folder });
    tar('--xattrs', '-cf', 'tree.tar', '-C', tree, '.');
    tar('-czf', 'tree.tar.gz', '-C', tree, '.');
    tar('-cf', 'part.tar', '-C', tree, 'd/set', 'd/hard', 'plain');
    await same('-b', 'base', '--tree=dir=tree');
    await same('-b', 'over', '--tree=dir=over');
    await same('--orphan', '--tree=dir=tree', '--tree=dir=over');
    await same('--orphan', '--tree=ref=base', '--tree=ref=over');
    await same('--orphan', '--tree=ref=base', '--tree=ref=over', '--owner-uid=3');
    await same('--orphan', '--base=base', '--tree=dir=over', '--owner-uid=3');
    await same('--orphan', '--tree=tar=tree.tar');
    await same('--orphan', '--tree=tar=tree.tar.gz', '--tree=dir=over', '--owner-gid=4');
    await same('--orphan', '--tree=tar=part.tar', '--tar-autocreate-parents', '--owner-uid=3');
    await same('--orphan', '--tree=tar=tree.tar', '--tar-pathname-filter=^d,usr');
    await refused('--orphan', '--tree=tar=part.tar');
    await refused('--orphan', '--tree=dir=tree', '--tree=dir=clash');
    await refused('--orphan', '--tree=dir=clash', '--tree=dir=tree');
    await refused('--orphan', '--skip-list=missing', '--tree=dir=tree');
  });
  for (const [mode, user] of [
    ['bare', []],
    ['bare-user', ['-U']],
  ] as const) {
    it(`is the same of a checkout by hard links in mode ${mode}`, peers, async (t) => {
      const { folder, ours, theirs, same } = await twins(t, mode);
      await same('-b', 'main', smallTree(folder));
      for (const [repository, name] of [
        [ours, 'co'],
        [theirs, 'co2'],
      ] as const) {
        await must('ostree', ['checkout', `--repo=${repository}`, '-H', ...user, 'main', join(folder, name)]);
      }
      // Each program with the checkout of its own repository.
      const commit = async (...words: readonly string[]) => [
        (await runOstreeContainer(['repo', 'commit', `--repo=${ours}`, '--timestamp=@5', ...words, join(folder, 'co')]))
          .stdout,
        (await run('ostree', ['commit', `--repo=${theirs}`, '--timestamp=@5', ...words, join(folder, 'co2')])).stdout,
      ];
      for (const words of [
        ['--link-checkout-speedup'],
        ['-I'],
        ['-I', '--owner-uid=3'],
        ['--link-checkout-speedup', '--owner-uid=3'],
      ]) {
        const [first, second] = await commit('--orphan', ...words);
        assert.equal(first, second, words.join(' '));
        assert.notEqual(first, '');
      }
    });
  }
  it('has sizes of the same objects, and the same but for deflate', peers, async (t) => {
    const { folder, ours, theirs } = await twins(t, 'archive');
    const tree = smallTree(folder);
    const words = ['--orphan', '--generate-sizes', '--timestamp=@5', tree];
    const first = (await runOstreeContainer(['repo', 'commit', `--repo=${ours}`, ...words])).stdout.trim();
    const second = (await must('ostree', ['commit', `--repo=${theirs}`, ...words])).stdout.trim();
    const sizesOf = (path: string, commit: string) => {
      const repository = openRepository(path);
      t.after(() => repository.close());
      const entry = objectsOf(repository)
        .commit(commit)
        .metadata.find(([key]) => key === SIZES_KEY);
      return decodeSizes(entry?.[1] ?? { signature: 'aay', bytes: new Uint8Array() });
    };
    const unpacked = (path: string, commit: string) =>
      sizesOf(path, commit)?.map(({ checksum, type, unpacked: size }) => ({ checksum, type, size }));
    assert.ok((unpacked(ours, first)?.length ?? 0) > 8);
    assert.deepEqual(unpacked(ours, first), unpacked(theirs, second));
    assert.match(
      (await must('ostree', ['show', `--repo=${ours}`, '--print-sizes', first])).stdout,
      /Number of objects/,
    );
  });
  it('makes a repository as ostree makes it', peers, async (t) => {
    const folder = scratch(t);
    for (const mode of MODES) {
      const [ours, theirs] = [join(folder, `ours-${mode}`), join(folder, `theirs-${mode}`)];
      const words = [`--mode=${mode}`, '--collection-id=org.example.Os'];
      assert.equal((await runOstreeContainer(['repo', 'init', `--repo=${ours}`, ...words])).status, 0);
      await must('ostree', ['init', `--repo=${theirs}`, ...words]);
      assert.deepEqual(readFileSync(join(ours, 'config')), readFileSync(join(theirs, 'config')));
    }
  });
});
