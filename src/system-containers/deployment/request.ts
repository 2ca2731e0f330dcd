/** What a new deployment is made from. */
import type { ImageConfig } from '../../oci/index.ts';
import type { StoredImage } from '../storage/index.ts';
import type { Values } from '../template/index.ts';
import type { Info, TagVersion } from './info.ts';

export interface DeploymentRequest {
  /** Of the container. */
  readonly name: string;
  /** Number of the deployment. */
  readonly slot: number;
  /** The image as the user wrote it. */
  readonly imageName: string;
  /** Stored, or a root file system of the user's: the absolute path of its directory. */
  readonly image: StoredImage | { readonly rootfs: string };
  /** Of this call; those of earlier ones come from `previous`. */
  readonly setValues: Values;
  /** The deployment that this one follows. */
  readonly previous?: Info | undefined;
  /** `--allow-host`, of this call and of earlier ones. */
  readonly permissions: readonly string[];
  readonly runtimePath: string;
  readonly tagVersion?: TagVersion | undefined;
}

/** What an image is read from, before any of it is on the disk as files. */
export interface DeploymentSource {
  /** Of the image; undefined when nobody wrote one down. */
  readonly imageConfig?: ImageConfig | undefined;
  /** `defaultValues` of the previous deployment's image, for the old `info` files that need them; see `userSetValues`. */
  readonly previousDefaults?: Values | undefined;
  /** What the check-out writes where it cannot make hard links; default: nothing. */
  readonly checkoutBytes?: number | undefined;
}

export function isStored(image: DeploymentRequest['image']): image is StoredImage {
  return !('rootfs' in image);
}
