/** `containers-storage:` as source. */
import { openStoredImage } from '../../oci/index.ts';
import type { ImageName } from '../image-name.ts';
import type { ImageSource } from '../ports.ts';
import { fileSource } from './files.ts';

export interface StorageSettings {
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number;
}

/** @throws StorageError, OciError IMAGE_MISSING, TAG_AMBIGUOUS, BAD_REFERENCE */
export async function storageSource(
  name: ImageName,
  { env, uid }: StorageSettings,
  signal: AbortSignal = new AbortController().signal,
): Promise<ImageSource> {
  const image = await openStoredImage(name.location, { env, uid, signal });
  const reader = {
    readManifest: image.readManifest.bind(image),
    readBlob: image.readBlob.bind(image),
    close: () => image.close(),
  };
  return fileSource(name, reader, 'tars', image.name);
}
