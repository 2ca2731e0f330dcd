/**
 * GLib key files: `[group]`, `key=value`, `#` comments. Everything that is not changed is kept as it was written.
 * A line that is none of these, or a key before any group, is refused; the last of several equal keys holds.
 */
import { quote } from '../../base/text.ts';
import { OstreeError } from '../error.ts';

type Line =
  | { readonly kind: 'other'; readonly text: string }
  | { readonly kind: 'group'; readonly text: string; readonly name: string }
  | { readonly kind: 'key'; readonly text: string; readonly key: string; readonly value: string };

export class KeyFile {
  readonly #name: string;
  #lines: Line[];

  private constructor(name: string, lines: Line[]) {
    this.#name = name;
    this.#lines = lines;
  }

  /** @throws OstreeError CONFIG_MALFORMED */
  static parse(text: string, name: string): KeyFile {
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    let inGroup = false;
    const parsed = lines.map((line, i): Line => {
      const trimmed = line.trim();
      if (trimmed === '' || trimmed.startsWith('#')) return { kind: 'other', text: line };
      const group = /^\[([^[\]\p{Cc}]+)\]$/u.exec(trimmed)?.[1];
      if (group !== undefined) {
        inGroup = true;
        return { kind: 'group', text: line, name: group };
      }
      const equals = trimmed.indexOf('=');
      const key = trimmed.slice(0, Math.max(0, equals)).trimEnd();
      const value = trimmed.slice(equals + 1).trimStart();
      if (key === '' || /[[\]]/.test(key) || !inGroup) {
        throw new OstreeError(
          'CONFIG_MALFORMED',
          `${name} line ${i + 1}: expected [group] or key=value, found ${quote(line)}`,
          { subject: name },
        );
      }
      return { kind: 'key', text: line, key, value };
    });
    return new KeyFile(name, parsed);
  }

  get groups(): readonly string[] {
    return [...new Set(this.#lines.flatMap((line) => (line.kind === 'group' ? [line.name] : [])))];
  }

  keys(group: string): readonly string[] {
    return [...new Set(this.#linesOf(group).flatMap(({ line }) => (line.kind === 'key' ? [line.key] : [])))];
  }

  hasGroup(group: string): boolean {
    return this.groups.includes(group);
  }

  /** The text as written, escapes and all. */
  raw(group: string, key: string): string | undefined {
    return this.#linesOf(group).reduce<string | undefined>(
      (found, { line }) => (line.kind === 'key' && line.key === key ? line.value : found),
      undefined,
    );
  }

  /** @throws OstreeError CONFIG_MALFORMED for an unknown escape */
  string(group: string, key: string): string | undefined {
    const raw = this.raw(group, key);
    return raw === undefined ? undefined : this.#unescape(group, key, raw);
  }

  /** @throws OstreeError CONFIG_MALFORMED for anything but true, false, 1 and 0 */
  boolean(group: string, key: string): boolean | undefined {
    const raw = this.raw(group, key);
    if (raw === undefined) return undefined;
    if (raw === 'true' || raw === '1') return true;
    if (raw === 'false' || raw === '0') return false;
    throw this.#error(group, key, `expected true or false, found ${quote(raw)}`);
  }

  /** @throws OstreeError CONFIG_MALFORMED */
  integer(group: string, key: string): number | undefined {
    const raw = this.raw(group, key);
    if (raw === undefined) return undefined;
    if (!/^-?[0-9]{1,15}$/.test(raw)) throw this.#error(group, key, `expected a whole number, found ${quote(raw)}`);
    return Number(raw);
  }

  /** Elements between `;` (or another separator); one at the end may be left off or not. */
  list(group: string, key: string, separator = /;/): readonly string[] | undefined {
    const raw = this.raw(group, key);
    if (raw === undefined) return undefined;
    const parts = splitUnescaped(raw, separator).map((part) => this.#unescape(group, key, part.trim()));
    return parts.filter((part) => part !== '');
  }

  /** Replaces the last of this key in place, or appends it to its group, or the group to the file. */
  set(group: string, key: string, value: string): void {
    const escaped = value.replace(/[\\\n\t\r]/g, (c) => ESCAPES[c] ?? c).replace(/^ /, '\\s');
    const line: Line = { kind: 'key', text: `${key}=${escaped}`, key, value: escaped };
    const existing = this.#linesOf(group).findLast(({ line }) => line.kind === 'key' && line.key === key);
    if (existing !== undefined) this.#lines[existing.index] = line;
    else if (this.hasGroup(group)) this.#lines.splice(this.#endOf(group), 0, line);
    else this.#lines.push({ kind: 'other', text: '' }, { kind: 'group', text: `[${group}]`, name: group }, line);
  }

  remove(group: string, key: string): boolean {
    const gone = new Set(
      this.#linesOf(group).flatMap(({ line, index }) => (line.kind === 'key' && line.key === key ? [index] : [])),
    );
    this.#lines = this.#lines.filter((_, index) => !gone.has(index));
    return gone.size > 0;
  }

  removeGroup(group: string): boolean {
    const gone = new Set(this.#linesOf(group).map(({ index }) => index));
    this.#lines = this.#lines.filter((_, index) => !gone.has(index));
    return gone.size > 0;
  }

  /** What `parse` got, with the changes. */
  format(): string {
    const first = this.#lines.findIndex((line) => line.text !== '');
    return this.#lines
      .slice(Math.max(0, first))
      .map((line) => `${line.text}\n`)
      .join('');
  }

  /** The lines of all groups of this name, the group lines included. */
  #linesOf(group: string): { readonly line: Line; readonly index: number }[] {
    let current: string | undefined;
    return this.#lines.flatMap((line, index) => {
      if (line.kind === 'group') current = line.name;
      return current === group ? [{ line, index }] : [];
    });
  }

  /** Behind the last line of the group that says something: blank lines before the next group stay where they are. */
  #endOf(group: string): number {
    const last = this.#linesOf(group).findLast(({ line }) => line.text.trim() !== '');
    return (last?.index ?? this.#lines.length - 1) + 1;
  }

  #unescape(group: string, key: string, text: string): string {
    return text.replace(/\\(.?)/g, (_, letter: string) => {
      const plain = UNESCAPES[letter];
      if (plain === undefined) throw this.#error(group, key, `unknown escape ${quote(`\\${letter}`)}`);
      return plain;
    });
  }

  #error(group: string, key: string, text: string): OstreeError {
    return new OstreeError('CONFIG_MALFORMED', `${this.#name}: [${group}] ${key}: ${text}`, { subject: this.#name });
  }
}

/** A separator behind a backslash belongs to the element. */
function splitUnescaped(raw: string, separator: RegExp): string[] {
  const parts: string[] = [];
  let part = '';
  for (const [token] of raw.matchAll(/\\.|[\s\S]/g)) {
    if (token.length > 1 || !separator.test(token)) part += token;
    else {
      parts.push(part);
      part = '';
    }
  }
  return [...parts, part];
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r' };
const UNESCAPES: Readonly<Record<string, string>> = { '\\': '\\', n: '\n', t: '\t', r: '\r', s: ' ', ';': ';' };
