/**
 * The text form as a tree, before anything is known of types: `[1, 2]` may become `ai`, `ad` or `amt`.
 * Source: "GVariant Text Format" in GLib's reference documentation.
 */
import { clip, textError } from '../error.ts';
import { DEEPEST } from '../framing.ts';
import { typeEnd } from '../signature.ts';
import { bytesIn, quotedEnd, textIn } from './unquote.ts';

export type Node = { readonly at: number } & (
  | { readonly kind: 'number'; readonly token: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'array' | 'tuple'; readonly children: readonly Node[] }
  | { readonly kind: 'dict'; readonly entries: readonly (readonly [Node, Node])[] }
  | { readonly kind: 'entry'; readonly key: Node; readonly value: Node }
  | { readonly kind: 'maybe'; readonly child: Node | undefined }
  | { readonly kind: 'variant'; readonly child: Node }
  | { readonly kind: 'typed'; readonly type: string; readonly child: Node }
);

/** Words before a value that give its type. */
const TYPE_WORDS: ReadonlyMap<string, string> = new Map([
  ['boolean', 'b'],
  ['byte', 'y'],
  ['int16', 'n'],
  ['uint16', 'q'],
  ['int32', 'i'],
  ['uint32', 'u'],
  ['handle', 'h'],
  ['int64', 'x'],
  ['uint64', 't'],
  ['double', 'd'],
  ['string', 's'],
  ['objectpath', 'o'],
  ['signature', 'g'],
]);

/** The whole text as one value. */
export function parseSyntax(text: string): Node {
  const cursor = new Cursor(text);
  const node = parseValue(cursor, 0);
  if (cursor.peek() !== '') throw textError(cursor.at, 'the end');
  return node;
}

class Cursor {
  at = 0;
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The next character that is no white space, without taking it; empty at the end. */
  peek(): string {
    while (/^[ \t\n\f\r]$/.test(this.text.charAt(this.at))) this.at++;
    return this.text.charAt(this.at);
  }

  take(wanted: string): boolean {
    if (this.peek() !== wanted) return false;
    this.at++;
    return true;
  }

  require(wanted: string): void {
    if (!this.take(wanted)) throw textError(this.at, `"${wanted}"`);
  }

  /** What a sticky pattern matches here; empty when it does not. */
  match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const [found = ''] = pattern.exec(this.text) ?? [];
    this.at += found.length;
    return found;
  }
}

function parseValue(cursor: Cursor, level: number): Node {
  if (level > DEEPEST) throw textError(cursor.at, `at most ${DEEPEST} values inside one another`);
  const first = cursor.peek();
  const at = cursor.at;
  const inner = (): Node => parseValue(cursor, level + 1);
  if (cursor.take('[')) return { kind: 'array', at, children: parseList(cursor, inner) };
  if (cursor.take('(')) return { kind: 'tuple', at, children: parseTuple(cursor, inner) };
  if (cursor.take('{')) return parseBraces(cursor, inner, at);
  if (cursor.take('<')) {
    const child = inner();
    cursor.require('>');
    return { kind: 'variant', at, child };
  }
  if (first === "'" || first === '"') return { kind: 'text', at, text: textIn(takeQuoted(cursor, at), at) };
  if (/^b['"]/.test(cursor.text.slice(at, at + 2)))
    return { kind: 'bytes', at, bytes: bytesIn(takeQuoted(cursor, at + 1)) };
  if (cursor.take('@')) return { kind: 'typed', at, type: takeType(cursor), child: inner() };
  const token = cursor.match(/[-+.0-9][-+.0-9A-Za-z]*/y);
  return token === '' ? parseWord(cursor, inner, at) : { kind: 'number', at, token };
}

function parseWord(cursor: Cursor, inner: () => Node, at: number): Node {
  const word = cursor.match(/[a-z][0-9A-Za-z]*/y);
  if (word === 'true' || word === 'false') return { kind: 'boolean', at, value: word === 'true' };
  if (word === 'inf' || word === 'nan') return { kind: 'number', at, token: word };
  if (word === 'nothing') return { kind: 'maybe', at, child: undefined };
  if (word === 'just') return { kind: 'maybe', at, child: inner() };
  const type = TYPE_WORDS.get(word);
  if (type === undefined) throw textError(at, `a value, found ${word === '' ? 'none' : clip(word)}`);
  return { kind: 'typed', at, type, child: inner() };
}

function parseList(cursor: Cursor, inner: () => Node): Node[] {
  const children: Node[] = [];
  while (!cursor.take(']')) {
    if (children.length > 0) cursor.require(',');
    children.push(inner());
  }
  return children;
}

/** A comma follows the only member of a tuple, but not the last of many. */
function parseTuple(cursor: Cursor, inner: () => Node): Node[] {
  const children: Node[] = [];
  while (!cursor.take(')')) {
    if (children.length > 1) cursor.require(',');
    children.push(inner());
    if (children.length === 1) cursor.require(',');
  }
  return children;
}

/** `{k: v, ...}` is a dictionary, `{k, v}` one entry by itself. */
function parseBraces(cursor: Cursor, inner: () => Node, at: number): Node {
  if (cursor.take('}')) return { kind: 'dict', at, entries: [] };
  const key = inner();
  if (cursor.take(',')) {
    const value = inner();
    cursor.require('}');
    return { kind: 'entry', at, key, value };
  }
  cursor.require(':');
  const entries: [Node, Node][] = [[key, inner()]];
  while (!cursor.take('}')) {
    cursor.require(',');
    const next = inner();
    cursor.require(':');
    entries.push([next, inner()]);
  }
  return { kind: 'dict', at, entries };
}

/** What is between the quotes, the first of which is at `start`. */
function takeQuoted(cursor: Cursor, start: number): string {
  const end = quotedEnd(cursor.text, start);
  if (end === undefined) throw textError(cursor.text.length, 'a closing quote');
  cursor.at = end + 1;
  return cursor.text.slice(start + 1, end);
}

function takeType(cursor: Cursor): string {
  const start = cursor.at;
  const end = typeEnd(cursor.text, start);
  if (end === undefined || !/^[ \t\n\f\r]$/.test(cursor.text.charAt(end))) throw textError(start, 'a type string');
  cursor.at = end;
  return cursor.text.slice(start, end);
}
