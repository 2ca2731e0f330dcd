/** Images in layouts, archives and directories: what these keep is nearly what an image source and destination are. */
import type { Descriptor, Digest, ImageReader, RawManifest, StoredName } from '../../oci/index.ts';
import { ImagesError } from '../error.ts';
import { formatImageName, type ImageName } from '../image-name.ts';
import type { BlobSource, ImageDestination, ImageSource } from '../ports.ts';

/** What a place on the disk can do beside reading the image. */
export interface FileReader extends ImageReader {
  findTag?(tag: string): RawManifest | undefined;
  listReferrers?(digest: Digest): readonly Descriptor[];
  simpleSignatures?(digest: Digest): readonly Uint8Array[];
}

export function fileSource(
  name: ImageName,
  reader: FileReader,
  layers: 'exact' | 'tars',
  stored?: StoredName,
): ImageSource {
  return {
    name,
    layers,
    identity: undefined,
    stored,
    readManifest: (digest, signal) => reader.readManifest(digest, signal),
    readBlob: (descriptor, from, signal) => reader.readBlob(descriptor, from, signal),
    simpleSignatures: async (digest) => reader.simpleSignatures?.(digest) ?? [],
    sibling: async (tag) => reader.findTag?.(tag),
    referrers: async (digest) => reader.listReferrers?.(digest) ?? [],
    close: () => reader.close(),
  };
}

/** A writer of one of the formats, as `oci` has them. */
export interface FileWriter {
  hasBlob(digest: Digest, size: number): boolean;
  writeBlob(descriptor: Descriptor, source: BlobSource, signal: AbortSignal): Promise<void>;
  writeManifest(raw: RawManifest, signal: AbortSignal): void | Promise<void>;
  writeSignatures?(digest: Digest, signatures: readonly Uint8Array[], signal: AbortSignal): void | Promise<void>;
  /** Under a tag of its own, beside the image. */
  writeSibling?(tag: string, raw: RawManifest, signal: AbortSignal): void | Promise<void>;
  /** Without a tag, beside the image that it names. */
  writeReferrer?(raw: RawManifest, signal: AbortSignal): void | Promise<void>;
  /** The image gets its name, and everything is durable. */
  finish(raw: RawManifest, signal: AbortSignal): Promise<void>;
  close(): void | Promise<void>;
}

export interface FileTraits {
  readonly layers: 'exact' | 'tars';
  readonly holdsIndexes: boolean;
  readonly manifestTypes?: readonly string[] | undefined;
}

export function fileDestination(name: ImageName, writer: FileWriter, traits: FileTraits): ImageDestination {
  const putReferrer = writer.writeReferrer?.bind(writer);
  return {
    name,
    layers: traits.layers,
    holdsIndexes: traits.holdsIndexes,
    manifestTypes: traits.manifestTypes,
    keepsSimpleSignatures: writer.writeSignatures !== undefined,
    identity: undefined,
    hasBlob: async ({ digest, size }) => writer.hasBlob(digest, size),
    borrowBlob: async () => false,
    putBlob: (descriptor, source, signal) => writer.writeBlob(descriptor, source, signal),
    putManifest: async (raw, signal) => writer.writeManifest(raw, signal),
    putSimpleSignatures: async (digest, signatures, signal) => {
      if (writer.writeSignatures === undefined) throw keepsNoSignatures(name);
      await writer.writeSignatures(digest, signatures, signal);
    },
    putSibling: async (tag, raw, signal) => {
      if (writer.writeSibling === undefined) throw keepsNoSignatures(name);
      await writer.writeSibling(tag, raw, signal);
    },
    ...(putReferrer !== undefined && { putReferrer: async (raw, signal) => putReferrer(raw, signal) }),
    finish: (raw, signal) => writer.finish(raw, signal),
    close: async () => writer.close(),
  };
}

export function keepsNoSignatures(name: ImageName): ImagesError {
  return new ImagesError('TRANSPORT_UNSUPPORTED', `${formatImageName(name)}: keeps no signatures`, {
    hint: '--remove-signatures leaves them behind',
  });
}
