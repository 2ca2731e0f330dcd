/** What a caller may ask of a copy, and what it learns. */
import type { Progress } from '../../base/progress.ts';
import type { Digest, LayerPacking, Platform, RawManifest } from '../../oci/index.ts';
import type { ImageSource } from '../ports.ts';

export type ManifestFormat = 'oci' | 'v2s2';

export interface CopyOptions {
  /** Keep an index whole, with all its images. */
  readonly all: boolean;
  /** Which image of an index, when only one is copied. */
  readonly platform: Platform;
  /** Convert manifests; undefined: as they are, where the destination can hold them. */
  readonly format?: ManifestFormat | undefined;
  /** Pack layers anew; undefined: as they are, or gzip where they come without compression. */
  readonly packing?: LayerPacking | undefined;
  /** Fail rather than store a manifest with another digest. */
  readonly preserveDigests: boolean;
  /** Leave simple signatures behind, which a changed manifest would make false. */
  readonly removeSignatures: boolean;
  /** May this image be used? Called with every image that is copied, or the index when all are, before a blob moves. */
  readonly admit: (source: ImageSource, raw: RawManifest, signal: AbortSignal) => Promise<void>;
  /** More simple signatures for a manifest as it is stored: of the image, of the index, and of what it leads to. */
  readonly sign?: ((raw: RawManifest, signal: AbortSignal) => Promise<readonly Uint8Array[]>) | undefined;
  /** Blobs at a time; 4 keep two cores and a connection busy. */
  readonly jobs?: number | undefined;
  readonly onProgress: Progress;
  readonly signal: AbortSignal;
}

/** One blob of a copy. */
export interface PlannedBlob {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  /** It is at the destination already. */
  readonly isThere: boolean;
}

export interface CopyPlan {
  /** Of what is copied: the image chosen, or the index. */
  readonly digest: Digest;
  readonly mediaType: string;
  readonly blobs: readonly PlannedBlob[];
  /** Bytes of the blobs that are not there. */
  readonly bytes: number;
}

export interface CopyResult {
  /** What the destination now has under its name. */
  readonly manifest: RawManifest;
  /** That of the source. The same unless something was converted. */
  readonly sourceDigest: Digest;
  readonly blobsCopied: number;
  readonly bytesCopied: number;
  readonly blobsThere: number;
}
