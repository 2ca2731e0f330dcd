/** Signatures of images: simple signing, and cosign's with a key. */
export { type KeptSignature, readKeptSignature } from './blob.ts';
export { copySigstoreSignatures } from './copy-sigstore.ts';
export { dockerScopes } from './docker-scopes.ts';
export { findSigstore, type SignaturePlace, signatureTag } from './find-sigstore.ts';
export type { IdentityRule, Judgement, VerifiedSignature } from './judgement.ts';
export { loadRegistriesD, type RegistriesD, storageOf, usesSigstoreAttachments } from './lookaside/registries-d.ts';
export { addLookasideSignature, lookasideSignatures } from './lookaside/storage.ts';
export { encodePayload, parsePayload, type SignatureKind, type SignedClaim } from './payload.ts';
export { type SigstoreSigning, signSigstore } from './sign-sigstore.ts';
export { judgeSigstore, SIGSTORE_ARTIFACT_TYPE, SIGSTORE_PAYLOAD_TYPE, type SigstoreSignature } from './sigstore.ts';
export { judgeSimple, type SigningStatement, signSimple } from './simple.ts';
export { listReasons, verifySigstore } from './verify-sigstore.ts';
