/** Images wherever they are: any transport as source or destination, copies, policies and signatures. */
export { admitImage } from './admit.ts';
export { readImageConfig } from './copy/config.ts';
export { copyImage, planCopy } from './copy/copy.ts';
export { chooseImage, collectMembers, isIndex, type Member } from './copy/members.ts';
export type { CopyOptions, CopyPlan, CopyResult, ManifestFormat, PlannedBlob } from './copy/options.ts';
export { ImagesError, type ImagesErrorCode } from './error.ts';
export { formatImageName, type ImageName, parseImageName, type Transport } from './image-name.ts';
export { type Images, openImages } from './images.ts';
export {
  type FoundPolicy,
  findPolicy,
  type IdentityMatch,
  matchIdentity,
  type Policy,
  type PolicyVerdict,
} from './policy/index.ts';
export type { BlobSource, ImageDestination, ImageSource } from './ports.ts';
export type { ImagesSettings } from './settings.ts';
export {
  copySigstoreSignatures,
  judgeSimple,
  listReasons,
  type SigstoreSigning,
  signSigstore,
  signSimple,
  type VerifiedSignature,
  verifySigstore,
} from './signatures/index.ts';
