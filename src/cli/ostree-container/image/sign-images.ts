/** Signatures for an image that is where it is to stay, and for all images of an index. */
import type { ImageDestination, ImageSource, Member } from '../../../images/index.ts';
import type { NamedReference, RawManifest } from '../../../oci/index.ts';
import type { OpenPgpSigner, SigstorePrivateKey } from '../../../trust/index.ts';
import type { ImagesDoor } from '../../images/with-images.ts';
import { packageVersion } from '../../version.ts';

export interface Signing {
  readonly module: ImagesDoor;
  /** The place of the destination, to read from. */
  readonly origin: ImageSource;
  readonly destination: ImageDestination;
  readonly identity: NamedReference;
  readonly scheme: 'tag' | 'referrers';
  readonly signal: AbortSignal;
}

/** The index first, then what it leads to: hosts look for the signature of what they choose. */
export async function toBeSigned(
  { module, origin, signal }: Pick<Signing, 'module' | 'origin' | 'signal'>,
  raw: RawManifest,
): Promise<RawManifest[]> {
  const collect = (member: Member): RawManifest[] =>
    module.isIndex(member) ? [member.raw, ...member.members.flatMap(collect)] : [member.raw];
  const all = collect(await module.collectMembers(origin, raw, signal));
  return [...new Map(all.map((each) => [each.digest, each])).values()];
}

/** @returns how many were added; an image that is signed by the key under this name already is left as it is */
export async function signWithSigstore(
  signing: Signing,
  images: readonly RawManifest[],
  key: SigstorePrivateKey,
): Promise<number> {
  const { module, origin, destination, identity, scheme, signal } = signing;
  let added = 0;
  for (const raw of images) {
    const made = await module.signSigstore({
      place: origin,
      destination,
      raw,
      identity,
      key,
      scheme,
      statement: statement(),
      signal,
    });
    if (made !== undefined) added++;
  }
  return added;
}

export async function simpleSignature(
  { signSimple }: ImagesDoor,
  { digest }: RawManifest,
  identity: NamedReference,
  signer: OpenPgpSigner,
): Promise<Uint8Array> {
  return signSimple(digest, identity, signer, statement());
}

function statement() {
  return { creator: `tako ${packageVersion()}`, now: new Date() };
}
