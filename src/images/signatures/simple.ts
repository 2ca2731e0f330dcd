/** Simple signing: an OpenPGP message with a JSON document inside. Source: containers-signature(5). */
import { printable } from '../../base/text.ts';
import { type Digest, formatNamed, type NamedReference, type RawManifest } from '../../oci/index.ts';
import { type OpenPgpKeyring, type OpenPgpSigner, type OpenPgpVerdict, signMessage } from '../../trust/index.ts';
import { ImagesError } from '../error.ts';
import { type IdentityRule, type Judgement, judgeClaim } from './judgement.ts';
import { encodePayload } from './payload.ts';

/** The payload is not looked at before the signature holds. */
export async function judgeSimple(
  blob: Uint8Array,
  keyring: OpenPgpKeyring,
  raw: RawManifest,
  rule: IdentityRule,
  now: Date,
): Promise<Judgement> {
  const { verdicts, content } = await keyring.open(blob, now);
  const [verdict, another] = verdicts;
  if (verdict === undefined || another !== undefined) return { refused: 'has more than one signature in it' };
  if (content === undefined) return { refused: describe(verdict) };
  const { fingerprint, keyId, userId, signedAt } = verdict;
  return judgeClaim(
    { kind: 'simple', payload: content, key: fingerprint ?? keyId, signer: userId, signedAt },
    raw,
    rule,
  );
}

function describe({ status, keyId, reason }: OpenPgpVerdict): string {
  const by = /^0+$/.test(keyId) ? '' : `by key ${keyId}: `;
  return `${by}${status}${reason === undefined ? '' : `, ${printable(reason)}`}`;
}

export interface SigningStatement {
  /** `NAME VERSION` of the program, and the time; both may be left out for bytes that are the same every time. */
  readonly creator?: string | undefined;
  readonly now?: Date | undefined;
}

/**
 * @param identity with tag or digest: the tools accept nothing else
 * @throws ImagesError BAD_IMAGE_NAME; what the signer throws
 */
export async function signSimple(
  digest: Digest,
  identity: NamedReference,
  signer: OpenPgpSigner,
  { creator, now }: SigningStatement,
): Promise<Uint8Array> {
  if (identity.tag === undefined && identity.digest === undefined) {
    throw new ImagesError('BAD_IMAGE_NAME', `${formatNamed(identity)}: a name to be signed has a tag or a digest`);
  }
  const payload = encodePayload({ digest, creator, signedAtMs: now?.getTime() }, formatNamed(identity), 'simple');
  return signMessage(payload, signer);
}
