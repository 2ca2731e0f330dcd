/** The `[core]` group of a repository's `config`, checked. Source: ostree.repo-config(5). */
import { quote } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import type { KeyFile } from './key-file.ts';
import { isCollectionId } from './ref-names.ts';

export type RepositoryMode = 'archive' | 'bare' | 'bare-user' | 'bare-user-only' | 'bare-split-xattrs';

/** The name of the archive mode on the disk, and its usual one. */
const MODES: Readonly<Record<string, RepositoryMode>> = {
  'archive-z2': 'archive',
  archive: 'archive',
  bare: 'bare',
  'bare-user': 'bare-user',
  'bare-user-only': 'bare-user-only',
  'bare-split-xattrs': 'bare-split-xattrs',
};

export interface RepositoryConfig {
  readonly mode: RepositoryMode;
  /** One barrier for each transaction; false: none at all. */
  readonly fsync: boolean;
  readonly perObjectFsync: boolean;
  readonly locking: boolean;
  /** Undefined: wait for ever. */
  readonly lockTimeoutMs: number | undefined;
  readonly minFree: MinFree;
  readonly tmpExpiryMs: number;
  readonly parent: string | undefined;
  readonly collectionId: string | undefined;
  readonly tombstoneCommits: boolean;
  readonly autoUpdateSummary: boolean;
  readonly noDeltasInSummary: boolean;
  readonly indexedDeltas: boolean;
  readonly disableXattrs: boolean;
  readonly uncompressedCache: boolean;
  /** 1 to 9. */
  readonly zlibLevel: number;
  readonly signVerifyDeltas: boolean;
}

/** What content may not use up: a share of the file system, or bytes. */
export type MinFree =
  | { readonly kind: 'percent'; readonly percent: number }
  | { readonly kind: 'size'; readonly bytes: number };

export function isRepositoryMode(text: string): boolean {
  return Object.hasOwn(MODES, text);
}

/** As `init --mode=` and `core.mode` spell it. */
export function parseMode(text: string): RepositoryMode {
  const mode = Object.hasOwn(MODES, text) ? MODES[text] : undefined;
  if (mode === undefined) {
    throw new OstreeError('REPOSITORY_MODE', `unknown repository mode ${quote(text)}`, {
      hint: 'modes are archive, bare, bare-user, bare-user-only and, to read, bare-split-xattrs',
    });
  }
  return mode;
}

export function formatMode(mode: RepositoryMode): string {
  return mode === 'archive' ? 'archive-z2' : mode;
}

/** @throws OstreeError CONFIG_MALFORMED, REPOSITORY_MODE */
export function readConfig(file: KeyFile, path: string): RepositoryConfig {
  const refuse = (text: string): OstreeError =>
    new OstreeError('CONFIG_MALFORMED', `${path}: ${text}`, { subject: path });
  const version = file.string('core', 'repo_version');
  if (version !== '1')
    throw refuse(`expected repo_version=1, found ${version === undefined ? 'none' : quote(version)}`);
  if (file.boolean('core', 'archive') === true) throw refuse('archive=true is a dead format');
  const flag = (key: string, otherwise: boolean): boolean => file.boolean('core', key) ?? otherwise;
  const lockTimeout = file.integer('core', 'lock-timeout-secs') ?? 300;
  const collectionId = file.string('core', 'collection-id');
  if (collectionId !== undefined && !isCollectionId(collectionId)) {
    throw refuse(`collection-id: ${quote(collectionId)} is no collection id`);
  }
  const zlibLevel = file.integer('archive', 'zlib-level') ?? 6;
  if (zlibLevel < 1 || zlibLevel > 9) throw refuse(`zlib-level: expected 1 to 9, found ${zlibLevel}`);
  return {
    mode: parseMode(file.string('core', 'mode') ?? 'bare'),
    fsync: flag('fsync', true),
    perObjectFsync: flag('per-object-fsync', false),
    locking: flag('locking', true),
    lockTimeoutMs: lockTimeout < 0 ? undefined : lockTimeout * 1000,
    minFree: readMinFree(file, refuse),
    tmpExpiryMs: (file.integer('core', 'tmp-expiry-secs') ?? 86_400) * 1000,
    parent: file.string('core', 'parent'),
    collectionId,
    tombstoneCommits: flag('tombstone-commits', false),
    autoUpdateSummary: flag('auto-update-summary', false) || flag('commit-update-summary', false),
    noDeltasInSummary: flag('no-deltas-in-summary', false),
    indexedDeltas: flag('indexed-deltas', false),
    disableXattrs: flag('disable-xattrs', false),
    uncompressedCache: flag('enable-uncompressed-cache', true),
    zlibLevel,
    signVerifyDeltas: flag('sign-verify-deltas', false),
  };
}

const UNITS: Readonly<Record<string, number>> = { MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 };

function readMinFree(file: KeyFile, refuse: (text: string) => OstreeError): MinFree {
  const size = file.string('core', 'min-free-space-size');
  if (size !== undefined) {
    const [, digits = '', unit = ''] = /^([0-9]{1,9})(MB|GB|TB)$/.exec(size) ?? [];
    const factor = UNITS[unit];
    if (factor === undefined) throw refuse(`min-free-space-size: expected a size such as 500MB, found ${quote(size)}`);
    return { kind: 'size', bytes: Number(digits) * factor };
  }
  const percent = file.integer('core', 'min-free-space-percent') ?? 3;
  if (percent < 0 || percent > 99) throw refuse(`min-free-space-percent: expected 0 to 99, found ${percent}`);
  return { kind: 'percent', percent };
}
