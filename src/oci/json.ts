/**
 * JSON of images: UTF-8, bounded in bytes and in depth.
 *
 * Of keys that come twice the last one counts, as for `JSON.parse`; so it is for the tools that are written in Go.
 * The exact bytes have the digest, so what was signed or pinned cannot be read in two ways by way of this project.
 */
import { decodeUtf8 } from '../base/decode.ts';
import { explain } from '../base/error.ts';
import { malformed, OciError } from './error.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** What registries accept, and what the distribution specification tells clients to support at least. */
export const MANIFEST_LIMIT = 4 * 2 ** 20;

/** Documents of images nest about six deep. Without a limit, writing one again would end in a full stack. */
const DEPTH_LIMIT = 64;

/** One JSON object. @throws OciError TOO_LARGE, MANIFEST_MALFORMED */
export function parseJson(bytes: Uint8Array, what: string, limit = MANIFEST_LIMIT): JsonObject {
  const value = parseJsonValue(bytes, what, limit);
  if (!isObject(value)) throw malformed(what, 'a JSON object', describe(value));
  return value;
}

/** Any JSON value. @throws OciError TOO_LARGE, MANIFEST_MALFORMED */
export function parseJsonValue(bytes: Uint8Array, what: string, limit = MANIFEST_LIMIT): unknown {
  if (bytes.length > limit) throw new OciError('TOO_LARGE', `${what}: larger than the limit of ${limit} bytes`);
  const text = decodeUtf8(bytes);
  if (text === undefined) throw malformed(what, 'UTF-8', 'other bytes');
  if (depthOf(bytes) > DEPTH_LIMIT) throw malformed(what, `at most ${DEPTH_LIMIT} levels`, 'more');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed(what, 'JSON', explain(error), error);
  }
}

/** Compact, keys in the order of the object, absent fields left out. */
export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The kind of a value for messages; never the value itself, which may be large. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** How deep brackets nest, outside of strings. What is no JSON gets some number. */
function depthOf(bytes: Uint8Array): number {
  let [depth, deepest, isString] = [0, 0, false];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (isString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) isString = false;
    } else if (byte === QUOTE) isString = true;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) deepest = Math.max(deepest, ++depth);
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--;
  }
  return deepest;
}
