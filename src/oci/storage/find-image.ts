/** Which image of the storage a name means. */
import { printable, quote } from '../../base/text.ts';
import { OciError } from '../error.ts';
import { formatNamed, type NamedReference, repositoryName } from '../reference.ts';
import type { ImageRecord } from './records.ts';
import type { StorageName } from './storage-name.ts';

/**
 * By id or its beginning, by name, and by name and digest of a manifest. The first of several equal names: the storage
 * itself takes care that there are none.
 * @throws OciError IMAGE_MISSING, TAG_AMBIGUOUS
 */
export function findImage(
  images: readonly ImageRecord[],
  { id, named }: Pick<StorageName, 'id' | 'named'>,
  path: string,
): ImageRecord {
  if (id !== undefined) return byId(images, id, named, path);
  if (named === undefined) throw new Error('unreachable: a name has a reference or an id');
  const text = formatNamed(named);
  const found = images.find(({ names }) => names.includes(text)) ?? byDigest(images, named);
  if (found !== undefined) return found;
  throw missing(path, `no image ${quote(text)}`, hint(images));
}

function byId(
  images: readonly ImageRecord[],
  id: string,
  named: NamedReference | undefined,
  path: string,
): ImageRecord {
  const found = new Map(images.filter((image) => image.id.startsWith(id)).map((image) => [image.id, image]));
  const [first] = found.values();
  const isNamed = first !== undefined && (named === undefined || isOf(first, named));
  if (!isNamed) throw missing(path, `no image of id ${id}`);
  if (found.size === 1) return first;
  throw new OciError('TAG_AMBIGUOUS', `${printable(path)}: ${found.size} images have an id that begins with ${id}`, {
    subject: path,
  });
}

function byDigest(images: readonly ImageRecord[], named: NamedReference): ImageRecord | undefined {
  const { digest } = named;
  if (digest === undefined) return undefined;
  return images.find(
    (image) => (image.digest === digest || image.bigDataDigests[`manifest-${digest}`] === digest) && isOf(image, named),
  );
}

/** Has the image a name in this repository? */
function isOf({ names }: ImageRecord, named: NamedReference): boolean {
  const repository = repositoryName(named);
  return names.some((name) => name.startsWith(`${repository}:`) || name.startsWith(`${repository}@`));
}

const SHOWN = 10;

function hint(images: readonly ImageRecord[]): string | undefined {
  const names = images.flatMap((image) => image.names);
  if (names.length === 0) return images.length === 0 ? undefined : 'its images have no names: name one as @ID';
  return `there are ${names
    .slice(0, SHOWN)
    .map((name) => quote(name))
    .join(', ')}${names.length > SHOWN ? ' ...' : ''}`;
}

function missing(path: string, what: string, more?: string): OciError {
  return new OciError('IMAGE_MISSING', `${printable(path)}: ${what}`, { hint: more, subject: path });
}
