/** What a pull may be told, and what comes of it. */
import type { Progress } from '../../base/progress.ts';
import type { FoundPolicy, Images } from '../../images/index.ts';
import type { Digest, Platform } from '../../oci/index.ts';
import type { TransactionOptions } from '../../ostree/index.ts';
import type { TagVersion } from '../deployment/info.ts';
import type { StoredImage } from '../storage/index.ts';
import type { Verification } from '../verification.ts';

export interface PullRequest extends Omit<TransactionOptions, 'dryRun'> {
  /** As the user wrote it, with or without transport. */
  readonly reference: string;
  /** Of `--name`: what it is called here. */
  readonly name?: string | undefined;
  /** Choose the tag: the reference has neither tag nor digest then. */
  readonly tagVersion?: TagVersion | undefined;
  readonly images: Images;
  /** Undefined: there is none, and nobody has said what is to be accepted. */
  readonly policy: FoundPolicy | undefined;
  /** An entry that accepts anything does not count, nor does the lack of a policy. */
  readonly requireSignature: boolean;
  /** The user has said that certificates do not matter: without a policy what comes so is taken, too. */
  readonly insecure: boolean;
  /** What the installed image had: less is refused. */
  readonly floor?: Verification | undefined;
  readonly platform: Platform;
  /** `user`: every file readable for its owner. */
  readonly access: 'user' | undefined;
  /** At most so many threads for each layer; 0: everything on this one. */
  readonly threads?: number | undefined;
  readonly progress: Progress;
}

/** The time that branches get. */
export function secondsOf({ now }: Pick<PullRequest, 'now'>): number {
  return Math.floor((now ?? Date.now()) / 1000);
}

export interface PlannedLayer {
  readonly digest: Digest;
  readonly size: number;
  readonly isThere: boolean;
}

export interface PullPlan {
  readonly storedName: string;
  readonly digest: Digest;
  /** The repository has it under this name, with all of its layers. */
  readonly isStored: boolean;
  readonly layers: readonly PlannedLayer[];
  /** Of the layers that are not there. */
  readonly bytes: number;
  readonly verification: Verification;
}

export interface PulledImage {
  /** False: the repository had this image, and nothing but perhaps its verification was written. */
  readonly isNew: boolean;
  readonly image: StoredImage;
  /** Of the stored image: what vouched for it now, or what did earlier when that was more. */
  readonly verification: Verification;
  readonly fetchedLayers: number;
  /** As they are stored where they come from. */
  readonly fetchedBytes: number;
  /** Devices, fifos and sockets, which no layer holds. */
  readonly skippedFiles: readonly string[];
}
