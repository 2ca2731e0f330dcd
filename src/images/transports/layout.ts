/** `oci:` and `oci-archive:` as source and destination. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import {
  type ArchiveWriter,
  artifactTypeOf,
  assertLayoutPlace,
  createLayout,
  type Descriptor,
  type Digest,
  type Layout,
  type LayoutWriter,
  type Manifest,
  OciError,
  openLayout,
  openOciArchive,
  parseManifest,
  type RawManifest,
  writeOciArchive,
} from '../../oci/index.ts';
import type { ImageName } from '../image-name.ts';
import type { ImageDestination, ImageSource } from '../ports.ts';
import { fileDestination, fileSource } from './files.ts';

/** @throws OciError NOT_A_LAYOUT, IMAGE_MISSING, TAG_AMBIGUOUS */
export async function layoutSource(name: ImageName, signal: AbortSignal): Promise<ImageSource> {
  const { transport, location, selector } = name;
  const layout = transport === 'oci' ? openLayout(location) : await openOciArchive(location, signal);
  try {
    const image = layout.image(selector);
    const reader = {
      readManifest: image.readManifest,
      readBlob: image.readBlob,
      findTag: (tag: string) => taggedManifest(layout, tag),
      listReferrers: (digest: Digest) => referrersIn(layout, digest),
      close: () => layout.close(),
    };
    return fileSource(name, reader, 'exact');
  } catch (error) {
    layout.close();
    throw error;
  }
}

function taggedManifest(layout: Layout, tag: string): RawManifest | undefined {
  if (!layout.tags().includes(tag)) return undefined;
  const { digest, size, mediaType } = layout.find(tag);
  return layout.readManifest(digest, size, mediaType);
}

/** A layout lists referrers in its index, like images; each is looked at once, however often it stands there. */
function referrersIn(layout: Layout, subject: Digest): readonly Descriptor[] {
  const listed = new Map(layout.index().manifests.map((each) => [each.digest, each]));
  listed.delete(subject);
  return [...listed.values()].flatMap((descriptor) => {
    const manifest = manifestOf(layout, descriptor);
    if (manifest?.subject?.digest !== subject) return [];
    return [{ ...descriptor, artifactType: artifactTypeOf(manifest) }];
  });
}

/** Undefined for what nobody can read, and what therefore speaks of nothing. */
function manifestOf(layout: Layout, { digest, size, mediaType }: Descriptor): Manifest | undefined {
  try {
    return parseManifest(layout.readManifest(digest, size, mediaType));
  } catch (error) {
    if (error instanceof OciError) return undefined;
    throw error;
  }
}

export interface LayoutSettings {
  readonly lockTimeoutMs?: number | undefined;
  readonly onWait?: (() => void) | undefined;
}

const TRAITS = { layers: 'exact', holdsIndexes: true } as const;

/** Nothing is made or locked before the first blob is written, so that a dry run leaves no traces. */
export function layoutDestination(name: ImageName, settings: LayoutSettings): ImageDestination {
  const { location, selector } = name;
  let writer: Promise<LayoutWriter> | undefined;
  const open = (signal?: AbortSignal): Promise<LayoutWriter> => {
    writer ??= createLayout(location, { ...settings, signal });
    return writer;
  };
  const present = existingLayout(location);
  return fileDestination(
    name,
    {
      hasBlob: (digest, size) => present?.hasBlob(digest, size) ?? false,
      writeBlob: async (descriptor, source, signal) => (await open(signal)).writeBlob(descriptor, source, signal),
      writeManifest: async (raw, signal) => (await open(signal)).writeManifest(raw),
      writeSibling: async (tag, raw, signal) => {
        const layout = await open(signal);
        layout.writeManifest(raw);
        layout.setTag(descriptorOf(raw), tag);
        layout.flush();
      },
      writeReferrer: async (raw, signal) => {
        const layout = await open(signal);
        layout.writeManifest(raw);
        layout.addReferrer({ ...descriptorOf(raw), artifactType: artifactTypeOf(parseManifest(raw)) });
        layout.flush();
      },
      finish: async (raw, signal) => {
        const layout = await open(signal);
        layout.writeManifest(raw);
        layout.setTag(descriptorOf(raw), selector);
        layout.flush();
      },
      close: async () => {
        present?.close();
        (await writer?.catch(() => undefined))?.close(); // who opened it has heard of the failure
      },
    },
    TRAITS,
  );
}

export function archiveDestination(name: ImageName, settings: LayoutSettings): ImageDestination {
  const { location, selector } = name;
  let writer: Promise<ArchiveWriter> | undefined;
  const open = (signal?: AbortSignal): Promise<ArchiveWriter> => {
    writer ??= writeOciArchive(location, { ...settings, signal });
    return writer;
  };
  return fileDestination(
    name,
    {
      hasBlob: () => false, // what a killed run has staged is found by `writeBlob`, which then asks for nothing
      writeBlob: async (descriptor, source, signal) => (await open(signal)).writeBlob(descriptor, source, signal),
      writeManifest: async (raw, signal) => (await open(signal)).writeManifest(raw),
      finish: async (raw, signal) => {
        const archive = await open(signal);
        archive.writeManifest(raw);
        archive.setTag(descriptorOf(raw), selector);
        await archive.finish(signal);
      },
      close: async () => (await writer?.catch(() => undefined))?.close(), // the same
    },
    TRAITS,
  );
}

function descriptorOf({ mediaType, digest, bytes }: RawManifest): Descriptor {
  return { mediaType, digest, size: bytes.length };
}

/**
 * Blobs that another image of the layout has brought. Undefined where there is none yet.
 * @throws OciError NOT_A_LAYOUT where there can be none
 */
function existingLayout(path: string): Layout | undefined {
  try {
    if (fs.readdirSync(path).length === 0) return undefined;
    return openLayout(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'NOT_A_LAYOUT') assertLayoutPlace(path);
    else if (code !== 'ENOENT') throw error;
    return undefined; // made, or begun anew, when it is written
  }
}
