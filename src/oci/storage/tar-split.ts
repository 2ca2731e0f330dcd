/**
 * The record of how a layer's tar was made (the tar-split project): a line of JSON for each piece, which is either bytes
 * (headers, padding) or the content of a file, which lies in the storage itself.
 */
import { decodeBase64 } from '../../base/decode.ts';
import { decompress } from '../../compression/index.ts';
import { field, optional, readSize, readText, required } from '../fields.ts';
import { parseJson } from '../json.ts';
import { damaged } from './error.ts';

export type TarPiece =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** A name is bytes. */
  | { readonly kind: 'file'; readonly name: Uint8Array; readonly size: number };

/** Bytes of one line. Headers are small, but all that follows the end of an archive may be one piece. */
const LINE_LIMIT = 128 * 2 ** 20;
/** Of the record of one layer, unpacked: some ten million files. */
const RECORD_LIMIT = 16 * 2 ** 30;
const NEWLINE = 0x0a;

/**
 * Pieces in the order of the tar. Files without content are left out.
 * @param source compressed
 * @throws StorageError STORAGE_MALFORMED; CompressionError
 */
export async function* readTarSplit(
  source: AsyncIterable<Uint8Array>,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<TarPiece> {
  for await (const line of lines(decompress(source, { format: 'detect', limit: RECORD_LIMIT, signal }), path)) {
    const piece = parsePiece(line, path);
    if (piece !== undefined) yield piece;
  }
}

function parsePiece(line: Uint8Array, path: string): TarPiece | undefined {
  const object = parseJson(line, 'tar-split', LINE_LIMIT);
  const type = required(object, 'type', 'tar-split', readSize);
  const payload = optional(object, 'payload', 'tar-split', readText) ?? '';
  if (type === 2) return { kind: 'bytes', bytes: decoded(payload, path) };
  if (type !== 1) throw damaged(path, `a piece of unknown type ${type}`);
  const size = optional(object, 'size', 'tar-split', readSize) ?? 0;
  if (size === 0) return undefined;
  // A name that is no UTF-8 is kept beside, in base64.
  const raw = field(object, 'name_raw');
  const name = raw === undefined ? Buffer.from(required(object, 'name', 'tar-split', readText)) : decoded(raw, path);
  return { kind: 'file', name, size };
}

function decoded(text: unknown, path: string): Uint8Array {
  const bytes = typeof text === 'string' ? decodeBase64(text) : undefined;
  if (bytes === undefined) throw damaged(path, 'a piece that is not base64');
  return bytes;
}

/** Without their newlines. */
async function* lines(source: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const rest = chunk.subarray(start, end);
      yield parts.length === 0 ? rest : Buffer.concat([...parts, rest]);
      [parts, length, start] = [[], 0, end + 1];
    }
    length += chunk.length - start;
    if (length > LINE_LIMIT) throw damaged(path, `a line of more than ${LINE_LIMIT} bytes`);
    if (start < chunk.length) parts.push(Buffer.from(chunk.subarray(start)));
  }
  if (length > 0) yield Buffer.concat(parts);
}
