/** The signatures by which a key speaks about itself: which of them hold. */
import type { Key, SignaturePacket, Subkey } from 'openpgp';
import { isCheckable } from './algorithms.ts';
import { type Library, policy, revocationPolicy } from './library.ts';

/** How far the clock of a signer may be ahead of ours: builders and hosts are not in step to the second. */
export const CLOCK_SKEW_MS = 60 * 60 * 1000;

const MAX_BITS = 16384;

/** What of a key's statements is looked at. */
export interface View {
  readonly library: Library;
  /** Statements made after this moment are not looked at; milliseconds since 1970. */
  readonly untilMs: number;
}

export function viewAt(library: Library, now: Date | undefined): View {
  return { library, untilMs: now === undefined ? Infinity : now.getTime() + CLOCK_SKEW_MS };
}

/** The newest statement of the key that holds. It counts even when it has itself expired: an older one was replaced. */
export async function newest(
  { library, untilMs }: View,
  key: Key,
  signatures: readonly SignaturePacket[],
  type: number,
  over: object,
): Promise<SignaturePacket | undefined> {
  const eligible = signatures.filter((signature) => createdMs(signature) <= untilMs);
  for (const signature of [...eligible].sort((a, b) => createdMs(b) - createdMs(a))) {
    if (await holds(library, key.keyPacket, signature, type, over)) return signature;
  }
  return undefined;
}

/**
 * The revocations by the key itself that hold. One that makes a demand unknown to us is believed as well, and so is one
 * that is made in a way that cannot be checked: what is lost if it was false is less than if it was true.
 */
export async function revocationsThatHold(
  { library }: View,
  key: Key,
  signatures: readonly SignaturePacket[],
  type: number,
  over: object,
): Promise<readonly SignaturePacket[]> {
  const found: SignaturePacket[] = [];
  for (const signature of signatures) {
    const { issuerKeyID, publicKeyAlgorithm, hashAlgorithm } = signature;
    const checkable = isCheckable(publicKeyAlgorithm ?? 0, hashAlgorithm ?? 0);
    const believed = checkable
      ? await holds(library, key.keyPacket, withoutDemands(signature), type, over, revocationPolicy(library))
      : issuerKeyID.equals(key.getKeyID());
    if (believed) found.push(signature);
  }
  return found;
}

/** A copy, its signed bytes untouched. */
function withoutDemands(signature: SignaturePacket): SignaturePacket {
  const none = { rawNotations: [], unknownSubpackets: [], revocationKeyClass: null };
  const copy: SignaturePacket = Object.create(Object.getPrototypeOf(signature));
  return Object.assign(copy, signature, none);
}

/** Is the signature a correct one by this key? Its dates are the caller's business. */
export async function holds(
  library: Library,
  signer: Key['keyPacket'] | Subkey['keyPacket'],
  signature: SignaturePacket,
  type: number,
  over: object,
  config = policy(library),
): Promise<boolean> {
  // Longer ones cannot be checked in bearable time, and OpenSSL refuses them.
  if ((signer.getAlgorithmInfo().bits ?? 0) > MAX_BITS) return false;
  try {
    await signature.verify(signer, type, over, signature.created ?? undefined, true, config);
    return true;
  } catch {
    return false; // the library says "no" by throwing, for whatever reason: broken, foreign, refused, malformed
  }
}

export function createdMs(signature: SignaturePacket | undefined): number {
  return signature?.created?.getTime() ?? 0;
}
