/** What is said about one signature. */

/**
 * - `good`: made over exactly these bytes by a key of the ring that is valid now.
 * - `bad`: not over these bytes, or not readable.
 * - `unknown-key`: the key is not in the ring.
 * - `expired-signature`, `expired-key`, `revoked-key`: correct, but no longer to be believed.
 * - `unusable`: by a rule or an algorithm that is not accepted; `reason` names it.
 */
export type SignatureStatus =
  | 'good'
  | 'bad'
  | 'unknown-key'
  | 'expired-signature'
  | 'expired-key'
  | 'revoked-key'
  | 'unusable';

export interface OpenPgpVerdict {
  readonly status: SignatureStatus;
  /** Upper-case hex fingerprint of the primary key; undefined while the key is unknown. */
  readonly fingerprint: string | undefined;
  /** 16 upper-case hex digits: the key that the signature names, a signing subkey perhaps; zeros when it names none. */
  readonly keyId: string;
  /** Of the primary user id. Untrusted text: anybody can write anything into a key. */
  readonly userId: string | undefined;
  /** What the signature says about itself; to be believed only when it is good. */
  readonly signedAt: Date | undefined;
  /** Of the signature. */
  readonly expiresAt: Date | undefined;
  /** Of the signing key or its primary key, whichever is earlier. */
  readonly keyExpiresAt: Date | undefined;
  /** `rsa`, `eddsa`, `ecdsa`, `dsa`, `ed25519`, `ed448`. */
  readonly algorithm: string;
  /** `sha512` and the like. */
  readonly hash: string;
  /** Which rule was broken; for every status but `good`, and set at least for `bad` and `unusable`. */
  readonly reason: string | undefined;
}

/** A signed message after its verification. */
export interface OpenedMessage {
  /** One for each signature, in their order; what cannot be read gives a `bad` one. Never empty. */
  readonly verdicts: readonly OpenPgpVerdict[];
  /** What was signed; undefined unless every verdict is `good`. */
  readonly content: Uint8Array | undefined;
}

export interface OpenPgpSubkeyInfo {
  readonly fingerprint: string;
  readonly keyId: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
  readonly revoked: boolean;
  readonly algorithm: string;
  /** May vouch for data: bound for signing, and the binding confirmed by the subkey itself. */
  readonly canSign: boolean;
}

export interface OpenPgpKeyInfo {
  /** Upper-case hex, as everywhere here. */
  readonly fingerprint: string;
  readonly keyId: string;
  /** Untrusted texts, the primary one first. */
  readonly userIds: readonly string[];
  readonly createdAt: Date;
  /** Undefined also when no self-signature holds; then nothing that the key signed is good. */
  readonly expiresAt: Date | undefined;
  readonly revoked: boolean;
  readonly algorithm: string;
  readonly subkeys: readonly OpenPgpSubkeyInfo[];
}
