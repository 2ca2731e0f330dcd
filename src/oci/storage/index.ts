/** The storage of podman, buildah and CRI-O: images in it, for reading. */
export { StorageError, type StorageErrorCode } from './error.ts';
export { openStoredImage, type StorageOptions } from './open-image.ts';
export { parseStorageName, type StorageName } from './storage-name.ts';
export type { StoredName } from './stored-image.ts';
