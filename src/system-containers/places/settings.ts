/**
 * The settings file of a host or a user: `/etc/os-containers.conf`, `~/.config/os-containers.conf`. What is written on
 * the command line or set in the environment comes before it. Described in docs/os-containers/settings.md.
 */
import { decodeDecimal, decodeUtf8 } from '../../base/decode.ts';
import { codeOf } from '../../base/error.ts';
import { type KeyValueGrammar, parseKeyValues } from '../../base/key-values.ts';
import { quote } from '../../base/text.ts';
import { parseTimeSpan } from '../../base/time-span.ts';
import { assertSafeOwner } from '../../linux/files/owner.ts';
import { readFileBounded, type SmallFile } from '../../linux/files/read.ts';
import { ContainerError } from '../error.ts';
import { SLOT_LIMIT } from '../names/index.ts';

/** What is not in the file is undefined. */
export interface Settings {
  readonly repo: string | undefined;
  readonly checkouts: string | undefined;
  readonly runtime: string | undefined;
  /** A `policy.json`. */
  readonly policy: string | undefined;
  readonly requireSignature: boolean | undefined;
  /** Directories, without a slash at their end; `/` alone is all. */
  readonly hostPrefixes: readonly string[];
  readonly keep: number | undefined;
  readonly waitMs: number | undefined;
  /** Accepted, but worth a word to the administrator. */
  readonly warnings: readonly string[];
}

export const NO_SETTINGS: Settings = {
  repo: undefined,
  checkouts: undefined,
  runtime: undefined,
  policy: undefined,
  requireSignature: undefined,
  hostPrefixes: [],
  keep: undefined,
  waitMs: undefined,
  warnings: [],
};

/** A larger file is no settings file. */
const LIMIT = 2 ** 20;

/** @throws ContainerError BAD_SETTINGS; CodedError UNSAFE_OWNER, UNSAFE_LINK, TOO_LARGE */
export function readSettings(path: string): Settings {
  const file = readIfThere(path);
  if (file === undefined) return NO_SETTINGS;
  assertSafeOwner(file.stats, { path });
  return parseSettingsFile(file.bytes, path);
}

function readIfThere(path: string): SmallFile | undefined {
  try {
    return readFileBounded(path, LIMIT);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** @throws ContainerError BAD_SETTINGS with the line */
export function parseSettingsFile(bytes: Uint8Array, path: string): Settings {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw invalid(path, 'not UTF-8');
  const { settings, warnings } = parseKeyValues(text, path, GRAMMAR);
  const all = (key: string): string[] => settings.filter((each) => each.key === key).map(({ value }) => value);
  const one = <T>(key: string, read: (text: string, where: string) => T): T | undefined => {
    const found = settings.find((each) => each.key === key);
    return found === undefined ? undefined : read(found.value, `${path}: line ${found.line}`);
  };
  return {
    repo: one('Repo', readPath),
    checkouts: one('Checkouts', readPath),
    runtime: one('Runtime', readPath),
    policy: one('Policy', readPath),
    requireSignature: one('RequireSignature', readYesNo),
    hostPrefixes: all('HostPrefix').map((value) => readPath(value, path)),
    keep: one('Keep', readKeep),
    waitMs: one('WaitSec', readWait),
    warnings,
  };
}

const READERS: Readonly<Record<string, (text: string, where: string) => unknown>> = {
  Repo: readPath,
  Checkouts: readPath,
  Runtime: readPath,
  Policy: readPath,
  RequireSignature: readYesNo,
  HostPrefix: readPath,
  Keep: readKeep,
  WaitSec: readWait,
};

const GRAMMAR: KeyValueGrammar = {
  keys: Object.keys(READERS),
  repeatable: new Set(['HostPrefix']),
  example: 'RequireSignature=yes',
  judge: (key, value, where) => READERS[key]?.(value, where),
  invalid,
};

/** Absolute and plain: what it leads to must not depend on where it is read. */
function readPath(text: string, where: string): string {
  const parts = text.split('/');
  if (text.startsWith('/') && !text.includes('\0') && !parts.includes('..')) {
    return `/${parts.filter((part) => part !== '' && part !== '.').join('/')}`;
  }
  throw invalid(where, `expected an absolute path without "..", found ${quote(text)}`);
}

function readYesNo(text: string, where: string): boolean {
  if (text === 'yes' || text === 'no') return text === 'yes';
  throw invalid(where, `expected yes or no, found ${quote(text)}`);
}

function readKeep(text: string, where: string): number {
  const count = decodeDecimal(text);
  if (count !== undefined && count >= 2 && count <= SLOT_LIMIT) return count;
  throw invalid(where, `expected a number from 2 (this deployment and the previous one) to ${SLOT_LIMIT}`);
}

function readWait(text: string, where: string): number {
  const span = parseTimeSpan(text);
  if (span === undefined) throw invalid(where, `expected a time span such as 5s or 2min, found ${quote(text)}`);
  return span;
}

function invalid(where: string, what: string, hint?: string): ContainerError {
  const subject = where.replace(/: line \d+$/, '');
  return new ContainerError('BAD_SETTINGS', `${where}: ${what}`, { hint, subject });
}
