/** The program at `/ostree/repo-webserver` of an image: what its tree can run. Spec 1.2. */
import fs from 'node:fs';
import type { ObjectReader } from '../../ostree/index.ts';
import { readBundle } from './bundle-file.ts';
import { readRequirements } from './elf/dynamic.ts';
import { fileSource } from './elf/sources.ts';
import { assertRuns } from './libraries.ts';
import { NODE, nodeOfTree } from './node-of-tree.ts';
import { singleExecutable } from './single-executable.ts';
import { TreeFiles, type TreeRoot } from './tree-files.ts';

export interface ImageWebserver {
  /** A script for the tree's own Node, or Node with that script inside. */
  readonly kind: 'bundle' | 'executable';
  readonly size: number;
  /** Why it is that kind: "the tree has no /usr/bin/node". */
  readonly about: string;
  /** The same bytes each time; a piece stays valid. */
  read(): AsyncIterable<Uint8Array>;
}

export interface WebserverOptions {
  readonly signal: AbortSignal;
  /** Where a folder of our own is made for a moment; default: the system's. */
  readonly tmp?: string | undefined;
  /** The Node that is put into the image; default: the one that runs this. */
  readonly node?: string | undefined;
}

/** @throws WebserverError WEBSERVER_MISSING, WEBSERVER_NODE, WEBSERVER_LIBRARIES */
export async function webserverFor(
  reader: ObjectReader,
  root: TreeRoot,
  { signal, tmp, node = process.execPath }: WebserverOptions,
): Promise<ImageWebserver> {
  const script = readBundle();
  const files = new TreeFiles(reader, root);
  const found = await nodeOfTree(files);
  if (found.kind === 'usable') return bundle(script);
  await assertRuns(requirementsOf(node), files);
  const executable = await singleExecutable(node, script, { signal, tmp });
  return { kind: 'executable', about: found.why, ...executable };
}

function bundle(script: string): ImageWebserver {
  const bytes = Buffer.from(`#!${NODE}\n${script}`);
  return { kind: 'bundle', size: bytes.length, about: `the tree has ${NODE}`, read: () => once(bytes) };
}

function requirementsOf(node: string): ReturnType<typeof readRequirements> {
  const fd = fs.openSync(node, 'r');
  try {
    return readRequirements(fileSource(node, fd));
  } finally {
    fs.closeSync(fd);
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
