/** One image of a Docker archive, with the manifest that is made up for it. */
import fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { printable, quote } from '../../base/text.ts';
import { type CompressionFormat, decompress, detectCompression } from '../../compression/index.ts';
import { parseConfig } from '../config.ts';
import type { Descriptor } from '../descriptor.ts';
import { type Digest, digestOf } from '../digest.ts';
import { OciError } from '../error.ts';
import type { ImageReader } from '../image-reader.ts';
import { MANIFEST_LIMIT } from '../json.ts';
import { malformedLayout } from '../layout/layout.ts';
import { readBlobFile } from '../layout/read-blob.ts';
import { encodeManifest, type RawManifest, rawManifest } from '../manifest.ts';
import { MEDIA } from '../media-types.ts';
import type { ArchiveEntries } from './archive-entries.ts';
import type { ArchivedImage } from './archived-images.ts';

const MAGIC_BYTES = 6;

interface Part {
  readonly descriptor: Descriptor;
  /** In the archive. */
  readonly name: string;
  readonly packing: CompressionFormat;
}

interface Parts {
  readonly raw: RawManifest;
  readonly byDigest: ReadonlyMap<Digest, Part>;
}

export class ArchivedReader implements ImageReader {
  readonly #entries: ArchiveEntries;
  readonly #image: ArchivedImage;
  readonly #limit: number;
  #parts: Parts | undefined;

  constructor(entries: ArchiveEntries, image: ArchivedImage, limit: number) {
    this.#entries = entries;
    this.#image = image;
    this.#limit = limit;
  }

  /** @throws OciError IMAGE_MISSING for any other than the one image */
  async readManifest(digest: Digest | undefined, signal: AbortSignal): Promise<RawManifest> {
    const { raw } = await this.#known(signal);
    if (digest === undefined || digest === raw.digest) return raw;
    const message = `${printable(this.#entries.path)}: no manifest ${digest}`;
    throw new OciError('IMAGE_MISSING', message, { subject: digest });
  }

  async *readBlob({ digest }: Descriptor, from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const part = (await this.#known(signal)).byDigest.get(digest);
    if (part === undefined) {
      const message = `${printable(this.#entries.path)}: blob ${digest} is missing`;
      throw new OciError('BLOB_MISSING', message, { subject: digest });
    }
    if (part.packing === 'none') yield* this.#stored(part.name, from, signal);
    else yield* skipped(this.#unpacked(part, signal), from);
  }

  /** The archive is somebody else's. */
  close(): void {
    return undefined;
  }

  async #known(signal: AbortSignal): Promise<Parts> {
    this.#parts ??= await this.#look(signal);
    return this.#parts;
  }

  async #look(signal: AbortSignal): Promise<Parts> {
    const { config: name, layers: names } = this.#image;
    const bytes = this.#entries.readSmall(name, MANIFEST_LIMIT);
    if (bytes === undefined) throw this.#malformed(`configuration ${quote(name)} is missing`);
    const { diff_ids: diffIds } = parseConfig(bytes).rootfs;
    if (diffIds.length !== names.length) {
      throw this.#malformed(`${names.length} layers, and ${diffIds.length} diff ids in the configuration`);
    }
    const config = { mediaType: MEDIA.dockerConfig, digest: digestOf(bytes), size: bytes.length };
    const byDigest = new Map<Digest, Part>([[config.digest, { descriptor: config, name, packing: 'none' }]]);
    const layers: Descriptor[] = [];
    for (const [i, layer] of names.entries()) {
      const digest = diffIds[i];
      if (digest === undefined) throw new Error('unreachable: as many diff ids as layers');
      const part = byDigest.get(digest) ?? (await this.#measure(layer, digest, signal));
      byDigest.set(digest, part);
      layers.push(part.descriptor);
    }
    return { raw: manifestOf(config, layers), byDigest };
  }

  /** The size that matters is that of the tar: a packed layer has to be unpacked once to know it. */
  async #measure(name: string, digest: Digest, signal: AbortSignal): Promise<Part> {
    const file = this.#entries.open(name);
    if (file === undefined) throw this.#malformed(`layer ${quote(name)} is missing`);
    const start = Buffer.alloc(Math.min(MAGIC_BYTES, file.size));
    const packing = detectCompression(start.subarray(0, fs.readSync(file.fd, start, 0, start.length, file.offset)));
    const part = (size: number): Part => ({
      descriptor: { mediaType: MEDIA.dockerLayer, digest, size },
      name,
      packing,
    });
    if (packing === 'none') return part(file.size);
    let size = 0;
    for await (const chunk of this.#unpacked(part(0), signal)) {
      size += chunk.length;
      await setImmediate();
    }
    return part(size);
  }

  #unpacked({ name, packing }: Part, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    return decompress(this.#stored(name, 0, signal), { format: packing, limit: this.#limit, signal });
  }

  #stored(name: string, from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const file = this.#entries.open(name);
    if (file === undefined) throw this.#malformed(`${quote(name)} is missing`);
    return readBlobFile(file, from, `${this.#entries.path}: ${name}`, signal);
  }

  #malformed(why: string): OciError {
    return malformedLayout(this.#entries, why);
  }
}

function manifestOf(config: Descriptor, layers: readonly Descriptor[]): RawManifest {
  const mediaType = MEDIA.dockerManifest;
  const nothing = { artifactType: undefined, subject: undefined, annotations: {} };
  return rawManifest(encodeManifest({ kind: 'image', mediaType, config, layers, ...nothing }), mediaType);
}

/** Without the first bytes. */
async function* skipped(source: AsyncIterable<Uint8Array>, from: number): AsyncGenerator<Uint8Array> {
  let left = from;
  for await (const chunk of source) {
    if (left < chunk.length) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
