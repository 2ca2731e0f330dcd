/** One change of host files in a process of its own, to be killed: `node host-files-program.js STATE forward|undo|redo`. */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import {
  change,
  type HostFiles,
  imageOf,
  placesAt,
} from '../../src/system-containers/host-files/host-files.fixture.ts';
import type { Before, InstalledFiles } from '../../src/system-containers/host-files/index.ts';

export type Direction = 'forward' | 'undo' | 'redo';

/** What a journal and two `info` files hold; the new one is written before the first file is touched. */
export interface HostState {
  readonly root: string;
  readonly from: HostFiles | undefined;
  readonly to: HostFiles | undefined;
  readonly installed: InstalledFiles | undefined;
  readonly next: InstalledFiles;
  readonly gone: readonly string[];
  readonly before: Before;
}

export function go({ root, from, to, installed, next, gone, before }: HostState, direction: Direction) {
  const places = placesAt(root);
  const [old, wanted] = [from && imageOf(from), to && imageOf(to)];
  if (direction === 'forward') return change({ places, tree: wanted, previous: installed });
  if (direction === 'redo') return change({ places, tree: wanted, previous: installed, begun: next });
  return change({ places, tree: old, previous: next, begun: installed, gone, before });
}

/** Maps as lists of pairs. */
export function encodeState(state: HostState): string {
  return JSON.stringify(state, (_, value) => (value instanceof Map ? { pairs: [...value] } : value));
}

export function decodeState(text: string): HostState {
  return JSON.parse(text, (_, value) => (Array.isArray(value?.pairs) ? new Map(value.pairs) : value));
}

const [, program = '', file = '', direction = ''] = process.argv;
if (import.meta.url === pathToFileURL(program).href) {
  const { log } = await go(decodeState(readFileSync(file, 'utf8')), direction as Direction);
  process.stdout.write(`${log.join('\n')}\n`);
}
