/** Reads what an image exports, strictly: links are not followed, every file has a limit. */
import { ContainerError } from '../error.ts';
import type { ImageTree, TreeEntry } from '../image-tree.ts';
import { type ContainerManifest, EMPTY_MANIFEST, parseContainerManifest } from './manifest.ts';
import { CONTRACT } from './paths.ts';

export interface Exports {
  /** Is there a directory `/exports` at all? Without one everything is a default, which hardly ever is enough. */
  readonly hasExports: boolean;
  readonly manifest: ContainerManifest;
  /** `config.json` as it is, which wins, or its template. */
  readonly config: { readonly kind: 'template' | 'verbatim'; readonly bytes: Uint8Array } | undefined;
  /** `service.template`. */
  readonly unit: Uint8Array | undefined;
  /** `tmpfiles.template`. */
  readonly tmpfiles: Uint8Array | undefined;
  /** Is there anything in `hostfs`? */
  readonly hasHostFiles: boolean;
  /** Is there a program `/exports/check`, which tells inside of the container whether the service is healthy? */
  readonly check: boolean;
}

/** Published ones have a few kilobytes; a configuration with all capabilities and system calls has 30. */
const MANIFEST_LIMIT = 2 ** 20;
const TEXT_LIMIT = 2 * 2 ** 20;

/** @throws ContainerError BAD_IMAGE_MANIFEST, BAD_STORED_IMAGE; CodedError TOO_LARGE */
export function readExports(tree: ImageTree): Exports {
  const hasExports = entryIn(tree, CONTRACT.exports, 'directory') !== undefined;
  const manifest = textIn(tree, CONTRACT.manifest, MANIFEST_LIMIT);
  const check = entryIn(tree, CONTRACT.check, 'file');
  return {
    hasExports,
    manifest: manifest === undefined ? EMPTY_MANIFEST : parseContainerManifest(manifest, tree.name),
    config: configIn(tree),
    unit: textIn(tree, CONTRACT.unit, TEXT_LIMIT),
    tmpfiles: textIn(tree, CONTRACT.tmpfiles, TEXT_LIMIT),
    hasHostFiles:
      entryIn(tree, CONTRACT.hostFiles, 'directory') !== undefined && tree.list(CONTRACT.hostFiles).length > 0,
    check: check !== undefined && (check.mode & 0o111) !== 0,
  };
}

function configIn(tree: ImageTree): Exports['config'] {
  const verbatim = textIn(tree, CONTRACT.config, TEXT_LIMIT);
  if (verbatim !== undefined) return { kind: 'verbatim', bytes: verbatim };
  const template = textIn(tree, CONTRACT.configTemplate, TEXT_LIMIT);
  return template === undefined ? undefined : { kind: 'template', bytes: template };
}

function textIn(tree: ImageTree, path: string, limit: number): Uint8Array | undefined {
  return entryIn(tree, path, 'file') === undefined ? undefined : tree.read(path, limit);
}

function entryIn(tree: ImageTree, path: string, type: TreeEntry['type']): TreeEntry | undefined {
  const entry = tree.look(path);
  if (entry === undefined || entry.type === type) return entry;
  const text = `/${path} in ${tree.name}: expected a ${type}, found a ${entry.type}`;
  throw new ContainerError('BAD_IMAGE_MANIFEST', text, { subject: tree.name });
}
