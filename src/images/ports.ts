/** What any place that holds images can do: registries, layouts, archives, directories, the storage of podman. */
import type { Descriptor, Digest, ImageReader, NamedReference, RawManifest, StoredName } from '../oci/index.ts';
import type { ImageName } from './image-name.ts';

/** The whole or the rest of a blob. A chunk is valid until the next one is asked for. */
export type BlobSource = (from: number) => AsyncIterable<Uint8Array>;

/** Where an image comes from. Nothing that it hands out is verified; `copy` and `inspect` do that. */
export interface ImageSource extends ImageReader {
  readonly name: ImageName;
  /**
   * `exact`: blobs as somebody published them, under digests that are kept. `tars`: layers without compression, and a
   * manifest made up for them; what is kept are configuration and diff ids.
   */
  readonly layers: 'exact' | 'tars';
  /** What the policy calls it, and what a signature has to name; undefined where the place has no such names. */
  readonly identity: NamedReference | undefined;
  /** Of an image in podman's storage, which policies know by where it lies. */
  readonly stored?: StoredName | undefined;
  /** Came without verified TLS, and was not asked for by its digest: anybody on the way may have made it. */
  readonly isUnverified?: boolean | undefined;
  /** Signatures of containers' simple signing kept beside the image. @param digest of the manifest that is signed */
  simpleSignatures(digest: Digest, signal: AbortSignal): Promise<readonly Uint8Array[]>;
  /** Another image of the same place, where cosign and the referrers' fallback keep things; undefined: there is none. */
  sibling(tag: string, signal: AbortSignal): Promise<RawManifest | undefined>;
  /** Manifests that name this one as their subject. */
  referrers(digest: Digest, signal: AbortSignal): Promise<readonly Descriptor[]>;
}

/** Where an image goes. Nothing is visible under its name before `finish`. */
export interface ImageDestination {
  readonly name: ImageName;
  readonly layers: 'exact' | 'tars';
  /** What is kept of several images: all of them under their index, or just one. */
  readonly holdsIndexes: boolean;
  /** Manifests of these media types only; undefined: any. */
  readonly manifestTypes: readonly string[] | undefined;
  /** False: `putSimpleSignatures` can only throw. */
  readonly keepsSimpleSignatures?: boolean | undefined;
  readonly identity: NamedReference | undefined;
  hasBlob(descriptor: Descriptor, signal: AbortSignal): Promise<boolean>;
  /** Take a blob over from another image of the same place without moving bytes. False: it has to be sent. */
  borrowBlob(descriptor: Descriptor, from: ImageName, signal: AbortSignal): Promise<boolean>;
  /** Stores nothing but what has this digest and size. Asks for the rest only, when a part is there already. */
  putBlob(descriptor: Descriptor, source: BlobSource, signal: AbortSignal): Promise<void>;
  /** A manifest that another one names, or that is only known by its digest. */
  putManifest(raw: RawManifest, signal: AbortSignal): Promise<void>;
  putSimpleSignatures(digest: Digest, signatures: readonly Uint8Array[], signal: AbortSignal): Promise<void>;
  /** Another image of the same place, under a tag of its own. */
  putSibling(tag: string, raw: RawManifest, signal: AbortSignal): Promise<void>;
  /** A manifest whose `subject` is an image of this place, found again among the referrers of that; undefined: nowhere. */
  putReferrer?(raw: RawManifest, signal: AbortSignal): Promise<void>;
  /** Make the image visible under its name, durably. */
  finish(raw: RawManifest, signal: AbortSignal): Promise<void>;
  /** After `finish`, or after a failure: then what can be resumed is kept, and the rest goes. */
  close(): Promise<void>;
}
