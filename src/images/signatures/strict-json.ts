/**
 * JSON on which trust depends: a member that comes twice is refused, since two readers could take either one for what
 * was meant.
 */
import { decodeUtf8 } from '../../base/decode.ts';
import { explain } from '../../base/error.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Policies and payloads nest five deep. */
const MAX_DEPTH = 32;
/** Strings and brackets; what stands between them is no concern here, for the text is JSON already. */
const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;

export class JsonFlaw extends Error {}

/** The value. @throws JsonFlaw saying why there is none */
export function parseStrictJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new JsonFlaw('not UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new JsonFlaw(`not JSON: ${explain(error)}`);
  }
  assertOnce(text);
  return value;
}

function assertOnce(text: string): void {
  const open: Set<string>[] = [];
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      if (open.push(new Set()) > MAX_DEPTH) throw new JsonFlaw(`more than ${MAX_DEPTH} levels`);
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (colon !== undefined) {
      const name: unknown = JSON.parse(token.slice(0, -colon.length));
      const members = open.at(-1);
      if (members?.has(String(name))) throw new JsonFlaw(`member ${token.slice(0, 80)} comes twice`);
      members?.add(String(name));
    }
  }
}

/** An object with all of the required members and no other than the optional ones. @throws JsonFlaw */
export function readMembers(
  value: unknown,
  what: string,
  required: readonly string[],
  optional: readonly string[] = [],
): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new JsonFlaw(`${what}: expected an object`);
  }
  const missing = required.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) throw new JsonFlaw(`${what}: ${missing} is missing`);
  const unknown = Object.keys(value).find((name) => !required.includes(name) && !optional.includes(name));
  if (unknown !== undefined) throw new JsonFlaw(`${what}: unknown member ${JSON.stringify(unknown).slice(0, 80)}`);
  return { ...value };
}

/** @throws JsonFlaw */
export function readString(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new JsonFlaw(`${what}: expected a string that is not empty`);
}
