/** Container registries: the client side of the distribution specification 1.1. */
export type { Credentials } from './auth/credentials.ts';
export { RegistryError, type RegistryErrorCode } from './error.ts';
export type { ManifestHead } from './manifests/manifests.ts';
export { referrersTag } from './names.ts';
export { createRegistry, type Registry, type RegistryOptions } from './registry.ts';
export type { RegistryRepository } from './repository.ts';
export type { RetryPolicy } from './upload/attempts.ts';
export type { BlobSource } from './upload/body.ts';
