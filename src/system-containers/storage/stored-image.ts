/** An image as it is in the repository: what its branch tells. */
import type { Digest } from '../../oci/index.ts';
import type { Checksum } from '../../ostree/index.ts';
import type { Verification } from '../verification.ts';

export interface StoredImage {
  /** In full: `docker.io/library/busybox:latest`. */
  readonly name: string;
  readonly branch: string;
  /** Commit of the branch. */
  readonly commit: Checksum;
  /** Of the manifest. */
  readonly digest: Digest;
  /** The manifest, byte for byte. */
  readonly raw: Uint8Array;
  /** As the manifest names them, the lowest first. */
  readonly layers: readonly Digest[];
  /** Undefined for manifests of Docker's schema 1, which have none. */
  readonly config: Digest | undefined;
  /** When it was stored, in seconds since the epoch. */
  readonly created: number;
  /** Undefined for images that other programs have stored. */
  readonly verification: Verification | undefined;
}

/** A branch that nobody can read: listed, and in the way of nothing. */
export interface BrokenImage {
  readonly name: string;
  readonly branch: string;
  readonly problem: string;
}

export interface LayerFacts {
  /** Bytes of the blob. */
  readonly size: number;
  readonly uncompressedSize: number;
  readonly diffId: Digest;
  readonly commit: Checksum;
}
