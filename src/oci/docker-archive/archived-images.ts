/** `manifest.json` of a Docker archive: which images it has, and where their parts lie. */
import { printable, quote } from '../../base/text.ts';
import { OciError } from '../error.ts';
import { listOf, optional, type Reader, readObject, readText, readTexts, required } from '../fields.ts';
import { parseJsonValue } from '../json.ts';
import { formatNamed, parseNamed, withDefaultTag } from '../reference.ts';

export const ITEMS_FILE = 'manifest.json';

export interface ArchivedImage {
  /** Names of files in the archive. */
  readonly config: string;
  /** The lowest first; one name may come again. */
  readonly layers: readonly string[];
  /** As written. */
  readonly repoTags: readonly string[];
}

const readItem: Reader<ArchivedImage> = (value, what) => {
  const object = readObject(value, what);
  return {
    config: required(object, 'Config', what, readText),
    layers: optional(object, 'Layers', what, readTexts) ?? [],
    repoTags: optional(object, 'RepoTags', what, readTexts) ?? [],
  };
};

/** @throws OciError MANIFEST_MALFORMED, TOO_LARGE */
export function parseArchivedImages(bytes: Uint8Array): readonly ArchivedImage[] {
  return listOf(readItem)(parseJsonValue(bytes, ITEMS_FILE), ITEMS_FILE);
}

/** In the order of the file, which is what `docker save` reads it in. */
export function encodeArchivedImages(images: readonly ArchivedImage[]): Uint8Array {
  return Buffer.from(
    JSON.stringify(
      images.map(({ config, repoTags, layers }) => ({ Config: config, RepoTags: repoTags, Layers: layers })),
    ),
  );
}

/**
 * The image of a name (`latest` where it has no tag), or `@INDEX`; without a selector the only one.
 * @throws OciError IMAGE_MISSING, TAG_AMBIGUOUS, BAD_REFERENCE
 */
export function chooseArchived(
  images: readonly ArchivedImage[],
  selector: string | undefined,
  path: string,
): ArchivedImage {
  if (selector === undefined) return onlyImage(images, path);
  if (selector.startsWith('@')) return numbered(images, selector, path);
  const named = withDefaultTag(parseNamed(selector));
  if (named.digest !== undefined) {
    throw new OciError('BAD_REFERENCE', `image name ${quote(selector)}: an archive of Docker keeps no digests`);
  }
  const wanted = formatNamed(named);
  const found = images.find(({ repoTags }) => repoTags.some((tag) => normalised(tag) === wanted));
  if (found !== undefined) return found;
  throw missing(path, `no image ${quote(selector)}`, namesOf(images));
}

function onlyImage(images: readonly ArchivedImage[], path: string): ArchivedImage {
  const [first] = images;
  if (first === undefined) throw missing(path, 'no image');
  if (images.length === 1) return first;
  throw new OciError('TAG_AMBIGUOUS', `${printable(path)}: ${images.length} images`, {
    hint: namesOf(images),
    subject: path,
  });
}

function numbered(images: readonly ArchivedImage[], selector: string, path: string): ArchivedImage {
  const found = /^@[0-9]{1,6}$/.test(selector) ? images[Number(selector.slice(1))] : undefined;
  if (found !== undefined) return found;
  throw missing(path, `no image ${quote(selector)}`, `there are @0 to @${images.length - 1}`);
}

/** Undefined for what is no name, which then nobody can ask for. */
function normalised(tag: string): string | undefined {
  try {
    return formatNamed(withDefaultTag(parseNamed(tag)));
  } catch (error) {
    if (error instanceof OciError) return undefined;
    throw error;
  }
}

const SHOWN = 10;

function namesOf(images: readonly ArchivedImage[]): string {
  const names = images.map(({ repoTags }, i) => (repoTags[0] === undefined ? `@${i}` : quote(repoTags[0])));
  return `name one of ${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ' ...' : ''}`;
}

function missing(path: string, what: string, hint?: string): OciError {
  return new OciError('IMAGE_MISSING', `${printable(path)}: ${what}`, { hint, subject: path });
}
