/** What a pull of an image may be told, and what comes of it. */
import type { Progress } from '../../../base/progress.ts';
import type { ImageSource, Images } from '../../../images/index.ts';
import type { Digest, Platform, RawManifest } from '../../../oci/index.ts';
import type { Checksum, SignatureReport, TransactionOptions } from '../../../ostree/index.ts';
import type { OstreeReference } from '../../reference/index.ts';
import type { Counts } from '../records/index.ts';

export interface StorePrepareOptions extends Omit<TransactionOptions, 'dryRun' | 'now'> {
  readonly reference: OstreeReference;
  readonly images: Images;
  /**
   * May this image be used? Asked with its manifest before anything else is fetched. It answers as
   * `reference.trust` demands: a verified signature for `image`.
   */
  readonly admit: (source: ImageSource, raw: RawManifest, signal: AbortSignal) => Promise<void>;
  readonly platform: Platform;
  /** Of `ostree-remote-*`: take layers that the signature of the commit says nothing about. */
  readonly allowUnsignedLayers: boolean;
  /** Refuse what is not labelled as bootable, or is not for this machine. */
  readonly requireBootable: boolean;
}

export interface StorePullOptions extends StorePrepareOptions {
  /** Goes into the commit of the image. */
  readonly importer: string;
  /** False: layers alone get refs, and the image has no name here. */
  readonly setImageRef: boolean;
  /** Leave refs of layers that nothing needs. */
  readonly skipGc: boolean;
  /** Where `/var` of derived layers goes. */
  readonly varTo: 'var' | 'usr/share/factory/var';
  /** Devices, fifos and sockets in derived layers. */
  readonly specials: 'refuse' | 'skip';
  /** At most so many threads; 0: everything on this one. */
  readonly threads?: number | undefined;
  /** Milliseconds; for images that do not say when they were made. */
  readonly now: number;
  readonly onProgress: Progress;
}

export type LayerKind = 'base' | 'component' | 'derived';

/** One layer of the image: what it is, and whether it has to be fetched. */
export interface PlannedLayer {
  readonly kind: LayerKind;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly isThere: boolean;
}

export interface StorePull {
  /** False: the repository had this image. */
  readonly isNew: boolean;
  /** Of the image. */
  readonly commit: Checksum;
  /** Undefined for an image without an OSTree commit in it. */
  readonly baseCommit: Checksum | undefined;
  readonly manifestDigest: Digest;
  readonly layers: readonly PlannedLayer[];
  readonly fetchedLayers: number;
  /** Of the fetched layers, as they are stored in the registry. */
  readonly fetchedBytes: number;
  /** Empty when nothing had to be verified. */
  readonly signatures: readonly SignatureReport[];
  /** Entries of derived layers that are not in the tree, by the first component of their path. */
  readonly filtered: Counts;
  readonly skippedFiles: readonly string[];
  /** Refs of layers that were dropped; undefined when another run was at work, or nobody wanted it. */
  readonly droppedLayers: number | undefined;
}
