/** Simple signatures of images in registries, which lie beside the registry: where, registries.d says. */
import type { HttpClient } from '../http/index.ts';
import type { Digest, NamedReference } from '../oci/index.ts';
import type { ImagesSettings } from './settings.ts';
import { addLookasideSignature, loadRegistriesD, lookasideSignatures, type RegistriesD } from './signatures/index.ts';

export interface Lookaside {
  read(identity: NamedReference, digest: Digest, signal: AbortSignal): Promise<readonly Uint8Array[]>;
  /** @throws ImagesError TRANSPORT_READ_ONLY for a storage on another machine */
  add(identity: NamedReference, digest: Digest, signature: Uint8Array): Promise<void>;
}

/** Nothing is read before it is needed. */
export function openLookaside(settings: ImagesSettings, http: () => HttpClient): Lookaside {
  let conf: Promise<RegistriesD> | undefined;
  const load = (): Promise<RegistriesD> => {
    conf ??= loadRegistriesD(settings, settings.registriesD);
    return conf;
  };
  return {
    read: async (identity, digest, signal) => lookasideSignatures(identity, digest, await load(), http, signal),
    add: async (identity, digest, signature) => {
      addLookasideSignature(identity, digest, await load(), signature);
    },
  };
}
