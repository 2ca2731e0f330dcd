/** The images that a copy is about: one, or an index with all that it leads to. */
import {
  assertDigest,
  choosePlatform,
  type Descriptor,
  type Digest,
  formatPlatform,
  type ImageIndex,
  type ImageManifest,
  OciError,
  type Platform,
  parseManifest,
  type RawManifest,
  rawManifest,
} from '../../oci/index.ts';
import { formatImageName } from '../image-name.ts';
import type { ImageSource } from '../ports.ts';

/** Indexes below each other. Nobody has more than two; a loop of digests cannot exist. */
const DEEPEST = 8;
/** Manifests of one copy, so that an index of indexes does not keep us for ever. */
const MOST = 1000;
/** Of all of them together: they are in memory until the end. Indexes of hundreds of images have some 2 MiB. */
const MOST_BYTES = 64 * 2 ** 20;

export interface ImageMember {
  readonly raw: RawManifest;
  readonly manifest: ImageManifest;
}

export interface IndexMember {
  readonly raw: RawManifest;
  readonly manifest: ImageIndex;
  readonly members: readonly Member[];
}

export type Member = ImageMember | IndexMember;

export function isIndex(member: Member): member is IndexMember {
  return member.manifest.kind === 'index';
}

/** The image for a platform, through as many indexes as there are. @throws OciError PLATFORM_MISSING */
export async function chooseImage(
  source: ImageSource,
  raw: RawManifest,
  platform: Platform,
  signal: AbortSignal,
): Promise<ImageMember> {
  let at = raw;
  for (let depth = 0; depth <= DEEPEST; depth++) {
    const manifest = parseManifest(at);
    if (manifest.kind === 'image') return { raw: at, manifest };
    const chosen = choosePlatform(manifest, platform);
    if (chosen === undefined) throw noPlatform(source, manifest, platform);
    at = await readMember(source, chosen, signal);
  }
  throw tooMuch(source, `more than ${DEEPEST} indexes below each other`);
}

/** Everything that an index leads to, each manifest read once; an image is just itself. @throws OciError TOO_LARGE */
export async function collectMembers(source: ImageSource, raw: RawManifest, signal: AbortSignal): Promise<Member> {
  let [count, bytes] = [0, 0];
  const known = new Map<Digest, { readonly member: Member; readonly leadsTo: number }>();
  const collect = async (at: RawManifest, depth: number): Promise<Member> => {
    const manifest = parseManifest(at);
    if (manifest.kind === 'image') return { raw: at, manifest };
    grow(manifest.manifests.length);
    if (depth > DEEPEST) throw tooMuch(source, `more than ${DEEPEST} indexes below each other`);
    const members: Member[] = [];
    for (const each of manifest.manifests) members.push(await member(each, depth + 1));
    return { raw: at, manifest, members };
  };
  /** What is named again counts again, with all below it: who walks the tree meets it there. */
  const member = async (descriptor: Descriptor, depth: number): Promise<Member> => {
    const before = known.get(descriptor.digest);
    if (before !== undefined) {
      grow(before.leadsTo);
      return before.member;
    }
    const start = count;
    const found = await collect(await read(descriptor), depth);
    known.set(descriptor.digest, { member: found, leadsTo: count - start });
    return found;
  };
  const grow = (by: number): void => {
    count += by;
    if (count > MOST) throw tooMuch(source, `more than ${MOST} images`);
  };
  const read = async (descriptor: Descriptor): Promise<RawManifest> => {
    const found = await readMember(source, descriptor, signal);
    bytes += found.bytes.length;
    if (bytes > MOST_BYTES) throw tooMuch(source, `manifests of more than ${MOST_BYTES} bytes`);
    return found;
  };
  return collect(raw, 0);
}

function tooMuch({ name }: ImageSource, what: string): OciError {
  return new OciError('TOO_LARGE', `${formatImageName(name)}: ${what}`, { subject: formatImageName(name) });
}

/** A manifest that a descriptor names, verified. */
export async function readMember(
  source: ImageSource,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<RawManifest> {
  const { digest, size, mediaType } = descriptor;
  const { bytes } = await source.readManifest(digest, signal);
  assertDigest(`manifest ${digest} of ${formatImageName(source.name)}`, bytes, digest, size);
  return { ...rawManifest(bytes, mediaType), digest };
}

function noPlatform({ name }: ImageSource, { manifests }: ImageIndex, platform: Platform): OciError {
  const there = manifests.flatMap((each) => (each.platform === undefined ? [] : [formatPlatform(each.platform)]));
  const list = [...new Set(there)].join(', ');
  const text = `${formatImageName(name)}: no image for ${formatPlatform(platform)}`;
  return new OciError('PLATFORM_MISSING', text, {
    hint: list === '' ? undefined : `there are images for ${list}; --platform chooses another one`,
    subject: formatImageName(name),
  });
}
