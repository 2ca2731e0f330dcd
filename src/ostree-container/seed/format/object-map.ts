/**
 * `ostree/object-map`: which object each file of the container is (spec ostree-container 1.2). UTF-8, one JSON object a
 * line, sorted by the bytes of the path; the first line says what it is.
 *
 * What is not stored in the repository of the image is `external`, and has all that rebuilds the object from the file.
 * Beyond the specification `layer` is the diff id of the layer of the base that has it, and `source` the name of the
 * entry there, when that is another one: the target of a hard link.
 */
import { decodeBase64, decodeUtf8, encodeBase64 } from '../../../base/decode.ts';
import { quote } from '../../../base/text.ts';
import { type Digest, isDigest } from '../../../oci/index.ts';
import { type Checksum, type FileHeader, isChecksum, S_IFMT, S_IFREG, type Xattr } from '../../../ostree/index.ts';
import { SeedError } from '../error.ts';

export interface MappedFile {
  /** In the container, from `/` on. */
  readonly path: string;
  readonly object: Checksum;
  /** Of a regular file. */
  readonly size: number | undefined;
  /** Of a symbolic link. */
  readonly target: string | undefined;
  readonly external: ExternalFile | undefined;
}

export interface ExternalFile {
  readonly header: FileHeader;
  readonly layer: Digest | undefined;
  /** As in `path`. */
  readonly source: string;
}

export const MAP_FORMAT = 'ostree-object-map';
/** A path of 4 KiB whose every byte is escaped, and 64 KiB of attributes. */
const LINE_LIMIT = 2 ** 20;

export function formatMapHead(commit: Checksum): string {
  return `${JSON.stringify({ format: MAP_FORMAT, version: 1, commit })}\n`;
}

export function formatMappedFile({ path, object, size, target, external }: MappedFile): string {
  const plain = { path, object, ...(target === undefined ? { size } : { target }) };
  return `${JSON.stringify(external === undefined ? plain : { ...plain, ...externalFields(path, external) })}\n`;
}

function externalFields(path: string, { header, layer, source }: ExternalFile) {
  const { uid, gid, mode, xattrs } = header;
  return {
    external: true,
    uid,
    gid,
    mode,
    xattrs: xattrs.map((pair) => pair.map(encodeBase64)),
    ...(layer !== undefined && { layer }),
    ...(source !== path && { source }),
  };
}

export interface MapHead {
  readonly commit: Checksum;
}

/** Lines as they come; memory for one. @throws SeedError SEED_MALFORMED, SEED_LIMIT */
export async function* readObjectMap(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<MapHead | MappedFile> {
  let number = 0;
  for await (const line of linesOf(chunks)) {
    number++;
    const value = parseLine(line, number);
    yield number === 1 ? readHead(value) : readFile(value, number);
  }
  if (number === 0) throw malformed(1, 'a first line', 'nothing');
}

export function isMapHead(line: MapHead | MappedFile): line is MapHead {
  return 'commit' in line;
}

async function* linesOf(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const all = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = all.indexOf(10, from); end >= 0; end = all.indexOf(10, from)) {
      yield all.subarray(from, end);
      from = end + 1;
    }
    rest = all.subarray(from);
    if (rest.length > LINE_LIMIT)
      throw new SeedError('SEED_LIMIT', `object-map: a line of more than ${LINE_LIMIT} bytes`);
  }
  if (rest.length > 0) throw new SeedError('SEED_MALFORMED', 'object-map: ends in the middle of a line');
}

type Fields = Readonly<Record<string, unknown>>;

function parseLine(line: Uint8Array, number: number): Fields {
  const text = decodeUtf8(line);
  let value: unknown;
  try {
    value = text === undefined ? undefined : JSON.parse(text);
  } catch (error) {
    throw new SeedError('SEED_MALFORMED', `object-map line ${number}: no JSON`, { cause: error });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw malformed(number, 'a JSON object', text);
}

function readHead({ format, version, commit }: Fields): MapHead {
  if (format !== MAP_FORMAT || version !== 1) throw malformed(1, `${MAP_FORMAT} of version 1`, `${format} ${version}`);
  if (!isHexChecksum(commit)) throw malformed(1, 'the checksum of a commit', commit);
  return { commit };
}

function readFile(fields: Fields, number: number): MappedFile {
  const { path, object, size, target, external } = fields;
  if (!isPath(path)) throw malformed(number, 'a path from /', path);
  if (!isHexChecksum(object)) throw malformed(number, 'a checksum', object);
  if (target !== undefined && typeof target !== 'string') throw malformed(number, 'the target of a link', target);
  if (target === undefined && !isWhole(size, Number.MAX_SAFE_INTEGER)) throw malformed(number, 'a size', size);
  return {
    path,
    object,
    size: target === undefined ? (size as number) : undefined,
    target,
    external: external === true ? readExternal(fields, path, number) : undefined,
  };
}

function readExternal({ uid, gid, mode, xattrs, layer, source, target }: Fields, path: string, number: number) {
  if (!isWhole(uid, 2 ** 32 - 1) || !isWhole(gid, 2 ** 32 - 1)) throw malformed(number, 'an owner', `${uid}:${gid}`);
  if (!isWhole(mode, 0o177777) || (target === undefined && (mode & S_IFMT) !== S_IFREG)) {
    throw malformed(number, 'the mode of a file', mode);
  }
  if (layer !== undefined && !(typeof layer === 'string' && isDigest(layer)))
    throw malformed(number, 'a digest', layer);
  if (source !== undefined && !isPath(source)) throw malformed(number, 'a path from /', source);
  const header: FileHeader = {
    uid,
    gid,
    mode,
    target: target as string | undefined, // looked at before
    xattrs: readXattrs(xattrs, number),
  };
  return { header, layer: layer as Digest | undefined, source: source ?? path };
}

function readXattrs(value: unknown, number: number): readonly Xattr[] {
  if (!Array.isArray(value)) throw malformed(number, 'a list of attributes', value);
  return value.map((pair: unknown) => {
    const [name, content, ...more] = Array.isArray(pair) ? pair.map(bytesOf) : [];
    if (name === undefined || content === undefined || more.length > 0)
      throw malformed(number, 'pairs in base64', pair);
    return [name, content] as const;
  });
}

function bytesOf(text: unknown): Uint8Array | undefined {
  return typeof text === 'string' ? decodeBase64(text) : undefined;
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('/') && !value.includes('\0');
}

function isHexChecksum(value: unknown): value is Checksum {
  return typeof value === 'string' && isChecksum(value);
}

function isWhole(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;
}

function malformed(line: number, expected: string, found: unknown): SeedError {
  return new SeedError(
    'SEED_MALFORMED',
    `object-map line ${line}: expected ${expected}, found ${quote(String(found))}`,
  );
}
