/** Copy an image, or an index with all its images, from any place to any other. */
import type { Descriptor, RawManifest } from '../../oci/index.ts';
import { ImagesError } from '../error.ts';
import { formatImageName } from '../image-name.ts';
import type { ImageDestination, ImageSource } from '../ports.ts';
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
  const { signal } = options;
  const member = await selectMember(source, destination, options);
  await options.admit(source, member.raw, signal);
  const images = planned(member, source, destination, options);
  const signatures = options.removeSignatures ? [] : await source.simpleSignatures(member.raw.digest, signal);
  if (signatures.length > 0 && isChanged(images, member, options)) throw signaturesLost(destination);
  const tally = await sendBlobs(
    await planImages([...images.values()], destination, options),
    source,
    destination,
    options,
  );
  const way: Way = { source, destination, options, tally, repacked: new Map() };
  const raw = await finishMember(member, images, way);
  await putSignatures(raw, signatures, way);
  await destination.finish(raw, signal);
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
  const member = await selectMember(source, destination, options);
  await options.admit(source, member.raw, options.signal);
  const images = [...planned(member, source, destination, options).values()];
  const sent = await planImages(images, destination, options);
  const blobs = new Map<string, PlannedBlob>(sent.map((blob) => [blob.digest, blob]));
  for (const { digest, mediaType, size } of images.flatMap((image) => image.member.manifest.layers.filter(isSent))) {
    if (!blobs.has(digest)) blobs.set(digest, { digest, mediaType, size, isThere: false });
  }
  const list = [...blobs.values()];
  const bytes = list.reduce((sum, { size, isThere }) => sum + (isThere ? 0 : size), 0);
  return { digest: member.raw.digest, mediaType: member.raw.mediaType, blobs: list, bytes };
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

type Images = ReadonlyMap<ImageMember, PlannedImage>;

/** What becomes of each image; what cannot be is refused here, before anything moves. */
function planned(member: Member, source: ImageSource, destination: ImageDestination, options: CopyOptions): Images {
  return new Map(
    imagesOf(member).map((image) => {
      const conversion = conversionOf(image, source, destination, options);
      if (conversion.isNeeded && options.preserveDigests) throw wouldChange(image, destination);
      if (!conversion.isNeeded) assertHeld(image.raw, destination);
      return [image, { member: image, conversion }];
    }),
  );
}

function imagesOf(member: Member): readonly ImageMember[] {
  return isIndex(member) ? member.members.flatMap(imagesOf) : [member];
}

function isChanged(images: Images, { raw }: Member, { format }: CopyOptions): boolean {
  const isConverted = format !== undefined && format !== formatOf(raw.mediaType);
  return isConverted || [...images.values()].some(({ conversion }) => conversion.isNeeded);
}

async function finishMember(member: Member, images: Images, way: Way): Promise<RawManifest> {
  const { destination, options } = way;
  if (!isIndex(member)) {
    const image = images.get(member);
    if (image === undefined) throw new Error('unreachable: an image without a plan');
    const raw = await finishImage(image, way);
    assertHeld(raw, destination);
    return raw;
  }
  const manifests: Descriptor[] = [];
  for (const [i, each] of member.members.entries()) {
    const raw = await finishMember(each, images, way);
    await destination.putManifest(raw, options.signal);
    await putSignatures(raw, [], way);
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
  member: IndexMember,
  manifests: readonly Descriptor[],
  destination: ImageDestination,
  options: CopyOptions,
): RawManifest {
  const { raw, manifest } = member;
  const format = wantedFormat(formatOf(raw.mediaType), destination, options);
  const isSame =
    format === formatOf(raw.mediaType) && manifests.every((m, i) => m.digest === manifest.manifests[i]?.digest);
  if (isSame) {
    assertHeld(raw, destination);
    return raw;
  }
  if (options.preserveDigests) throw wouldChange(member, destination);
  return convertIndex(manifest, format, manifests);
}

function assertHeld({ mediaType, digest }: RawManifest, { name, manifestTypes }: ImageDestination): void {
  if (manifestTypes === undefined || manifestTypes.includes(mediaType)) return;
  throw new ImagesError('IMAGE_UNSUITABLE', `${formatImageName(name)}: cannot hold ${digest}, a ${mediaType}`, {
    hint: '--format oci or --format v2s2 converts it',
  });
}

function signaturesLost({ name }: ImageDestination): ImagesError {
  const text = `${formatImageName(name)}: the manifest changes on the way, and its signatures would be false`;
  return new ImagesError('DIGEST_WOULD_CHANGE', text, { hint: '--remove-signatures leaves them behind' });
}
