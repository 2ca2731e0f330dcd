/**
 * What a repository remembers of the tags that a ref follows: `extensions/tako/pull/REF.json`. Nothing in it is needed
 * to verify anything: lost or damaged, it is as if empty.
 */

import { decodeUtf8 } from '../../../base/decode.ts';
import { decodeTime, type Json } from '../../../base/json.ts';
import type { Directory } from '../../../linux/files/directory.ts';
import { replaceFile } from '../../../linux/files/durable.ts';
import { readBounded } from '../../../linux/files/read.ts';
import type { Repository } from '../../../ostree/index.ts';
import { escapeRef } from '../../reference/index.ts';

/** As in the state of `tako`. */
export interface Mark {
  readonly version: string;
  readonly reason: 'hold' | 'skip';
  readonly at: string;
}

export interface TagState {
  readonly hold: Mark | null;
  readonly skip: readonly Mark[];
  /** What the ref leads to, as far as it was pulled by version. */
  readonly current: { readonly tag: string; readonly commit: string } | null;
}

export const STATE_SCHEMA = 'ostree-container.pull-state/1';
export const EMPTY_STATE: TagState = { hold: null, skip: [], current: null };
const STATE_LIMIT = 2 ** 20;
const FOLDERS = ['extensions', 'tako', 'pull'] as const;

/** @param ref as on the command line */
export function readTagState(repository: Repository, ref: string, warn: (text: string) => void): TagState {
  const folder = openFolder(repository, false);
  if (folder === undefined) return EMPTY_STATE;
  try {
    const name = nameOf(ref);
    const file = readBounded(folder, name, STATE_LIMIT);
    if (file === undefined) return EMPTY_STATE;
    const state = parseState(decodeUtf8(file.bytes));
    if (state === undefined) warn(`${folder.pathOf(name)}: damaged, taken as empty`);
    return state ?? EMPTY_STATE;
  } finally {
    folder.close();
  }
}

/** Durable. */
export function writeTagState(repository: Repository, ref: string, state: TagState): void {
  const folder = openFolder(repository, true);
  if (folder === undefined) throw new Error('unreachable: a folder that was made');
  try {
    const name = nameOf(ref);
    const document: Json = { schema: STATE_SCHEMA, ref, ...(state as unknown as { [key: string]: Json }) };
    const bytes = Buffer.from(`${JSON.stringify(document, null, 2)}\n`);
    replaceFile({ directory: folder, name }, { directory: folder, name: `.${name}.new` }, bytes, 0o644);
  } finally {
    folder.close();
  }
}

function nameOf(ref: string): string {
  return `${escapeRef(ref).replaceAll('/', '_2F_')}.json`;
}

function openFolder(repository: Repository, make: boolean): Directory | undefined {
  let at: Directory = repository.directory;
  for (const name of FOLDERS) {
    const next = make ? at.makeDirectory(name, 0o775) : at.openDirectory(name);
    if (at !== repository.directory) at.close();
    if (next === undefined) return undefined;
    at = next;
  }
  return at;
}

function parseState(text: string | undefined): TagState | undefined {
  const value = text === undefined ? undefined : parsed(text);
  if (!isObject(value) || value['schema'] !== STATE_SCHEMA) return undefined;
  const { hold = null, skip = [], current = null } = value;
  const marks = Array.isArray(skip) ? skip.map(markOf) : [undefined];
  const held = hold === null ? null : markOf(hold);
  const now = current === null ? null : currentOf(current);
  if (held === undefined || now === undefined || marks.includes(undefined)) return undefined;
  return { hold: held, skip: marks.flatMap((mark) => mark ?? []), current: now };
}

function markOf(value: unknown): Mark | undefined {
  if (!isObject(value)) return undefined;
  const { version, reason, at } = value;
  const isKnown = reason === 'hold' || reason === 'skip';
  if (typeof version !== 'string' || !isKnown || typeof at !== 'string' || decodeTime(at) === undefined)
    return undefined;
  return { version, reason, at };
}

function currentOf(value: unknown): TagState['current'] | undefined {
  if (!isObject(value)) return undefined;
  const { tag, commit } = value;
  return typeof tag === 'string' && typeof commit === 'string' ? { tag, commit } : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
