/** Keys and signatures. */
export {
  type Ed25519PublicKey,
  type Ed25519SecretKey,
  generateSecretKey,
  openPublicKey,
  openSecretKey,
  openSecretKeyPair,
  PUBLIC_KEY_BYTES,
  SEED_BYTES,
  SIGNATURE_BYTES,
} from './ed25519.ts';
export type { KeyFile } from './openpgp/key-file.ts';
export type { OpenPgpKeyring } from './openpgp/keyring.ts';
export { gpgProgramSigner, openKeyring, openSigningKey, signMessage } from './openpgp/open.ts';
export type { OpenPgpSigner, SigningKeyOptions } from './openpgp/signing-key.ts';
export type {
  OpenedMessage,
  OpenPgpKeyInfo,
  OpenPgpSubkeyInfo,
  OpenPgpVerdict,
  SignatureStatus,
} from './openpgp/verdict.ts';
export { type GeneratedSigstoreKey, generateSigstoreKey } from './sigstore/generate.ts';
export { openSigstorePrivateKey, type SigstorePrivateKey } from './sigstore/private-key.ts';
export { openSigstorePublicKey, type SigstorePublicKey } from './sigstore/public-key.ts';
export { openSpkiKey, type SpkiKey } from './spki.ts';
