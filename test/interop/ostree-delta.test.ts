/** Deltas between the program ostree and ours: each applies what the other made, and both say the same of them. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { needs } from '../support/needs.ts';
import { startNginx } from '../support/nginx.ts';
import { VECTORS } from '../support/ostree-vectors.ts';
import { must, runOstreeContainer } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

const peers = needs('ostree', 'root', 'xz');

/** Repeatable bytes that do not compress. */
function noise(size: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let state = seed * 2654435761 + 1;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

function sprinkled(bytes: Buffer): Buffer {
  return bytes.map((byte, i) => (i % 64 === 0 ? byte + 1 : byte)) as Buffer;
}

/** Bytes of the largest file of the tree: more than are left to be fetched by default. */
const LARGE = 4_500_000;

/** A large file, binaries, texts, an empty file, links, modes and attributes; `second` is what has become of it. */
async function makeTree(path: string, second: boolean): Promise<void> {
  mkdirSync(join(path, 'usr/lib'), { recursive: true });
  const put = (name: string, bytes: Uint8Array, mode = 0o644): void => writeFileSync(join(path, name), bytes, { mode });
  const image = noise(LARGE, 1);
  if (second) image.set(noise(5000, 2), LARGE / 2);
  put('usr/lib/image', image);
  const [library, config] = [noise(90_000, 3), Buffer.from('a=b\n'.repeat(500))];
  put(`usr/lib/libx.so.1.${second ? 1 : 0}`, second ? sprinkled(library) : library, 0o755);
  put('config', second ? Buffer.concat([config, Buffer.from('c=d\n')]) : config);
  put('same', Buffer.from('same'));
  if (!second) return;
  put('empty', Buffer.alloc(0));
  put('new', noise(30_000, 5), 0o4755);
  put('large', noise(1_500_000, 6));
  await must('ln', ['-s', '../same', join(path, 'usr/link')]);
  await must('setfattr', ['-n', 'user.mark', '-v', 'value', join(path, 'new')]);
  await must('chown', ['7:8', join(path, 'large')]);
}

interface Variant {
  readonly what: string;
  readonly words: readonly string[];
  readonly isEmpty?: true;
  /** Has what only a server can give. */
  readonly hasFallbacks?: true;
}

const VARIANTS: readonly Variant[] = [
  { what: 'as it comes', words: ['--min-fallback-size=0'] },
  { what: 'without bsdiff', words: ['--min-fallback-size=0', '--disable-bsdiff'] },
  { what: 'in one file', words: ['--min-fallback-size=0', '--inline'] },
  { what: 'in several parts', words: ['--min-fallback-size=0', '--max-chunk-size=0'] },
  { what: 'in the other byte order', words: ['--min-fallback-size=0', '--set-endianness=B'] },
  { what: 'with little memory', words: ['--min-fallback-size=0', '--memory-budget=32M'] },
  { what: 'from nothing', words: ['--empty', '--min-fallback-size=0'], isEmpty: true },
  { what: 'with files to be fetched', words: ['--min-fallback-size=1'], hasFallbacks: true },
  { what: 'from nothing, with files to be fetched', words: ['--empty'], isEmpty: true, hasFallbacks: true },
];

describe('a delta between two commits', { skip: peers }, () => {
  const dir = scratch({ after });
  const source = join(dir, 'source');
  let from = '';
  let to = '';
  const nameOf = ({ isEmpty }: Variant): string => (isEmpty === true ? to : `${from}-${to}`);
  const ostree = (repository: string, ...words: readonly string[]) =>
    must('ostree', [`--repo=${repository}`, ...words]);
  const ours = async (repository: string, ...words: readonly string[]) => {
    const [first = '', ...rest] = words;
    const done = await runOstreeContainer(['repo', 'delta', first, '--repo', repository, ...rest]);
    assert.equal(done.status, 0, done.stderr);
    return done;
  };

  before(async () => {
    await ostree(source, 'init', '--mode=archive');
    const commits: string[] = [];
    for (const second of [false, true]) {
      const tree = join(dir, `tree-${second}`);
      await makeTree(tree, second);
      commits.push((await ostree(source, 'commit', '-b', 'main', `--tree=dir=${tree}`)).stdout.trim());
    }
    [from = '', to = ''] = commits;
  });

  /** With the commit that a delta begins with. */
  async function target(t: TestContext, mode: string, variant: Variant): Promise<string> {
    const path = join(scratch(t), 'repo');
    await ostree(path, 'init', `--mode=${mode}`);
    if (variant.isEmpty !== true) await ostree(path, 'pull-local', source, from);
    return path;
  }

  async function assertHas(repository: string): Promise<void> {
    await ostree(repository, 'fsck', '-a');
    assert.equal(
      (await ostree(repository, 'ls', '-R', '-C', '-X', to)).stdout,
      (await ostree(source, 'ls', '-R', '-C', '-X', to)).stdout,
    );
  }

  for (const variant of VARIANTS.filter(({ hasFallbacks }) => hasFallbacks !== true)) {
    for (const mode of variant === VARIANTS[0] ? ['bare', 'bare-user'] : ['bare']) {
      it(`of ours, ${variant.what}, is applied by ostree into ${mode}`, async (t) => {
        const file = join(scratch(t), 'x.delta');
        await ours(source, 'generate', '--to', to, ...fromWords(variant), `--filename=${file}`, ...variant.words);
        const repository = await target(t, mode, variant);
        await ostree(repository, 'static-delta', 'apply-offline', file);
        await assertHas(repository);
      });
    }
  }

  for (const words of [[], ['--disable-bsdiff'], ['--inline'], ['--max-chunk-size=1'], ['--set-endianness=B']]) {
    it(`of ostree, ${words.join(' ') || 'as it comes'}, is applied by ours`, async (t) => {
      const file = join(scratch(t), 'x.delta');
      const options = ['--min-fallback-size=0', `--filename=${file}`, ...words];
      await ostree(source, 'static-delta', 'generate', `--from=${from}`, `--to=${to}`, ...options);
      for (const mode of words.length === 0 ? ['archive', 'bare', 'bare-user'] : ['archive']) {
        const repository = await target(t, mode, { what: '', words });
        const { stderr } = await ours(repository, 'apply-offline', file);
        assert.match(stderr, new RegExp(`^ostree-container: commit ${to}: made of `));
        await assertHas(repository);
      }
    });
  }

  it('is said to hold the same by both programs', async () => {
    for (const make of [
      () => ostree(source, 'static-delta', 'generate', `--from=${from}`, `--to=${to}`),
      () => ours(source, 'generate', '--to', to),
      () => ours(source, 'generate', '--to', to, '--empty'),
    ]) {
      await make();
      const listed = (await ostree(source, 'static-delta', 'list')).stdout;
      // theirs come in the order of the disk
      assert.deepEqual((await ours(source, 'list')).stdout.split('\n').sort(), listed.split('\n').sort());
      for (const name of listed.trim().split('\n')) {
        const shown = (await ostree(source, 'static-delta', 'show', name)).stdout;
        assert.equal((await ours(source, 'show', name)).stdout, shown);
      }
    }
    await ours(source, 'reindex');
    const indexed = (await ostree(source, 'static-delta', 'indexes')).stdout;
    assert.equal(indexed, `${to}\n`);
    assert.equal((await ours(source, 'indexes')).stdout, indexed);
    await ostree(source, 'static-delta', 'reindex');
    assert.equal((await ours(source, 'indexes')).stdout, indexed);
    for (const name of (await ours(source, 'list')).stdout.trim().split('\n')) await ours(source, 'delete', name);
    assert.equal((await ostree(source, 'static-delta', 'list')).stdout, '(No static deltas)\n');
    assert.equal((await ours(source, 'list')).stdout, '(No static deltas)\n');
  });

  it('of ours is not much larger than that of ostree', async () => {
    const sizes: number[] = [];
    for (const make of [
      () => ostree(source, 'static-delta', 'generate', `--from=${from}`, `--to=${to}`),
      () => ours(source, 'generate', '--to', to),
    ]) {
      await make();
      const files = readdirSync(join(source, 'deltas'), { recursive: true, encoding: 'utf8' });
      const parts = files.filter((name) => /\/[0-9]+$/.test(name));
      sizes.push(parts.reduce((sum, name) => sum + readFileSync(join(source, 'deltas', name)).length, 0));
      await ours(source, 'delete', `${from}-${to}`);
    }
    const [theirs = 0, own = Number.POSITIVE_INFINITY] = sizes;
    assert.ok(own <= theirs * 1.1, `${own} and ${theirs} bytes`);
  });

  describe('served by nginx', { skip: needs('nginx') }, () => {
    for (const variant of VARIANTS) {
      it(`of ours, ${variant.what}, is pulled by ostree`, async (t) => {
        await ours(source, 'generate', '--to', to, ...fromWords(variant), ...variant.words);
        t.after(() => ours(source, 'delete', nameOf(variant)));
        await ostree(source, 'summary', '-u');
        const nginx = await startNginx({ root: dir });
        t.after(() => nginx.stop());
        const repository = await target(t, 'bare', variant);
        await ostree(repository, 'remote', 'add', '--no-gpg-verify', 'origin', `${nginx.url}/source`);
        if (variant.isEmpty !== true) await ostree(repository, 'refs', `--create=origin:main`, from);
        await ostree(repository, 'pull', '--require-static-deltas', 'origin', 'main');
        await assertHas(repository);
        // This release also walks the tree meanwhile, and fetches some objects a second time.
        const fetched = nginx.accessLog().filter((line) => / \/source\/deltas\/.* 200 /.test(line));
        const parts = variant.words.includes('--inline') ? 0 : 1;
        assert.ok(fetched.length >= 1 + parts, fetched.join('\n'));
      });
    }
  });

  function fromWords({ isEmpty }: Variant): readonly string[] {
    return isEmpty === true ? [] : ['--from', from];
  }
});

describe('a file of 40 MB that changed in its middle', { skip: peers }, () => {
  it('takes some kilobytes of a delta, which ostree applies', async (t) => {
    const dir = scratch(t);
    const [source, target, file] = [join(dir, 'source'), join(dir, 'target'), join(dir, 'x.delta')];
    for (const path of [source, target]) await must('ostree', [`--repo=${path}`, 'init', '--mode=bare-user']);
    const image = noise(40_000_000, 1);
    const commits: string[] = [];
    for (const second of [false, true]) {
      mkdirSync(join(dir, 'tree'), { recursive: true });
      if (second) image.set(noise(5000, 2), 20_000_000);
      writeFileSync(join(dir, 'tree/image'), image);
      const words = [`--repo=${source}`, 'commit', '-b', 'main', `--tree=dir=${join(dir, 'tree')}`];
      commits.push((await must('ostree', words)).stdout.trim());
    }
    await must('ostree', [`--repo=${target}`, 'pull-local', source, commits[0] ?? '']);
    const words = ['repo', 'delta', 'generate', '--repo', source, '--filename', file, '--inline', 'main'];
    assert.equal((await runOstreeContainer(words)).status, 0);
    assert.ok(readFileSync(file).length < 100_000);
    await must('ostree', [`--repo=${target}`, 'static-delta', 'apply-offline', file]);
    await must('ostree', [`--repo=${target}`, 'fsck', '-a']);
  });
});

describe('the deltas of the vectors', { skip: peers }, () => {
  for (const mode of ['archive', 'bare', 'bare-user']) {
    it(`applied by ours into ${mode} are what ostree fsck wants to see`, async (t) => {
      const repository = join(scratch(t), 'repo');
      await must('ostree', [`--repo=${repository}`, 'init', `--mode=${mode}`]);
      const apply = async (name: string): Promise<void> => {
        const words = ['repo', 'delta', 'apply-offline', '--repo', repository, join(VECTORS, 'deltas', name)];
        assert.equal((await runOstreeContainer(words)).status, 0, name);
      };
      await apply('scratch-multi');
      await must('ostree', [`--repo=${repository}`, 'fsck', '-a']);
      for (const name of readdirSync(join(VECTORS, 'deltas')).filter((each) => each.endsWith('.delta'))) {
        const copy = `${repository}-${name}`;
        await must('cp', ['-a', repository, copy]);
        const words = ['repo', 'delta', 'apply-offline', '--repo', copy, join(VECTORS, 'deltas', name)];
        assert.equal((await runOstreeContainer(words)).status, 0, name);
        const { stdout } = await must('ostree', [`--repo=${copy}`, 'fsck', '-a']);
        assert.match(stdout, /of 2 commits? completed successfully|2 commit/);
      }
    });
  }
});
