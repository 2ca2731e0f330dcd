/** Places that a copy writes to, as faults leave them. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import {
  DigestCheck,
  type ImageReader,
  openDirectoryImage,
  openLayout,
  openOciArchive,
  parseManifest,
} from '../../src/oci/index.ts';
import { type MadeImage, makeImage } from '../support/oci-image.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';
import { copied } from './image-program.ts';

export const KINDS = ['oci', 'oci-archive', 'dir'] as const;
export type Kind = (typeof KINDS)[number];

/** Two small images, and for each kind of place a folder where the first one is. */
export interface Models {
  readonly folder: string;
  readonly before: MadeImage;
  readonly after: MadeImage;
}

export async function makeModels(content: Uint8Array = Buffer.from('after')): Promise<Models> {
  const folder = makeScratch();
  const layers = (file: string | Uint8Array) => [[{ path: 'file', content: file }]];
  const before = await makeImage(join(folder, 'one'), { tag: 'v1', packing: 'none', layers: layers('before') });
  const after = await makeImage(join(folder, 'two'), { tag: 'v1', packing: 'none', layers: layers(content) });
  for (const kind of KINDS) {
    fs.mkdirSync(join(folder, kind));
    await copied([`oci:${folder}/one:v1`, nameAt(join(folder, kind), kind)]);
  }
  return { folder, before, after };
}

/** @param parent of the copy */
export function copyModel({ folder }: Models, kind: Kind, parent?: string): string {
  const place = parent === undefined ? makeScratch() : fs.mkdtempSync(join(parent, 'place-'));
  fs.cpSync(join(folder, kind), place, { recursive: true });
  return place;
}

export function nameAt(place: string, kind: Kind): string {
  return `${kind}:${join(place, 'target')}${kind === 'dir' ? '' : ':v1'}`;
}

/** The words behind the script that bring the second image. */
export function copyWords({ folder }: Models, place: string, kind: Kind): readonly string[] {
  return ['image', 'copy', '--insecure-policy', `oci:${folder}/two:v1`, nameAt(place, kind)];
}

/** The digest of the image that is there, every byte of which is verified. */
export async function wholeImageAt(place: string, kind: Kind): Promise<string> {
  const { signal } = new AbortController();
  const { reader, close } = await openAt(join(place, 'target'), kind);
  try {
    const raw = await reader.readManifest(undefined, signal);
    const manifest = parseManifest(raw);
    assert.ok(manifest.kind === 'image');
    for (const blob of [manifest.config, ...manifest.layers]) {
      const check = new DigestCheck('blob', blob.digest, blob.size);
      for await (const chunk of reader.readBlob(blob, 0, signal)) check.update(chunk);
      check.finish();
    }
    return raw.digest;
  } finally {
    await close();
  }
}

async function openAt(path: string, kind: Kind): Promise<{ reader: ImageReader; close: () => void | Promise<void> }> {
  if (kind === 'dir') {
    const reader = openDirectoryImage(path);
    return { reader, close: () => reader.close() };
  }
  const layout = kind === 'oci' ? openLayout(path) : await openOciArchive(path, new AbortController().signal);
  return { reader: layout.image('v1'), close: () => layout.close() };
}

/** Everything below a place but what a run may leave for the next one, by name. */
export function namesIn(place: string): readonly string[] {
  return fs.readdirSync(place, { recursive: true, encoding: 'utf8' }).sort();
}

export function removeModels({ folder }: Models): void {
  removeTree(folder);
}
