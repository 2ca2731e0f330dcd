/** `dir:` as source and destination. */
import { codeOf } from '../../base/error.ts';
import {
  assertReplaceable,
  createDirectoryImage,
  type Descriptor,
  type Digest,
  type DirectoryImage,
  type DirectoryWriter,
  openDirectoryImage,
} from '../../oci/index.ts';
import type { ImageName } from '../image-name.ts';
import type { ImageDestination, ImageSource } from '../ports.ts';
import { fileDestination, fileSource } from './files.ts';
import type { LayoutSettings } from './layout.ts';

/** @throws OciError NOT_A_LAYOUT */
export async function directorySource(name: ImageName): Promise<ImageSource> {
  return fileSource(name, openDirectoryImage(name.location), 'exact');
}

/**
 * Nothing is made before the first blob is written. Blobs of the image that is replaced are taken over.
 * @throws OciError NOT_A_LAYOUT for a directory of something else
 */
export function directoryDestination(name: ImageName, settings: LayoutSettings = {}): ImageDestination {
  assertReplaceable(name.location);
  const before = existingImage(name.location);
  const kept = new Map<Digest, Descriptor>();
  let writer: Promise<DirectoryWriter> | undefined;
  const open = (signal?: AbortSignal): Promise<DirectoryWriter> => {
    writer ??= createDirectoryImage(name.location, { ...settings, signal });
    return writer;
  };
  const destination = fileDestination(
    name,
    {
      hasBlob: () => false,
      writeBlob: async (descriptor, source, signal) => (await open(signal)).writeBlob(descriptor, source, signal),
      writeManifest: async (raw, signal) => (await open(signal)).writeManifest(raw),
      writeSignatures: async (digest, list, signal) => (await open(signal)).writeSignatures(digest, list),
      finish: async (raw, signal) => {
        const image = await open(signal);
        await takeOver([...kept.values()], before, image, signal);
        image.finish(raw);
      },
      close: async () => {
        before?.close();
        (await writer?.catch(() => undefined))?.close(); // who opened it has heard of the failure
      },
    },
    { layers: 'exact', holdsIndexes: true },
  );
  return {
    ...destination,
    hasBlob: async (descriptor, signal) => {
      const isThere = kept.has(descriptor.digest) || (await before?.hasBlob(descriptor, signal)) === true;
      if (isThere) kept.set(descriptor.digest, descriptor);
      return isThere;
    },
  };
}

/** Verified once more, while they are copied. */
async function takeOver(
  blobs: readonly Descriptor[],
  from: DirectoryImage | undefined,
  to: DirectoryWriter,
  signal: AbortSignal,
): Promise<void> {
  if (from === undefined) return;
  for (const blob of blobs) await to.writeBlob(blob, (start) => from.readBlob(blob, start, signal), signal);
}

function existingImage(path: string): DirectoryImage | undefined {
  try {
    return openDirectoryImage(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'NOT_A_LAYOUT') return undefined; // none yet, or the rest of an interrupted run
    throw error;
  }
}
