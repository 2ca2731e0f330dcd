/** The one place where the OpenPGP library is loaded: 760 kB, so only when a key or signature is really met. */
import type { Config } from 'openpgp';

export type Library = typeof import('openpgp');

let loaded: Promise<Library> | undefined;

export function loadLibrary(): Promise<Library> {
  loaded ??= import('openpgp');
  return loaded;
}

/**
 * Rules for judging signatures by which a key vouches for its own parts and for data.
 *
 * The digests that break (MD5, RIPEMD-160; for data SHA-1 too) and short keys are judged by name in `algorithms.ts`
 * before anything is computed; what stands here is the second line.
 */
export function policy(library: Library): Config {
  return { ...library.config, ignoreUnsupportedPackets: true, ignoreMalformedPackets: true };
}

/** The same without a digest refused: a revocation counts however it was made, for believing it can do no harm. */
export function revocationPolicy(library: Library): Config {
  return { ...policy(library), rejectHashAlgorithms: new Set(), rejectMessageHashAlgorithms: new Set() };
}

/** For our own signatures: like GnuPG's, without the library's random notation. */
export function signingPolicy(library: Library): Config {
  return { ...library.config, nonDeterministicSignaturesViaNotation: false };
}
