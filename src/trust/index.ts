/** Keys and signatures. */
export {
  type Ed25519PublicKey,
  type Ed25519SecretKey,
  generateSecretKey,
  openPublicKey,
  openSecretKey,
  PUBLIC_KEY_BYTES,
  SEED_BYTES,
  SIGNATURE_BYTES,
} from './ed25519.ts';
