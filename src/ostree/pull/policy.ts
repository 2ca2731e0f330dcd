/** What pulling needs of signatures, and no more: who decides is the configuration of the remote. */
import type { Vardict } from '../../gvariant/index.ts';
import type { SignatureStatus } from '../../trust/index.ts';

/** What was found about one signature. */
export interface SignatureReport {
  readonly kind: 'gpg' | 'ed25519' | 'spki';
  readonly status: SignatureStatus;
  /** Fingerprint, or public key in base64. */
  readonly key: string | undefined;
  readonly userId: string | undefined;
  readonly signedAt: Date | undefined;
  readonly expiresAt: Date | undefined;
  readonly keyExpiresAt: Date | undefined;
  readonly algorithm: string;
  readonly reason: string | undefined;
}

export interface Verifier {
  readonly isRequired: boolean;
  /** @throws OstreeError SIGNATURE_MISSING, SIGNATURE_INVALID */
  verify(data: Uint8Array, signatures: Vardict, what: string): Promise<readonly SignatureReport[]>;
}

export interface PullPolicy {
  readonly commits: Verifier;
  readonly summary: Verifier;
}

const NOTHING: Verifier = { isRequired: false, verify: async () => [] };

/** Checksums only: what the caller trusts already. */
export const UNSIGNED: PullPolicy = { commits: NOTHING, summary: NOTHING };
