/** A repository with two commits and what can be in them, images of it, and how they are pulled. */
import { chmodSync, chownSync, copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Finished, must, type NodeOptions, runOstreeContainer } from '../support/program.ts';

export interface SeedPlace {
  readonly root: string;
  readonly repo: string;
  /** The tree of the second commit. */
  readonly tree: string;
  readonly first: string;
  readonly second: string;
}

/** One byte of CAP_NET_RAW, effective: the form that the kernel accepts. */
const CAPABILITY = '0100000200200000000000000000000000000000';
const SET_ATTRIBUTES = `
import os, sys
os.setxattr(sys.argv[1] + "/usr/bin/tool", b"security.capability", bytes.fromhex("${CAPABILITY}"))
os.setxattr(sys.argv[1] + "/usr/lib/x/empty", b"user.note", b"x")
os.setxattr(sys.argv[1] + "/usr/lib/x", b"user.folder", b"y")
`;

/** As root, for owners and attributes. @param shell a static one, for images that run */
export async function makeSeedPlace(root: string, shell?: string): Promise<SeedPlace> {
  const [repo, tree] = [join(root, 'repo'), join(root, 'tree')];
  for (const folder of ['usr/bin', 'usr/etc/sub', 'usr/lib/x', 'var', 'sysroot', 'proc', 'sys', 'dev', 'run', 'tmp']) {
    mkdirSync(join(tree, folder), { recursive: true });
  }
  const at = (name: string): string => join(tree, name);
  if (shell !== undefined) {
    copyFileSync(shell, at('usr/bin/busybox'));
    for (const name of ['sh', 'cat', 'id', 'ls']) symlinkSync('busybox', at(`usr/bin/${name}`));
  }
  symlinkSync('usr/bin', at('bin'));
  symlinkSync('sysroot/ostree', at('ostree'));
  for (const name of ['usr/bin/tool', 'usr/lib/same', 'usr/lib/x/same'])
    writeFileSync(at(name), 'a tool\n'.repeat(5000));
  for (const name of ['usr/etc/conf', 'usr/etc/sub/same-conf']) writeFileSync(at(name), 'first\n');
  for (const name of ['usr/lib/x/empty', 'usr/lib/x/gone']) writeFileSync(at(name), '');
  writeFileSync(at('usr/lib/x/own'), 'mine\n');
  chownSync(at('usr/lib/x/own'), 7, 8);
  chmodSync(at('usr/lib/x/own'), 0o4750);
  chownSync(at('usr/lib/x'), 5, 6);
  chmodSync(at('usr/lib/x'), 0o2750);
  writeFileSync(at(`usr/lib/${'long-name-'.repeat(20)}`), 'long\n');
  writeFileSync(at('usr/lib/big'), noise(5 * 2 ** 20));
  await must('python3', ['-c', SET_ATTRIBUTES, tree]);
  await must('ostree', ['init', `--repo=${repo}`, '--mode=archive']);
  const first = await commit(repo, tree, 1_700_000_000, '1.0');
  writeFileSync(at('usr/etc/conf'), 'second\n');
  rmSync(at('usr/lib/x/gone'));
  writeFileSync(at('usr/lib/new'), noise(100_000));
  const second = await commit(repo, tree, 1_700_001_000, '1.1');
  return { root, repo, tree, first, second };
}

async function commit(repo: string, tree: string, seconds: number, version: string): Promise<string> {
  const words = [`--add-metadata-string=version=${version}`, `--timestamp=@${seconds}`, '-s', `release ${version}`];
  return (await must('ostree', [`--repo=${repo}`, 'commit', '-b', 'os/main', ...words, tree])).stdout.trim();
}

/** The same each time, and nothing that deflate could make smaller. */
function noise(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = size;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** One that has to succeed. @returns the digest that it printed */
export async function built(
  { repo }: Pick<SeedPlace, 'repo'>,
  words: readonly string[],
  options?: NodeOptions,
): Promise<string> {
  const ended = await runOstreeContainer(['build', '--repo', repo, ...words], options);
  if (ended.status !== 0) throw new Error(`build ${words.join(' ')}: status ${ended.status}: ${ended.stderr}`);
  return ended.stdout.trim();
}

export async function emptyRepository(path: string, mode: string): Promise<string> {
  await must('ostree', ['init', `--repo=${path}`, `--mode=${mode}`]);
  return path;
}

export function runPull(repo: string, words: readonly string[], options?: NodeOptions): Promise<Finished> {
  return runOstreeContainer(['pull', '--repo', repo, '--ref', 'os/main', ...words], options);
}

/** One that has to succeed; unverified unless the words say otherwise. */
export async function pulled(repo: string, words: readonly string[], options?: NodeOptions): Promise<Finished> {
  const ended = await runPull(repo, words, options);
  if (ended.status !== 0) throw new Error(`pull ${words.join(' ')}: status ${ended.status}: ${ended.stderr}`);
  return ended;
}

/** `code` of the `error/1` document, with the status. */
export async function pullRefusal(
  repo: string,
  words: readonly string[],
  options?: NodeOptions,
): Promise<readonly [number | null, string]> {
  const ended = await runPull(repo, [...words, '--json'], options);
  const { code = '' } = JSON.parse(ended.stdout || '{}') as { readonly code?: string };
  return [ended.status, code];
}

const LIST_TREE = `
import os, sys, hashlib
def facts(root):
    for folder, folders, files in os.walk(root):
        for name in sorted(folders + files):
            path = os.path.join(folder, name)
            at = path[len(root):]
            if at == "/ostree" or at.startswith("/ostree/"): continue
            s = os.lstat(path)
            body = os.readlink(path) if os.path.islink(path) else hashlib.sha256(open(path, "rb").read()).hexdigest() if os.path.isfile(path) else ""
            xattrs = sorted((n, os.getxattr(path, n, follow_symlinks=False).hex()) for n in os.listxattr(path, follow_symlinks=False))
            yield at, oct(s.st_mode), s.st_uid, s.st_gid, body, xattrs
s = os.lstat(sys.argv[1])
print(oct(s.st_mode), s.st_uid, s.st_gid)
for line in sorted(facts(sys.argv[1])): print(line)
`;

/** Names, kinds, modes, owners, contents and attributes below a directory, without what is in `/ostree`. */
export async function treeFacts(root: string): Promise<readonly string[]> {
  return (await must('python3', ['-c', LIST_TREE, root])).stdout.trimEnd().split('\n');
}

/** The commit as a container has it. */
export async function checkedOut({ repo, root }: SeedPlace, commit: string): Promise<string> {
  const path = join(root, `checkout-${commit.slice(0, 8)}`);
  const bare = join(root, 'bare-of-checkout');
  await must('ostree', ['init', `--repo=${bare}`, '--mode=bare']);
  await must('ostree', [`--repo=${bare}`, 'pull-local', repo, commit]);
  await must('ostree', [`--repo=${bare}`, 'checkout', commit, path]);
  await must('mv', [join(path, 'usr/etc'), join(path, 'etc')]);
  rmSync(join(path, 'ostree'), { force: true });
  return path;
}

/** @returns the root of the unpacked image */
export async function unpacked(image: string, bundle: string): Promise<string> {
  await must('umoci', ['unpack', '--image', image, bundle]);
  return join(bundle, 'rootfs');
}
