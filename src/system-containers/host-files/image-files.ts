/** The host files of an image: found below `exports/hostfs` and brought to their final paths; the disk is not asked. */
import { quote } from '../../base/text.ts';
import { CONTRACT, type ContainerManifest } from '../contract/index.ts';
import { ContainerError } from '../error.ts';
import type { ImageTree } from '../image-tree.ts';
import { type NamedTemplate, namesMissingIn, parseTemplate, substituteText } from '../template/index.ts';
import { byPath, hostPath, prefixesOf } from './host-path.ts';

/** The part of an image's settings that counts here. */
export type HostFileRules = Pick<ContainerManifest, 'renameFiles' | 'installedFilesTemplate'>;

export interface HostFile {
  /** Where it goes on the host: absolute, normalised. */
  readonly path: string;
  /** Where it lies in the image, for `ImageTree`; '' of a directory that only the renaming of a file brings about. */
  readonly source: string;
  readonly kind: 'file' | 'symlink' | 'directory';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a file, before a template got its values. */
  readonly size: number;
  /** Text of a link. */
  readonly target: string | undefined;
  /** Its variables are replaced. */
  readonly isTemplate: boolean;
  readonly hasCapabilities: boolean;
}

/** An image with more of them is not made for this. */
const COUNT_LIMIT = 100_000;
/** Configuration files have kilobytes. */
export const TEMPLATE_LIMIT = 4 * 2 ** 20;

/**
 * Sorted by their final paths; directories too, those on the way included.
 * @throws ContainerError BAD_IMAGE_MANIFEST for two files of one path, HOST_PATH_REFUSED for a path that is none,
 * MISSING_VARIABLES and BAD_TEMPLATE in `renameFiles`
 */
export function hostFilesOf(
  tree: ImageTree,
  manifest: HostFileRules,
  values: ReadonlyMap<string, string>,
): readonly HostFile[] {
  const renamed = renamedPaths(manifest, values);
  const templates = new Set(manifest.installedFilesTemplate.map((path) => normal(path)));
  const files = new Map<string, HostFile>();
  for (const source of sourcesIn(tree)) {
    const file = hostFileAt(tree, source, renamed, templates);
    if (file === undefined) continue;
    const other = files.get(file.path);
    if (other !== undefined && (other.kind !== 'directory' || file.kind !== 'directory'))
      throw twice(tree, other, file);
    files.set(file.path, other ?? file);
  }
  for (const { path } of files.values()) {
    const above = prefixesOf(path).find((each) => (files.get(each)?.kind ?? 'directory') !== 'directory');
    if (above !== undefined) throw twice(tree, files.get(above), files.get(path));
  }
  const implied = [...files.keys()].flatMap(prefixesOf).filter((path) => !files.has(path));
  for (const path of implied) files.set(path, { ...IMPLIED, path });
  return [...files.values()].sort(byPath);
}

/** A directory that only the renaming of a file brought about. */
export const IMPLIED = {
  source: '',
  kind: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  target: undefined,
  isTemplate: false,
  hasCapabilities: false,
} as const;

/**
 * Host files whose variables are replaced, for `missingIn` over all templates of an image. A renaming whose variables
 * have no value is a template of its own; what it would rename counts by its name in the image.
 */
export function hostTemplatesOf(
  tree: ImageTree,
  { renameFiles, installedFilesTemplate }: HostFileRules,
  values: ReadonlyMap<string, string>,
): readonly NamedTemplate[] {
  const pairs = [...renameFiles].map(([from, to]) => ({
    pair: [from, to] as const,
    template: { file: 'renameFiles', template: parseTemplate(Buffer.from(to), 'renameFiles') },
  }));
  const known = pairs.filter(({ template }) => namesMissingIn([template], values).size === 0);
  const renamed = renamedPaths({ renameFiles: new Map(known.map(({ pair }) => pair)), installedFilesTemplate }, values);
  const templates = new Set(installedFilesTemplate.map((path) => normal(path)));
  const contents = [...sourcesIn(tree)].flatMap((source) => {
    const isTemplate = hostFileAt(tree, source, renamed, templates)?.isTemplate === true;
    return isTemplate ? [{ file: source, template: templateAt(tree, source) }] : [];
  });
  return [...pairs.map(({ template }) => template), ...contents];
}

export function templateAt(tree: ImageTree, source: string): ReturnType<typeof parseTemplate> {
  return parseTemplate(tree.read(source, TEMPLATE_LIMIT), source);
}

/** Host path in the image to its final path. */
export function renamedPaths(
  manifest: HostFileRules,
  values: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const pairs = [...manifest.renameFiles];
  return new Map(
    pairs.map(([from, to]) => [
      normal(from),
      hostPath(substituteText(to, 'renameFiles', values), `renaming ${quote(from)}`),
    ]),
  );
}

function hostFileAt(
  tree: ImageTree,
  source: string,
  renamed: ReadonlyMap<string, string>,
  templates: ReadonlySet<string>,
): HostFile | undefined {
  const entry = tree.look(source);
  if (entry === undefined) return undefined;
  const from = `/${source.slice(CONTRACT.hostFiles.length + 1)}`;
  const path = hostPath(finalPath(from, renamed), `${source} in ${tree.name}`);
  const { type: kind, mode, uid, gid, size, target, hasCapabilities } = entry;
  const isTemplate = kind === 'file' && (templates.has(from) || templates.has(path));
  return { path, source, kind, mode, uid, gid, size, target, isTemplate, hasCapabilities };
}

/** The longest renamed prefix counts: a directory takes all below it along. */
function finalPath(from: string, renamed: ReadonlyMap<string, string>): string {
  const prefix = [...prefixesOf(from), from].findLast((each) => renamed.has(each));
  if (prefix === undefined) return from;
  return `${renamed.get(prefix)}${from.slice(prefix.length)}`;
}

function* sourcesIn(tree: ImageTree): Generator<string> {
  if (tree.look(CONTRACT.hostFiles)?.type !== 'directory') return;
  const pending: string[] = [CONTRACT.hostFiles];
  let count = 0;
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const name of tree.list(directory)) {
      if (++count > COUNT_LIMIT) throw tooMany(tree);
      const source = `${directory}/${name}`;
      yield source;
      if (tree.look(source)?.type === 'directory') pending.push(source);
    }
  }
}

/** Of a path in the settings, with or without the slash in front. */
function normal(path: string): string {
  return hostPath(path.startsWith('/') ? path : `/${path}`, 'manifest.json');
}

function tooMany(tree: ImageTree): ContainerError {
  const text = `${tree.name}: more than ${COUNT_LIMIT} host files`;
  return new ContainerError('BAD_IMAGE_MANIFEST', text, { subject: tree.name });
}

function twice(tree: ImageTree, one: HostFile | undefined, other: HostFile | undefined): ContainerError {
  const text = `${tree.name}: ${quote(one?.source ?? '')} and ${quote(other?.source ?? '')} cannot both be on the host as ${quote(other?.path ?? '')}`;
  return new ContainerError('BAD_IMAGE_MANIFEST', text, { subject: tree.name });
}
