/** Keys whose signatures say nothing about who made them: each key is tried. */
import { plural } from '../../base/text.ts';
import { SIGNATURE_BYTES } from '../../trust/index.ts';
import { ED25519_SIGNATURES, SPKI_SIGNATURES } from '../objects/detached.ts';
import type { KeySet } from './key-set.ts';
import { plainReport, type SignatureReport } from './report.ts';

export type RawKind = 'ed25519' | 'spki';

export interface RawKey {
  /** The public key in base64: equal for equal keys. */
  readonly text: string;
  /** `ed25519`, `rsa`, `ec` ... */
  readonly algorithm: string;
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

export interface RawKeys {
  readonly trusted: readonly RawKey[];
  /** Take away what is trusted, wherever it was listed. */
  readonly revoked: readonly RawKey[];
}

const METADATA_KEYS: Readonly<Record<RawKind, string>> = { ed25519: ED25519_SIGNATURES, spki: SPKI_SIGNATURES };

export function metadataKeyOf(kind: RawKind): string {
  return METADATA_KEYS[kind];
}

export function rawKeys(kind: RawKind, { trusted, revoked }: RawKeys): KeySet {
  const gone = new Set(revoked.map(({ text }) => text));
  const valid = trusted.filter(({ text }) => !gone.has(text));
  return {
    kind,
    metadataKey: METADATA_KEYS[kind],
    check: async (data, signature) => [judge(kind, { valid, revoked }, data, signature)],
    content: async () => ({ count: valid.length, problems: [] }),
  };
}

function judge(
  kind: RawKind,
  { valid, revoked }: { readonly valid: readonly RawKey[]; readonly revoked: readonly RawKey[] },
  data: Uint8Array,
  signature: Uint8Array,
): SignatureReport {
  if (kind === 'ed25519' && signature.length !== SIGNATURE_BYTES) {
    const reason = `expected ${SIGNATURE_BYTES} bytes, found ${signature.length}`;
    return plainReport(kind, { status: 'bad', key: undefined, reason });
  }
  const good = valid.find((key) => key.verify(data, signature));
  if (good !== undefined) {
    return plainReport(kind, { status: 'good', key: good.text, reason: undefined }, good.algorithm);
  }
  const former = revoked.find((key) => key.verify(data, signature));
  if (former !== undefined) {
    return plainReport(kind, { status: 'revoked-key', key: former.text, reason: 'key is revoked' }, former.algorithm);
  }
  const reason = `made by none of the ${plural(valid.length, 'trusted key')}, or not over these bytes`;
  return plainReport(kind, { status: 'unknown-key', key: undefined, reason });
}
