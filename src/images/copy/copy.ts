/** Copy an image, or an index with all its images, from any place to any other. */
import type { Descriptor, Digest, RawManifest } from '../../oci/index.ts';
import { ImagesError } from '../error.ts';
import { formatImageName } from '../image-name.ts';
import type { ImageDestination, ImageSource } from '../ports.ts';
import { keepsNoSignatures } from '../transports/files.ts';
import { isSent, sendBlobs } from './blobs.ts';
import { convertIndex, formatOf } from './convert.ts';
import {
  conversionOf,
  finishImage,
  type PlannedImage,
  planImages,
  type Way,
  wantedFormat,
  wouldChange,
} from './image.ts';
import { chooseImage, collectMembers, type ImageMember, type IndexMember, isIndex, type Member } from './members.ts';
import type { CopyOptions, CopyPlan, CopyResult, PlannedBlob } from './options.ts';

/**
 * The manifest is visible at the destination last of all. Every blob is verified by whoever stores it, every manifest
 * here, and the policy is asked before the first blob moves.
 * @throws ImagesError, OciError, RegistryError, CompressionError, TarError, SystemError
 */
export async function copyImage(
  source: ImageSource,
  destination: ImageDestination,
  options: CopyOptions,
): Promise<CopyResult> {
  const { member, images, signatures } = await prepare(source, destination, options);
  const plan = await planImages([...images.values()], destination, options);
  const tally = await sendBlobs(plan, source, destination, options);
  const way: Way = { source, destination, options, tally, repacked: new Map() };
  const raw = await finishMember(member, { images, signatures, finished: new Map() }, way);
  await destination.finish(raw, options.signal);
  return {
    manifest: raw,
    sourceDigest: member.raw.digest,
    blobsCopied: tally.copied,
    bytesCopied: tally.bytes,
    blobsThere: tally.there,
  };
}

/** What a copy would send; nothing is written. Layers that would be packed anew count as they are at the source. */
export async function planCopy(
  source: ImageSource,
  destination: ImageDestination,
  options: CopyOptions,
): Promise<CopyPlan> {
  const prepared = await prepare(source, destination, options);
  const { member } = prepared;
  const images = [...prepared.images.values()];
  const sent = await planImages(images, destination, options);
  const blobs = new Map<string, PlannedBlob>(sent.map((blob) => [blob.digest, blob]));
  for (const { digest, mediaType, size } of images.flatMap((image) => image.member.manifest.layers.filter(isSent))) {
    if (!blobs.has(digest)) blobs.set(digest, { digest, mediaType, size, isThere: false });
  }
  const list = [...blobs.values()];
  const bytes = list.reduce((sum, { size, isThere }) => sum + (isThere ? 0 : size), 0);
  return { digest: member.raw.digest, mediaType: member.raw.mediaType, blobs: list, bytes };
}

type Images = ReadonlyMap<ImageMember, PlannedImage>;
/** Simple ones, by the digest that they are about. */
type Signatures = ReadonlyMap<Digest, readonly Uint8Array[]>;

interface Prepared {
  readonly member: Member;
  readonly images: Images;
  readonly signatures: Signatures;
}

/** What becomes of the image, or of the index with all of its images; what cannot be is refused before anything moves. */
async function prepare(source: ImageSource, destination: ImageDestination, options: CopyOptions): Promise<Prepared> {
  const member = await selectMember(source, destination, options);
  await options.admit(source, member.raw, options.signal);
  const images: Images = new Map(
    membersOf(member).flatMap((each) => {
      if (isIndex(each)) return [];
      return [[each, { member: each, conversion: conversionOf(each, source, destination, options) }]];
    }),
  );
  const changed = (each: Member): boolean => isChanged(each, images, destination, options);
  assertHeld(
    membersOf(member).filter((each) => !changed(each)),
    destination,
  );
  if (options.preserveDigests) assertPreserved(member, source, destination, changed);
  const signatures = new Map<Digest, readonly Uint8Array[]>();
  for (const each of options.removeSignatures ? [] : membersOf(member)) {
    const found = await source.simpleSignatures(each.raw.digest, options.signal);
    if (found.length === 0) continue;
    if (destination.keepsSimpleSignatures === false) throw keepsNoSignatures(destination.name);
    if (changed(each)) throw signaturesLost(destination);
    signatures.set(each.raw.digest, found);
  }
  return { member, images, signatures };
}

async function selectMember(
  source: ImageSource,
  destination: ImageDestination,
  { all, platform, signal }: CopyOptions,
): Promise<Member> {
  const top = await source.readManifest(undefined, signal);
  if (!all) return chooseImage(source, top, platform, signal);
  const member = await collectMembers(source, top, signal);
  if (!isIndex(member) || destination.holdsIndexes) return member;
  throw new ImagesError('IMAGE_UNSUITABLE', `${formatImageName(destination.name)}: cannot hold an index`, {
    hint: 'without --all one image of it is copied',
  });
}

/** Itself, and all that it leads to; each once. */
function membersOf(member: Member): readonly Member[] {
  const all = isIndex(member) ? [member, ...member.members.flatMap(membersOf)] : [member];
  return [...new Set(all)];
}

function isChanged(member: Member, images: Images, destination: ImageDestination, options: CopyOptions): boolean {
  if (!isIndex(member)) return images.get(member)?.conversion.isNeeded === true;
  const here = formatOf(member.raw.mediaType);
  const isConverted = wantedFormat(here, destination, options) !== here;
  return isConverted || member.members.some((each) => isChanged(each, images, destination, options));
}

/** What is stored as it is has to be of a kind that can be stored there. */
function assertHeld(kept: readonly Member[], { name, manifestTypes }: ImageDestination): void {
  const odd = kept.find(({ raw }) => manifestTypes?.includes(raw.mediaType) === false);
  if (odd === undefined) return;
  const { digest, mediaType } = odd.raw;
  throw new ImagesError('IMAGE_UNSUITABLE', `${formatImageName(name)}: cannot hold ${digest}, a ${mediaType}`, {
    hint: '--format oci or --format v2s2 converts it',
  });
}

/** Between places that keep no manifests, the one that is made up stays the same; no other comes through them. */
function assertPreserved(
  member: Member,
  source: ImageSource,
  destination: ImageDestination,
  changed: (each: Member) => boolean,
): void {
  const isLost = destination.layers === 'tars' && source.layers !== 'tars';
  const lost = isLost ? member : membersOf(member).find(changed);
  if (lost !== undefined) throw wouldChange(lost, destination);
}

interface Plan {
  readonly images: Images;
  readonly signatures: Signatures;
  /** An index may name the same image twice. */
  readonly finished: Map<Member, RawManifest>;
}

async function finishMember(member: Member, plan: Plan, way: Way): Promise<RawManifest> {
  const known = plan.finished.get(member);
  if (known !== undefined) return known;
  const raw = isIndex(member) ? await finishIndex(member, plan, way) : await finishImage(planOf(member, plan), way);
  await putSignatures(raw, plan.signatures.get(member.raw.digest) ?? [], way);
  plan.finished.set(member, raw);
  return raw;
}

function planOf(member: ImageMember, { images }: Plan): PlannedImage {
  const image = images.get(member);
  if (image === undefined) throw new Error('unreachable: an image without a plan');
  return image;
}

async function finishIndex(member: IndexMember, plan: Plan, way: Way): Promise<RawManifest> {
  const { destination, options } = way;
  const manifests: Descriptor[] = [];
  for (const [i, each] of member.members.entries()) {
    const raw = await finishMember(each, plan, way);
    await destination.putManifest(raw, options.signal);
    const was = member.manifest.manifests[i];
    if (was === undefined) throw new Error('unreachable: a member that its index does not name');
    manifests.push({ ...was, mediaType: raw.mediaType, digest: raw.digest, size: raw.bytes.length });
  }
  return changedIndex(member, manifests, destination, options);
}

/** Those that came with it, and new ones. */
async function putSignatures(
  raw: RawManifest,
  kept: readonly Uint8Array[],
  { destination, options: { sign, signal } }: Way,
): Promise<void> {
  const signatures = [...kept, ...((await sign?.(raw, signal)) ?? [])];
  if (signatures.length > 0) await destination.putSimpleSignatures(raw.digest, signatures, signal);
}

function changedIndex(
  { raw, manifest }: IndexMember,
  manifests: readonly Descriptor[],
  destination: ImageDestination,
  options: CopyOptions,
): RawManifest {
  const here = formatOf(raw.mediaType);
  const format = wantedFormat(here, destination, options);
  const isSame = format === here && manifests.every((m, i) => m.digest === manifest.manifests[i]?.digest);
  return isSame ? raw : convertIndex(manifest, format, manifests);
}

function signaturesLost({ name }: ImageDestination): ImagesError {
  const text = `${formatImageName(name)}: the manifest changes on the way, and its signatures would be false`;
  return new ImagesError('DIGEST_WOULD_CHANGE', text, { hint: '--remove-signatures leaves them behind' });
}
