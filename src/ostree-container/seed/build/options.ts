/** What `build` is told, and what comes of it. */
import type { Progress } from '../../../base/progress.ts';
import type { ImageName, Images } from '../../../images/index.ts';
import type { Digest, RawManifest } from '../../../oci/index.ts';
import type { Checksum } from '../../../ostree/index.ts';
import type { Base } from '../base/open-base.ts';
import type { CommitFacts } from './commit-facts.ts';

/** A program that serves the repository. */
export interface Webserver {
  /** `own` knows what an entry point of an image has to do. */
  readonly kind: 'own' | 'foreign';
  readonly size: number;
  read(): AsyncIterable<Uint8Array>;
}

export interface BuildOptions {
  readonly images: Pick<Images, 'source' | 'destination'>;
  readonly destination: ImageName;
  /** A ref or the checksum of a commit. */
  readonly revision: string;
  /** An image whose layers are the lowest ones. */
  readonly from?: ImageName | undefined;
  /** Revisions that clients may have; undefined among them: nothing. */
  readonly deltasFrom?: readonly (string | undefined)[] | undefined;
  readonly command?: readonly string[] | undefined;
  readonly shellByDefault?: boolean | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Undefined: none. Asked with the tree that the image has. */
  readonly webserver?: ((facts: CommitFacts) => Promise<Webserver>) | undefined;
  readonly onProgress: Progress;
  readonly signal: AbortSignal;
  readonly onWait?: (() => void) | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface BuiltLayer {
  /** `commit` and `component` are those of format v1. */
  readonly part: 'base' | 'files' | 'contents' | 'metadata' | 'delta' | 'webserver' | 'commit' | 'component';
  readonly digest: Digest;
  readonly size: number;
  readonly diffId: Digest;
}

export interface BuiltImage {
  readonly commit: Checksum;
  readonly manifest: RawManifest;
  readonly layers: readonly BuiltLayer[];
  /** Content objects in the repository of the image, and in the layers of the base instead. */
  readonly contents: number;
  readonly external: number;
}

/** The options as far as they had to be looked up. */
export interface BuildInput {
  readonly facts: CommitFacts;
  readonly base: Base | undefined;
  readonly deltasFrom: readonly (Checksum | undefined)[];
  readonly webserver: Webserver | undefined;
}
