/** The repositories of test/fixtures/ostree, unpacked for one test; README.md there says what is in them. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { scratch } from './scratch.ts';

export type VectorName =
  | 'archive'
  | 'bare'
  | 'bare-split-xattrs'
  | 'bare-user'
  | 'bare-user-only'
  | 'delta'
  | 'signed'
  | 'special'
  | 'tree-v1';

/** This file runs from `test/` and from `dist/test/`. */
function root(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

export const VECTORS = join(root(), 'test/fixtures/ostree');

/** The bare modes and `tree-v1` need root, for owners and attributes. @returns the repository or tree */
export function unpackVector(test: Parameters<typeof scratch>[0], name: VectorName): string {
  const folder = scratch(test);
  const words = ['--xattrs', '--xattrs-include=*', '--numeric-owner', '-xpzf', join(VECTORS, `${name}.tar.gz`)];
  execFileSync('tar', [...words, '-C', folder]);
  const [inner = ''] = readdirSync(folder);
  return join(folder, inner);
}

/** A file entry of a commit, as an independent decoder saw it. */
export interface VectorEntry {
  readonly path: string;
  readonly type: 'dir' | 'file' | 'symlink';
  /** Octal, with the file type. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  readonly xattrs: Readonly<Record<string, string>>;
  readonly object?: string;
  readonly size?: number;
  readonly sha256?: string;
  readonly target?: string;
  readonly dirtree?: string;
  readonly dirmeta?: string;
}

export interface VectorCommit {
  readonly parent: string | null;
  readonly subject: string;
  readonly body: string;
  readonly timestamp: number;
  readonly root_dirtree: string;
  readonly root_dirmeta: string;
  readonly content_checksum: string;
  readonly metadata_order: readonly string[];
  readonly size: number;
  readonly files?: readonly VectorEntry[];
  readonly files_in?: string;
}

export interface VectorManifest {
  readonly repos: Readonly<Record<string, { readonly refs: Readonly<Record<string, string>> }>>;
  readonly commits: Readonly<Record<string, VectorCommit>>;
  readonly signed: { readonly refs: Readonly<Record<string, string>> };
}

export function vectorManifest(): VectorManifest {
  return JSON.parse(readFileSync(join(VECTORS, 'manifest.json'), 'utf8')) as VectorManifest;
}

export function vectorFiles(commit: VectorCommit): readonly VectorEntry[] {
  if (commit.files !== undefined) return commit.files;
  const packed = readFileSync(join(VECTORS, commit.files_in ?? 'files missing'));
  return JSON.parse(gunzipSync(packed).toString()) as readonly VectorEntry[];
}

/** All files of a repository whose names end so, relative to it. */
export function filesOf(repository: string, ending: string): string[] {
  return readdirSync(repository, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending))
    .sort();
}
