/**
 * JSON as the runtimes read it, and strict where they disagree: runc (Go) lets a second key of the same name add to the
 * first, crun takes the last, and `JSON.parse` would not even tell. Numbers stay as they were written:
 * `18446744073709551615` is a limit that people set, and not 18446744073709552000.
 * Source: RFC 8259.
 */
import { decodeUtf8 } from '../../base/decode.ts';
import { quote } from '../../base/text.ts';
import { ConfigError } from '../error.ts';

export type ExactJson = null | boolean | string | number | ExactNumber | readonly ExactJson[] | ExactObject;
export interface ExactObject {
  readonly [key: string]: ExactJson | undefined;
}

/** A number that JavaScript would write in another way. */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Published configurations have 20 KiB. */
const SIZE_LIMIT = 2 ** 20;
const DEPTH_LIMIT = 64;
const TOKEN = /[\t\n\r ]*([[\]{},:]|"[^"\\\n]*(?:\\.[^"\\\n]*)*"|[^\t\n\r ,:[\]{}"]+|$|.)/suy;
const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;

export function isExactObject(value: unknown): value is ExactObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

/** @throws ConfigError with the line */
export function parseExactJson(bytes: Uint8Array, file: string): ExactJson {
  if (bytes.length > SIZE_LIMIT) throw new ConfigError(`${file}: larger than the limit of ${SIZE_LIMIT} bytes`);
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new ConfigError(`${file}: expected UTF-8, found other bytes`);
  return new Parser(text, file).document();
}

class Parser {
  private readonly text: string;
  private readonly file: string;
  /** Start of the token that was taken last, and the place after it. */
  private start = 0;
  private at = 0;

  constructor(text: string, file: string) {
    this.text = text;
    this.file = file;
  }

  document(): ExactJson {
    const value = this.value(this.next(), 0);
    const rest = this.next();
    if (rest !== '') throw this.wrong('the end', rest);
    return value;
  }

  private next(): string {
    TOKEN.lastIndex = this.at;
    const token = TOKEN.exec(this.text)?.[1] ?? '';
    this.at = TOKEN.lastIndex;
    this.start = this.at - token.length;
    return token;
  }

  private value(token: string, depth: number): ExactJson {
    if (depth > DEPTH_LIMIT) throw this.wrong(`at most ${DEPTH_LIMIT} levels`, 'more');
    if (token === '{') return this.object(depth);
    if (token === '[') return this.list(depth);
    if (token.startsWith('"')) return this.string(token);
    if (token === 'true') return true;
    if (token === 'false') return false;
    if (token === 'null') return null;
    if (NUMBER.test(token)) return String(Number(token)) === token ? Number(token) : new ExactNumber(token);
    throw this.wrong('a value', token);
  }

  private object(depth: number): ExactObject {
    const fields = new Map<string, ExactJson>();
    for (let token = this.next(); token !== '}' || fields.size > 0; token = this.next()) {
      if (!token.startsWith('"')) throw this.wrong(fields.size > 0 ? 'a key' : 'a key or "}"', token);
      const key = this.string(token);
      if (fields.has(key)) throw this.wrong('every key once', token);
      this.expect(':');
      fields.set(key, this.value(this.next(), depth + 1));
      if (!this.goesOn('}')) break;
    }
    return Object.fromEntries(fields);
  }

  private list(depth: number): readonly ExactJson[] {
    const values: ExactJson[] = [];
    for (let token = this.next(); token !== ']' || values.length > 0; token = this.next()) {
      values.push(this.value(token, depth + 1));
      if (!this.goesOn(']')) break;
    }
    return values;
  }

  private goesOn(end: string): boolean {
    const token = this.next();
    if (token !== ',' && token !== end) throw this.wrong(`"," or "${end}"`, token);
    return token === ',';
  }

  private expect(expected: string): void {
    const token = this.next();
    if (token !== expected) throw this.wrong(`"${expected}"`, token);
  }

  private string(token: string): string {
    try {
      return JSON.parse(token) as string; // a token that starts with a quote is a string, or no JSON
    } catch {
      throw this.wrong('a string', token); // JSON.parse has nothing to say but where, and it does not know the line
    }
  }

  private wrong(expected: string, token: string): ConfigError {
    const line = this.text.slice(0, this.start).split('\n').length;
    const found = token === '' ? 'the end' : quote(token, 40);
    return new ConfigError(`${this.file} line ${line}: expected ${expected}, found ${found}`, { line });
  }
}

/** Indented, keys in the order of the object, absent ones left out. */
export function formatExactJson(value: ExactJson, indent = ''): string {
  if (value instanceof ExactNumber) return value.text;
  const inner = `${indent}    `;
  if (isExactObject(value)) {
    const fields = Object.entries(value).flatMap(([key, each]) =>
      each === undefined ? [] : [`${inner}${JSON.stringify(key)}: ${formatExactJson(each, inner)}`],
    );
    return fields.length === 0 ? '{}' : `{\n${fields.join(',\n')}\n${indent}}`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const elements = (value as readonly ExactJson[]).map((each) => inner + formatExactJson(each, inner));
  return elements.length === 0 ? '[]' : `[\n${elements.join(',\n')}\n${indent}]`;
}
