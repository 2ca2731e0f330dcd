/** The signatures of one commit: verified by keys that are named, or taken away. */
import type { KeyFile } from '../../trust/index.ts';
import type { Checksum } from '../objects/checksum.ts';
import { GPG_SIGNATURES } from '../objects/detached.ts';
import type { Repository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { madeBy, namingKeys } from './given-keys.ts';
import type { KeySet } from './key-set.ts';
import { allKeyrings, keyringsOfHome } from './keyrings.ts';
import { metadataKeyOf, type RawKind } from './raw-keys.ts';
import type { SignatureReport } from './report.ts';
import { removeSignatures, type SignOptions } from './sign.ts';
import { verifierOf } from './verifier.ts';

/** One good signature by any of the keys. @throws OstreeError OBJECT_MISSING, SIGNATURE_MISSING, SIGNATURE_INVALID */
export function verifyCommit(
  repository: Repository,
  commit: Checksum,
  keys: KeySet,
): Promise<readonly SignatureReport[]> {
  const reader = objectsOf(repository);
  const advice = { addKeys: 'name its public key', unsigned: 'ask the publisher to sign it' };
  const verifier = verifierOf([{ setting: '--verify', anyOf: [keys], advice }]);
  return verifier.verify(reader.metadata(commit, 'commit'), reader.detached(commit), `commit ${commit}`);
}

/** Take away what these public keys made; others stay. @returns how many went */
export function removeRawSignatures(
  repository: Repository,
  commit: Checksum,
  { kind, ...keys }: { readonly kind: RawKind; readonly texts: readonly string[]; readonly files: readonly KeyFile[] },
  options: SignOptions,
): Promise<number> {
  const isMeant = madeBy(kind, keys, objectsOf(repository).metadata(commit, 'commit'));
  return removeSignatures(repository, commit, { key: metadataKeyOf(kind), isMeant }, options);
}

/** Take away what names these OpenPGP keys, good or bad. @returns how many went */
export function removeGpgSignatures(
  repository: Repository,
  commit: Checksum,
  { keyIds, gpgHomedir }: { readonly keyIds: readonly string[]; readonly gpgHomedir: string | undefined },
  options: SignOptions,
): Promise<number> {
  const keyrings = [...allKeyrings(repository), ...(gpgHomedir === undefined ? [] : keyringsOfHome(gpgHomedir))];
  const isMeant = namingKeys(keyIds, keyrings, objectsOf(repository).metadata(commit, 'commit'));
  return removeSignatures(repository, commit, { key: GPG_SIGNATURES, isMeant }, options);
}
