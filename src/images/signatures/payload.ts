/**
 * What a signature says of an image: its digest and its name. The JSON of simple signing (containers-signature(5)) and
 * of cosign, which differ in one word.
 */
import { type Digest, type NamedReference, OciError, parseDigest, parseNamed } from '../../oci/index.ts';
import { JsonFlaw, parseStrictJson, readMembers, readString } from './strict-json.ts';

export type SignatureKind = 'simple' | 'sigstore';

export interface SignedClaim {
  readonly digest: Digest;
  readonly identity: NamedReference;
  /** The program that made it. */
  readonly creator?: string | undefined;
  /** Milliseconds since 1970, to the second; by the signer's own clock. */
  readonly signedAtMs?: number | undefined;
}

const TYPES: Readonly<Record<SignatureKind, string>> = {
  simple: 'atomic container signature',
  sigstore: 'cosign container image signature',
};

/** Of bytes whose signature holds. @throws JsonFlaw saying what is wrong; unknown members count only in `optional` */
export function parsePayload(bytes: Uint8Array, kind: SignatureKind): SignedClaim {
  const root = readMembers(parseStrictJson(bytes), 'payload', ['critical', 'optional']);
  const critical = readMembers(root['critical'], 'critical', ['type', 'image', 'identity']);
  const image = readMembers(critical['image'], 'critical.image', ['docker-manifest-digest']);
  const identity = readMembers(critical['identity'], 'critical.identity', ['docker-reference']);
  if (critical['type'] !== TYPES[kind]) throw new JsonFlaw(`critical.type: expected ${JSON.stringify(TYPES[kind])}`);
  const digest = readString(image['docker-manifest-digest'], 'critical.image.docker-manifest-digest');
  const name = readString(identity['docker-reference'], 'critical.identity.docker-reference');
  return {
    digest: orFlaw(() => parseDigest(digest)),
    identity: orFlaw(() => parseNamed(name)),
    ...readOptional(root['optional'], kind),
  };
}

/** `cosign` writes null where it has nothing to say. */
function readOptional(value: unknown, kind: SignatureKind): Pick<SignedClaim, 'creator' | 'signedAtMs'> {
  if (value === null && kind === 'sigstore') return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new JsonFlaw('optional: expected an object');
  }
  const { creator, timestamp } = value as { readonly creator?: unknown; readonly timestamp?: unknown };
  if (creator !== undefined && typeof creator !== 'string') throw new JsonFlaw('optional.creator: expected a string');
  if (timestamp !== undefined && !Number.isSafeInteger(timestamp)) {
    throw new JsonFlaw('optional.timestamp: expected whole seconds');
  }
  return {
    ...(typeof creator === 'string' && { creator }),
    ...(typeof timestamp === 'number' && { signedAtMs: timestamp * 1000 }),
  };
}

/** `parsePayload(encodePayload(c, k), k)` equals `c`. @param name the identity as it is to be written */
export function encodePayload(
  { digest, creator, signedAtMs }: Omit<SignedClaim, 'identity'>,
  name: string,
  kind: SignatureKind,
): Uint8Array {
  const timestamp = signedAtMs === undefined ? undefined : Math.floor(signedAtMs / 1000);
  return Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': name },
        image: { 'docker-manifest-digest': digest },
        type: TYPES[kind],
      },
      optional: { creator, timestamp },
    }),
  );
}

function orFlaw<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof OciError) throw new JsonFlaw(error.message);
    throw error;
  }
}
