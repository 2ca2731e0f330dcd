/** From the words of `repo commit` to what is to be done. */
import { createReadStream, statSync } from 'node:fs';
import { decodeUtf8 } from '../../../base/decode.ts';
import { quote } from '../../../base/text.ts';
import { parseVariantText, string, type Variant, variantOf } from '../../../gvariant/index.ts';
import { readFileBounded } from '../../../linux/files/read.ts';
import {
  type CommitRequest,
  parseSkipList,
  parseStatOverrides,
  pathnameFilter,
  type TarSource,
  type TreeSource,
} from '../../../ostree/index.ts';
import { UsageError } from '../../arguments.ts';
import type { CommitValues } from './commit-options.ts';
import { commitTime } from './commit-time.ts';

/** Of lists of paths, and of a message. */
const LIST_LIMIT = 64 * 2 ** 20;

/** What goes to `commitTrees` beside the request. */
export interface TreeWords {
  readonly base: string | undefined;
  readonly autocreateParents: boolean;
  readonly rename: ((path: string) => string) | undefined;
  readonly threads: number | undefined;
  readonly fsync: boolean | undefined;
}

/** @throws UsageError, OstreeError CONFIG_MALFORMED, GVariantError, SystemError */
export async function readRequest(
  values: CommitValues,
  directory: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ readonly request: CommitRequest; readonly trees: TreeWords }> {
  assertWords(values, directory);
  const trees = {
    base: values.base,
    autocreateParents: values.tarAutocreateParents === true,
    rename: readFilter(values.tarPathnameFilter),
    threads: values.threads,
    fsync: values.disableFsync === true ? false : values.fsync,
  };
  const request: CommitRequest = {
    trees: treesOf(values, directory),
    modifiers: {
      ownerUid: values.ownerUid,
      ownerGid: values.ownerGid,
      canonicalPermissions: values.canonicalPermissions,
      noXattrs: !values.xattrs,
      modeRoExecutables: values.modeRoExecutables,
      statOverrides: readList(values.statoverride, parseStatOverrides),
      skip: readList(values.skipList, parseSkipList),
    },
    branch: values.branch,
    parent: values.parent,
    subject: values.subject,
    body: values.body ?? readList(values.bodyFile, (text) => text),
    timestamp: commitTime(values.timestamp, env),
    metadata: metadataOf(values),
    keepMetadata: values.keepMetadata,
    detachedMetadata: (values.addDetachedMetadataString ?? []).map(textEntry),
    bindRefs: values.bindings ? (values.bindRef ?? []) : undefined,
    bootable: values.bootable,
    skipIfUnchanged: values.skipIfUnchanged,
    linkedFiles: linkedFiles(values),
  };
  return { request, trees };
}

function assertWords(values: CommitValues, directory: string | undefined): void {
  const { branch, orphan, canonicalPermissions, ownerUid = 0, ownerGid = 0 } = values;
  if (branch === undefined && orphan !== true) {
    throw new UsageError('no branch is named', 'write --branch REF, or --orphan for a commit without a ref');
  }
  if (branch !== undefined && orphan === true) throw new UsageError('--branch and --orphan exclude each other');
  if (directory !== undefined && values.tree !== undefined) {
    throw new UsageError('a directory and --tree exclude each other', 'write --tree=dir=PATH');
  }
  if (values.body !== undefined && values.bodyFile !== undefined) {
    throw new UsageError('--body and --body-file exclude each other');
  }
  if (!values.bindings && values.bindRef !== undefined) {
    throw new UsageError('--no-bindings and --bind-ref exclude each other');
  }
  if (canonicalPermissions === true && (ownerUid !== 0 || ownerGid !== 0)) {
    throw new UsageError('--canonical-permissions makes 0:0 the owner, --owner-uid and --owner-gid another');
  }
}

function treesOf({ tree = [] }: CommitValues, directory = '.'): readonly TreeSource[] {
  if (tree.length === 0) return [{ kind: 'directory', path: directory }];
  if (tree.filter((text) => text === 'tar=-').length > 1)
    throw new UsageError('tar=- twice: there is one standard input');
  return tree.map(readTree);
}

function readTree(text: string): TreeSource {
  const [, type = '', value = ''] = /^([a-z]+)=(.+)$/s.exec(text) ?? [];
  switch (type) {
    case 'dir':
      return { kind: 'directory', path: value };
    case 'tar':
      return { kind: 'tar', source: tarSource(value) };
    case 'ref':
      return { kind: 'commit', revision: value };
    case 'prefix':
      return { kind: 'prefix', path: value };
    default:
      throw new UsageError(`--tree: expected dir=PATH, tar=FILE, ref=COMMIT or prefix=PATH, found ${quote(text)}`);
  }
}

/** What cannot be read at any place is read from its beginning: `-`, a FIFO, the shell's `<(...)`. */
function tarSource(path: string): TarSource {
  if (path === '-') return { kind: 'stream', stream: process.stdin, name: 'standard input' };
  if (statSync(path, { throwIfNoEntry: false })?.isFIFO() !== true) return { kind: 'path', path };
  return { kind: 'stream', stream: readFifo(path), name: path };
}

/** Opened when it is read: until then nobody would hear of an error, nor leave while it waits for a writer. */
async function* readFifo(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { highWaterMark: 2 ** 20 }) as AsyncIterable<Uint8Array>;
}

/** Texts come first, as in libostree. */
function metadataOf({ addMetadataString = [], addMetadata = [] }: CommitValues) {
  return [...addMetadataString.map(textEntry), ...addMetadata.map(variantEntry)];
}

function textEntry(text: string): readonly [string, Variant] {
  const [key, value] = splitEntry(text);
  return [key, variantOf(string, value)];
}

function variantEntry(text: string): readonly [string, Variant] {
  const [key, value] = splitEntry(text);
  return [key, parseVariantText(value)];
}

function splitEntry(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`metadata: expected KEY=VALUE, found ${quote(text)}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function linkedFiles({ linkCheckoutSpeedup, devinoCanonical }: CommitValues): CommitRequest['linkedFiles'] {
  if (devinoCanonical === true) return 'canonical';
  return linkCheckoutSpeedup === true ? 'unmodified' : undefined;
}

function readFilter(text: string | undefined): ((path: string) => string) | undefined {
  if (text === undefined) return undefined;
  try {
    return pathnameFilter(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(`--tar-pathname-filter: ${error.message}`);
    throw error;
  }
}

function readList<T>(path: string | undefined, parse: (text: string, name: string) => T): T | undefined {
  if (path === undefined) return undefined;
  const text = decodeUtf8(readFileBounded(path, LIST_LIMIT).bytes);
  if (text === undefined) throw new UsageError(`${path}: not UTF-8`);
  return parse(text, path);
}
