/** Objects that we store, file by file beside those that the program `ostree` makes of the same content. */
import assert from 'node:assert/strict';
import { appendFileSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import { Reach, reachTree } from '../../src/ostree/history/reach.ts';
import { openPool } from '../../src/ostree/jobs/pool.ts';
import { decodeArchiveHeader, type FileHeader } from '../../src/ostree/objects/file-header.ts';
import type { RepositoryMode } from '../../src/ostree/repository/config.ts';
import { HEAD, readRef } from '../../src/ostree/repository/refs.ts';
import { createRepository, openRepository, type Repository } from '../../src/ostree/repository/repository.ts';
import { objectsOf } from '../../src/ostree/storage/object-reader.ts';
import { content, file, link, putInPieces, readBack, xattr } from '../../src/ostree/storage/storage.fixture.ts';
import { withTransaction } from '../../src/ostree/storage/transaction.ts';
import { needs } from '../support/needs.ts';
import { must } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

const peers = { skip: needs('ostree', 'root', 'python3', 'getfattr') };
const { signal } = new AbortController();
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');
const MIB = 2 ** 20;

interface Entry {
  readonly name: string;
  readonly header: FileHeader;
  readonly size: number;
}

/** Every mode can hold these. */
const PLAIN: readonly Entry[] = [
  ...[0, 1, 65_536, MIB - 1, MIB, MIB + 1, 4 * MIB, 4 * MIB + 1].map((size) => ({
    name: `size-${size}`,
    header: file(),
    size,
  })),
  { name: 'program', header: file({ mode: 0o100755 }), size: 100 },
  { name: 'unreadable', header: file({ mode: 0o100000 }), size: 101 },
  { name: 'link', header: link('a/b'), size: 0 },
  { name: 'odd-link', header: link('zażółć/漢字 𝒳'), size: 0 },
  { name: 'long-link', header: link('x'.repeat(4000)), size: 0 },
];

const RICH: readonly Entry[] = [
  { name: 'owned', header: file({ uid: 1000, gid: 65_534 }), size: 200 },
  { name: 'setuid', header: file({ uid: 5, gid: 6, mode: 0o106755 }), size: 201 },
  { name: 'open', header: file({ mode: 0o101777 }), size: 202 },
  { name: 'tagged', header: file({ xattrs: [xattr('trusted.a', 'x'), xattr('user.b', 'y'.repeat(300))] }), size: 203 },
  {
    name: 'capable',
    header: file({ uid: 7, mode: 0o100755, xattrs: [xattr('security.capability', CAPABILITY)] }),
    size: 204,
  },
  { name: 'tagged-link', header: link('x', { uid: 8, gid: 9, xattrs: [xattr('trusted.l', 'v')] }), size: 0 },
];

const bytesOf = ({ size, header }: Entry): Buffer => (header.target === undefined ? content(size) : Buffer.alloc(0));

/** The tree in the file system, made by Python, which has calls for owners and attributes. */
async function makeTree(t: TestContext, entries: readonly Entry[]): Promise<string> {
  const tree = join(scratch(t), 'tree');
  mkdirSync(tree);
  const facts = entries.map((entry) => ({
    ...entry.header,
    target: entry.header.target ?? null,
    path: join(tree, entry.name),
    content: bytesOf(entry).toString('base64'),
    xattrs: entry.header.xattrs.map(([name, value]) => [String(name), Buffer.from(value).toString('base64')]),
  }));
  const program = `
import base64, json, os, sys
for e in json.load(sys.stdin):
    p = e['path']
    if e['target'] is None: open(p, 'wb').write(base64.b64decode(e['content']))
    else: os.symlink(e['target'], p)
    os.chown(p, e['uid'], e['gid'], follow_symlinks=False)
    if e['target'] is None: os.chmod(p, e['mode'] & 0o7777)
    for k, v in e['xattrs']: os.setxattr(p, k, base64.b64decode(v), follow_symlinks=False)
`;
  await must('python3', ['-c', program], { input: JSON.stringify(facts) });
  return tree;
}

function opened(t: TestContext, mode: RepositoryMode): Repository {
  const path = join(scratch(t), 'repo');
  createRepository(path, { mode });
  appendFileSync(join(path, 'config'), 'fsync=false\n');
  const repository = openRepository(path);
  t.after(() => repository.close());
  return repository;
}

const ostree = async ({ path }: Repository, ...words: string[]) => must('ostree', [`--repo=${path}`, ...words]);

/** What `ostree commit` makes of it. */
async function theirs(t: TestContext, mode: RepositoryMode, tree: string): Promise<Repository> {
  const repository = opened(t, mode);
  await ostree(repository, 'commit', '-b', 'main', '--timestamp=2024-01-01', tree);
  return repository;
}

/** The metadata and the branch of another repository; contents are the test's business. */
async function copyMetadata(from: Repository, to: Repository): Promise<void> {
  const commit = readRef(from, HEAD, 'main') ?? '';
  const reader = objectsOf(from);
  const reach = new Reach();
  reach.commits.add(commit);
  reachTree(reader, reader.commit(commit), reach);
  await withTransaction(to, { signal }, async (transaction) => {
    for (const { checksum, type } of reach.names()) {
      if (type !== 'file') transaction.writer.putMetadata(type, reader.metadata(checksum, type));
    }
    transaction.setRef({ place: HEAD, ref: 'main', commit });
  });
}

/** Everything about each object's file; the content of a .filez inflated, for encoders differ. */
async function objectFacts({ path }: Repository): Promise<Record<string, unknown>> {
  const names = readdirSync(join(path, 'objects'), { recursive: true, encoding: 'utf8' }).filter((n) =>
    n.includes('.'),
  );
  const facts = names.sort().map((name): [string, unknown] => {
    const object = join(path, 'objects', name);
    const stats = lstatSync(object);
    const isLink = stats.isSymbolicLink();
    const bytes = isLink ? Buffer.from(readlinkSync(object)) : readFileSync(object);
    const mtime = isLink || !name.endsWith('.file') ? undefined : stats.mtimeMs;
    return [name, { mode: stats.mode.toString(8), uid: stats.uid, gid: stats.gid, mtime, content: plain(name, bytes) }];
  });
  const { stdout } = await must('getfattr', [
    '-R',
    '-P',
    '-h',
    '-d',
    '-m',
    '-',
    '--absolute-names',
    join(path, 'objects'),
  ]);
  return { ...Object.fromEntries(facts), attributes: stdout.replaceAll(path, '').split('\n\n').sort() };
}

function plain(name: string, bytes: Buffer): string {
  if (!name.endsWith('.filez')) return bytes.toString('base64');
  const { contentOffset, size } = decodeArchiveHeader(bytes, name);
  const deflated = bytes.subarray(contentOffset);
  const inflated = deflated.length === 0 ? deflated : inflateRawSync(deflated);
  assert.equal(inflated.length, size);
  return bytes.subarray(0, contentOffset).toString('base64') + inflated.toString('base64');
}

describe('objects of ours and of ostree', peers, () => {
  for (const mode of ['archive', 'bare', 'bare-user', 'bare-user-only'] satisfies RepositoryMode[]) {
    const entries = mode === 'bare-user-only' ? PLAIN : [...PLAIN, ...RICH];

    it(`are the same files in ${mode}`, async (t) => {
      const tree = await makeTree(t, entries);
      const reference = await theirs(t, mode, tree);
      const expected = await objectFacts(reference);
      const mine = opened(t, mode);
      await copyMetadata(reference, mine);
      await withTransaction(mine, { signal }, async ({ writer }) => {
        for (const [i, entry] of entries.entries()) {
          const bytes = bytesOf(entry);
          if (entry.size > 4 * MIB || i % 2 === 0) putInPieces(writer, entry.header, bytes);
          else writer.putFile(entry.header, bytes);
        }
      });
      assert.deepEqual(await objectFacts(mine), expected);
      assert.match((await ostree(mine, 'fsck')).stdout, /no errors found/);
      for (const entry of entries.filter(({ header, size }) => header.target === undefined && size % MIB < 2)) {
        const { bytes } = await ostree(mine, 'cat', 'main', `/${entry.name}`);
        assert.ok(bytes.equals(bytesOf(entry)), entry.name);
      }
    });

    it(`are the same files in ${mode} when they are imported from an archive`, async (t) => {
      const tree = await makeTree(t, entries);
      const reference = await theirs(t, mode, tree);
      const expected = await objectFacts(reference);
      const from = mode === 'bare-user-only' ? reference : await theirs(t, 'archive', tree);
      const mine = opened(t, mode);
      await copyMetadata(from, mine);
      const reader = objectsOf(from);
      const { rootTree } = reader.commit(readRef(from, HEAD, 'main') ?? '');
      const objects = reader.dirTree(rootTree).files.map(({ checksum }) => ({ checksum, type: 'file' as const }));
      await withTransaction(mine, { signal }, async ({ place }) => {
        const pool = openPool({ write: place }, 2);
        try {
          await pool.run('import-objects', { from: reader.places, objects, verify: true, mayLink: false });
        } finally {
          await pool.close();
        }
      });
      assert.deepEqual(await objectFacts(mine), expected);
    });

    it(`are read by us in ${mode} as they were committed`, async (t) => {
      const reference = await theirs(t, mode, await makeTree(t, entries));
      const reader = objectsOf(reference);
      const { rootTree } = reader.commit(readRef(reference, HEAD, 'main') ?? '');
      const checksums = new Map(reader.dirTree(rootTree).files.map(({ name, checksum }) => [name, checksum]));
      for (const entry of entries) {
        const { header, bytes } = await readBack(reader.file(checksums.get(entry.name) ?? ''));
        const xattrs = header.xattrs.map(([name, value]) => xattr(String(Buffer.from(name)), value));
        assert.deepEqual({ ...header, xattrs }, entry.header, entry.name);
        assert.ok(bytes.equals(bytesOf(entry)), entry.name);
      }
    });
  }
});
