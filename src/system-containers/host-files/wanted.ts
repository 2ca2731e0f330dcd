/** What an image wants on the host, with the digests of it. */
import { createHash } from 'node:crypto';
import type { ImageTree } from '../image-tree.ts';
import { substitute } from '../template/index.ts';
import type { Wanted } from './decision.ts';
import { type HostFile, hostFilesOf, templateAt } from './image-files.ts';
import { sha256Of } from './on-disk.ts';
import type { Before, HostFilesRequest } from './plan-types.ts';

export interface WantedFiles {
  /** Files and links by their paths, sorted. */
  readonly files: ReadonlyMap<string, Wanted>;
  /** The same of directories, each before what is in it. */
  readonly directories: ReadonlyMap<string, HostFile>;
}

/** @throws as `hostFilesOf`; ContainerError BAD_STORED_IMAGE */
export async function wantedFiles({ tree, manifest, values }: HostFilesRequest): Promise<WantedFiles> {
  if (tree === undefined) return { files: new Map(), directories: new Map() };
  const all = hostFilesOf(tree, manifest, values);
  const files = new Map<string, Wanted>();
  for (const file of all) if (file.kind !== 'directory') files.set(file.path, await wantedFile(tree, file, values));
  const directories = all.filter(({ kind }) => kind === 'directory');
  return { files, directories: new Map(directories.map((each) => [each.path, each])) };
}

/** In an undo: mode and owner as they were. */
export function withOwner(file: HostFile, owner: Before['owners'][string] | undefined): HostFile {
  if (owner === undefined) return file;
  const [mode, uid, gid] = owner;
  return { ...file, mode, uid, gid };
}

async function wantedFile(tree: ImageTree, file: HostFile, values: ReadonlyMap<string, string>): Promise<Wanted> {
  if (file.kind === 'symlink') return { file, sha256: sha256Of(file.target ?? ''), content: undefined };
  if (file.isTemplate) {
    const content = substitute(templateAt(tree, file.source), values);
    return { file, sha256: sha256Of(content), content };
  }
  const hash = createHash('sha256');
  for await (const chunk of tree.chunks(file.source)) hash.update(chunk);
  return { file, sha256: hash.digest('hex'), content: undefined };
}
