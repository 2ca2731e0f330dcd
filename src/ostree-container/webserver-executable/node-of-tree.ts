/** Is there a Node in a tree that runs our bundle? It is read, not run: the tree may be of another processor. */
import type { StoredFile } from '../../ostree/index.ts';
import { isElf } from './elf/elf-file.ts';
import type { TreeFiles } from './tree-files.ts';

export const NODE = '/usr/bin/node';
const OLDEST = 20;
/** The `libnode` of Node 20; later ones count up. Source: the registry of ABI versions in Node's sources. */
const OLDEST_ABI = 115;

export type NodeOfTree =
  | { readonly kind: 'usable' }
  /** For the user: why it is none. */
  | { readonly kind: 'none'; readonly why: string };

export async function nodeOfTree(files: TreeFiles): Promise<NodeOfTree> {
  const file = files.open(NODE);
  if (file === undefined) return none('the tree has no /usr/bin/node');
  try {
    if ((file.header.mode & 0o111) === 0) return none(`${NODE} is not executable`);
    return judge(await marksOf(file));
  } finally {
    file.close();
  }
}

function judge({ isProgram, version, abi }: Marks): NodeOfTree {
  if (!isProgram) return none(`${NODE} is not a program of its own`);
  if (version === undefined && abi === undefined) return none(`${NODE} does not tell its version`);
  if (version !== undefined ? version >= OLDEST : (abi ?? 0) >= OLDEST_ABI) return { kind: 'usable' };
  return none(`${NODE} is older than Node ${OLDEST}`);
}

interface Marks {
  readonly isProgram: boolean;
  /** The major number, from the address of its own headers; every build of Node has it. */
  readonly version: number | undefined;
  /** Of the library that holds Node itself, where distributions build it so. */
  readonly abi: number | undefined;
}

const VERSION = /\/node-v([0-9]{1,3})\.[0-9]{1,3}\.[0-9]{1,3}[^/\0]{0,40}\.tar\.gz/;
const LIBRARY = /libnode\.so\.([0-9]{1,4})(?![0-9])/;
/** Longer than both, so that none is lost between two pieces. */
const OVERLAP = 128;

async function marksOf(file: StoredFile): Promise<Marks> {
  let isProgram: boolean | undefined;
  let abi: number | undefined;
  let tail = '';
  for await (const chunk of file.chunks()) {
    isProgram ??= isElf(chunk);
    if (!isProgram) break;
    const text = tail + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1');
    const version = VERSION.exec(text)?.[1];
    if (version !== undefined) return { isProgram, version: Number(version), abi };
    abi ??= numberOf(LIBRARY.exec(text)?.[1]);
    tail = text.slice(-OVERLAP);
  }
  return { isProgram: isProgram === true, version: undefined, abi };
}

function numberOf(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits);
}

function none(why: string): NodeOfTree {
  return { kind: 'none', why };
}
