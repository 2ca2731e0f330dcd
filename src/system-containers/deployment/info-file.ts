/**
 * The file `info` of a deployment: JSON, indented by 4, mode 0600. Files of the Go program and of `atomic` are read, too:
 * values may be numbers, lists and objects may be null, keys may be missing; keys that we do not know are kept.
 */
import { decodeUtf8 } from '../../base/decode.ts';
import type { Json } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { replaceFile } from '../../linux/files/durable.ts';
import { readBounded } from '../../linux/files/read.ts';
import { ContainerError } from '../error.ts';
import { verificationJson, verificationOf } from '../verification.ts';
import type { Info, TagVersion } from './info.ts';

/** An image with a million host files stays below. */
const LIMIT = 2 ** 28;
const FILE = 'info';
const MODE = 0o600;

/** Nothing known yet. */
export const NEW_INFO: Info = {
  image: '',
  revision: '',
  imageCommit: '',
  created: 0,
  runtime: '',
  hasService: true,
  rootfs: undefined,
  installedFiles: [],
  installedTemplates: [],
  checksums: new Map(),
  renamedFiles: new Map(),
  values: new Map(),
  setValues: undefined,
  installedDirectories: [],
  modifiedFiles: [],
  newFiles: new Map(),
  activated: undefined,
  permissions: [],
  verification: undefined,
  tagVersion: undefined,
  skippedRevision: undefined,
  unknown: {},
};

/** @param directory of the deployment; undefined when it has no such file @throws ContainerError BAD_INFO */
export function readInfo(directory: Directory): Info | undefined {
  const file = readBounded(directory, FILE, LIMIT);
  return file === undefined ? undefined : decodeInfo(file.bytes, directory.pathOf(FILE));
}

/** Replaced as a whole, and durable. @param path of the deployment */
export function writeInfo(path: string, info: Info): void {
  const directory = openDirectory(path);
  try {
    replaceFile({ directory, name: FILE }, { directory, name: `.${FILE}.new` }, encodeInfo(info), MODE);
  } finally {
    directory.close();
  }
}

/** @param path for messages @throws ContainerError BAD_INFO */
export function decodeInfo(bytes: Uint8Array, path: string): Info {
  const fields = parseFields(bytes, path);
  const created = fields['created'];
  const revision = textOf(fields['revision']);
  return {
    image: textOf(fields['image']),
    revision: revision.replace(/^sha256:/, ''),
    imageCommit: textOf(fields['ostree-commit']),
    created: typeof created === 'number' ? created : Number(textOf(created)) || 0,
    runtime: textOf(fields['runtime']),
    hasService: fields['has-container-service'] !== false,
    rootfs: textOf(fields['remote']) || undefined,
    installedFiles: textsOf(fields['installed-files']),
    installedTemplates: textsOf(fields['installed-files-template']),
    checksums: mapOf(fields['installed-files-checksum']),
    renamedFiles: mapOf(fields['rename-installed-files']),
    values: mapOf(fields['values']),
    setValues: fields['set-values'] === undefined ? undefined : mapOf(fields['set-values']),
    installedDirectories: textsOf(fields['installed-directories']),
    modifiedFiles: textsOf(fields['modified-files']),
    newFiles: mapOf(fields['new-files']),
    activated: typeof fields['activated'] === 'number' ? fields['activated'] : undefined,
    permissions: textsOf(fields['permissions']),
    verification: verificationOf(fields['verification']),
    tagVersion: tagVersionOf(fields['tag-version']),
    skippedRevision: textOf(fields['skipped-revision']) || undefined,
    unknown: unknownIn(fields),
  };
}

/** `decodeInfo` gives the same again. */
export function encodeInfo(info: Info): Uint8Array {
  const body: { readonly [key: string]: Json | undefined } = {
    'ostree-commit': info.imageCommit,
    'has-container-service': info.hasService,
    revision: info.revision,
    digest: info.revision === '' ? undefined : `sha256:${info.revision}`,
    remote: info.rootfs ?? '',
    image: info.image,
    created: info.created,
    runtime: info.runtime,
    'installed-files': info.installedFiles,
    'installed-files-template': info.installedTemplates,
    'installed-files-checksum': objectOf(info.checksums),
    'rename-installed-files': objectOf(info.renamedFiles),
    values: objectOf(info.values),
    'set-values': info.setValues && objectOf(info.setValues),
    'installed-directories': info.installedDirectories,
    'modified-files': info.modifiedFiles,
    'new-files': objectOf(info.newFiles),
    activated: info.activated,
    permissions: info.permissions,
    verification: info.verification && verificationJson(info.verification),
    'tag-version': info.tagVersion && { pattern: info.tagVersion.pattern, 'pre-releases': info.tagVersion.preReleases },
    'skipped-revision': info.skippedRevision,
    ...info.unknown,
  };
  return Buffer.from(`${JSON.stringify(body, null, 4)}\n`);
}

const KNOWN: ReadonlySet<string> = new Set([
  'activated',
  'created',
  'digest',
  'has-container-service',
  'image',
  'installed-directories',
  'installed-files',
  'installed-files-checksum',
  'installed-files-template',
  'modified-files',
  'new-files',
  'ostree-commit',
  'permissions',
  'remote',
  'rename-installed-files',
  'revision',
  'runtime',
  'set-values',
  'skipped-revision',
  'tag-version',
  'values',
  'verification',
]);

type Fields = { readonly [key: string]: Json | undefined };

function parseFields(bytes: Uint8Array, path: string): Fields {
  const bad = (what: string, cause?: unknown): ContainerError =>
    new ContainerError('BAD_INFO', `${printable(path)}: ${what}`, { cause, subject: path });
  const text = decodeUtf8(bytes);
  if (text === undefined) throw bad('not UTF-8');
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw bad('not JSON', cause);
  }
  if (!isFields(value)) throw bad('expected a JSON object');
  return value;
}

function isFields(value: Json | undefined): value is { readonly [key: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownIn(fields: Fields): Record<string, Json> {
  const found = Object.entries(fields).flatMap(([key, value]) =>
    KNOWN.has(key) || value === undefined ? [] : [[key, value] as const],
  );
  return Object.fromEntries(found);
}

/** Scalars as text, everything else as nothing. */
function textOf(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function textsOf(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

function mapOf(value: Json | undefined): Map<string, string> {
  if (!isFields(value)) return new Map();
  return new Map(Object.entries(value).map(([key, each]) => [key, textOf(each)]));
}

/** Own properties whatever they are called, `__proto__` too. */
function objectOf(map: ReadonlyMap<string, string>): { readonly [key: string]: string } {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function tagVersionOf(value: Json | undefined): TagVersion | undefined {
  if (!isFields(value)) return undefined;
  const pattern = textOf(value['pattern']);
  return pattern === '' ? undefined : { pattern, preReleases: value['pre-releases'] === true };
}
