/** A published repository, a server that can turn bad, and repositories that pull from it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type HostileServer, startHostileServer } from '../../../test/support/hostile-server.ts';
import { array, string, type Vardict, variantOf } from '../../gvariant/index.ts';
import { Reach, reachTree } from '../history/reach.ts';
import { fsckObjects } from '../jobs/fsck-objects.ts';
import { encodeCommit } from '../objects/commit.ts';
import { encodeDirMeta } from '../objects/dirmeta.ts';
import { encodeDirTree } from '../objects/dirtree.ts';
import { objectPath } from '../objects/object-type.ts';
import { NO_XATTRS } from '../objects/xattrs.ts';
import { addRemote } from '../remotes/remotes.ts';
import type { RepositoryMode } from '../repository/config.ts';
import { isPartial } from '../repository/partial.ts';
import { HEAD } from '../repository/refs.ts';
import { newRepository, SIGNAL } from '../repository/repository.fixture.ts';
import type { Repository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { withTransaction } from '../storage/transaction.ts';
import { updateSummary } from '../summary/update-summary.ts';
import { type FromRemote, pullFromRemote } from './from-remote.ts';
import { DEFAULTS, type PullOptions, type PullResult } from './options.ts';
import { parseAsked } from './wanted.ts';

export interface Published {
  readonly commit: string;
  /** Of the files by their paths. */
  readonly files: Readonly<Record<string, string>>;
  readonly rootTree: string;
}

/** Incompressible, and different for each seed. */
export function noise(size: number, seed = 1): Buffer {
  const out = Buffer.alloc(size);
  let state = seed;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    out[i] = state >>> 16;
  }
  return out;
}

export interface CommitShape {
  readonly ref?: string;
  readonly parent?: string;
  readonly timestamp?: number;
  readonly boundTo?: readonly string[];
  /** `name` or `directory/name`. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

export async function publish(repository: Repository, shape: CommitShape = {}): Promise<Published> {
  const { ref = 'main', parent, timestamp = 1_700_000_000, boundTo = [ref] } = shape;
  const contents = shape.files ?? { one: 'one\n', 'usr/two': 'two\n', 'usr/three': 'three\n', 'etc/four': 'four\n' };
  return withTransaction(repository, { signal: SIGNAL }, async (transaction) => {
    const { writer } = transaction;
    const header = { uid: 0, gid: 0, mode: 0o100644, target: undefined, xattrs: NO_XATTRS };
    const files = Object.fromEntries(
      Object.entries(contents).map(([path, content]) => [path, writer.putFile(header, Buffer.from(content)).checksum]),
    );
    const meta = writer.putMetadata(
      'dirmeta',
      encodeDirMeta({ uid: 0, gid: 0, mode: 0o40755, xattrs: NO_XATTRS }),
    ).checksum;
    const inFolder = (folder: string) =>
      Object.entries(files)
        .filter(([path]) => (path.includes('/') ? path.split('/')[0] : '') === folder)
        .map(([path, checksum]) => ({ name: path.split('/').at(-1) ?? '', checksum }));
    const folders = [
      ...new Set(Object.keys(files).flatMap((path) => (path.includes('/') ? (path.split('/')[0] ?? []) : []))),
    ];
    const directories = folders.map((name) => ({
      name,
      meta,
      tree: writer.putMetadata('dirtree', encodeDirTree({ files: inFolder(name), directories: [] })).checksum,
    }));
    const rootTree = writer.putMetadata('dirtree', encodeDirTree({ files: inFolder(''), directories })).checksum;
    const metadata: Vardict = [['ostree.ref-binding', variantOf(array(string), boundTo)]];
    const commit = writer.putMetadata(
      'commit',
      encodeCommit({ metadata, parent, related: [], subject: ref, body: '', timestamp, rootTree, rootMeta: meta }),
    ).checksum;
    transaction.setRef({ place: HEAD, ref, commit });
    return { commit, files, rootTree };
  });
}

export interface Scene {
  readonly source: Repository;
  readonly server: HostileServer;
  readonly into: Repository;
  readonly published: Published;
  pull(asked?: readonly string[], options?: Partial<PullOptions>, access?: Partial<FromRemote>): Promise<PullResult>;
}

export interface SceneOptions {
  readonly mode?: RepositoryMode;
  readonly shape?: CommitShape;
  readonly settings?: readonly (readonly [string, string])[];
}

export async function scene(
  t: TestContext,
  { mode = 'bare-user', shape, settings = [] }: SceneOptions = {},
): Promise<Scene> {
  const source = newRepository(t);
  const published = await publish(source, shape);
  const server = await startHostileServer({ files: source.path });
  t.after(() => server.close());
  const into = newRepository(t, mode);
  const all = [['url', server.url], ['gpg-verify', 'false'], ...settings] as const;
  await addRemote(into, { name: 'origin', settings: all, existing: 'fail' }, { signal: SIGNAL });
  return { source, server, into, published, pull: pullInto(into) };
}

export function pullInto(into: Repository): Scene['pull'] {
  return (asked = ['main'], options = {}, access = {}) =>
    pullFromRemote(
      into,
      'origin',
      { ...DEFAULTS, ...options, asked: asked.map(parseAsked) },
      { http: { userAgent: 'test', retries: 1, retryDelayMs: 1, minRateWindowMs: 500 }, signal: SIGNAL, ...access },
    );
}

/** Where the server has an object. */
export function urlOf(checksum: string, extension: Parameters<typeof objectPath>[1]): string {
  return `/objects/${objectPath(checksum, extension)}`;
}

/** Everything that others can see: objects, refs, summary, state without marks of commits that are not there. */
export function visible(repository: Repository): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const visit = (path: string, name: string): void => {
    if (statSync(path).isDirectory()) for (const each of readdirSync(path)) visit(join(path, each), `${name}/${each}`);
    else found[name] = createHash('sha256').update(readFileSync(path)).digest('hex');
  };
  for (const name of ['objects', 'refs', 'config']) visit(join(repository.path, name), name);
  return found;
}

export const ORIGIN = { kind: 'remote', remote: 'origin' } as const;

/** Every object of a commit read back and hashed. */
export async function assertWhole(repository: Repository, commit: string): Promise<void> {
  const reader = objectsOf(repository);
  const reach = new Reach();
  reach.commits.add(commit);
  reachTree(reader, reader.commit(commit), reach);
  const { found: findings } = await fsckObjects({ reader, writer: undefined }, { objects: [...reach.names()] });
  assert.deepEqual(findings, []);
  assert.equal(isPartial(repository, commit), false);
}

export async function summarize({ source }: Scene): Promise<void> {
  await updateSummary(source, { signal: SIGNAL });
}

export function objectRequests({ server }: Scene): string[] {
  return server.requests.filter(({ url }) => url.startsWith('/objects/')).map(({ url }) => url);
}
