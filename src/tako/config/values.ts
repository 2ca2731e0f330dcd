/** The values of a configuration, one reader each; `where` is the file and line for the error. */
import { fileURLToPath } from 'node:url';
import { decodeByteCount, decodeDecimal } from '../../base/decode.ts';
import { CodedError, explain } from '../../base/error.ts';
import { quote } from '../../base/text.ts';
import { parseTimeSpan } from '../../base/time-span.ts';
import { type Calendar, parseCalendar, splitWords } from '../../systemd/index.ts';
import { type Pattern, parsePattern } from '../../version/index.ts';
import { TakoError } from '../error.ts';
import { type PublicKey, parsePublicKey } from '../manifest/key.ts';

/** Where images come from. */
export interface OriginUrl {
  /** Ends in `/`; may hold credentials. */
  readonly base: string;
  /** The same without credentials, for people. */
  readonly shown: string;
  readonly hasPassword: boolean;
  /** The directory, for a `file:` origin. */
  readonly directory: string | undefined;
}

export function readOrigin(text: string, where: string): OriginUrl {
  if (text === '') throw invalid(where, 'Origin is empty: expected an http, https or file URL');
  if (/[?#]/.test(text)) throw invalid(where, 'Origin: expected a URL without "?" and "#"');
  // Blanks and an empty host are what the parser of URLs would quietly repair. The text is not shown: a password.
  const strict = /^(https?:\/\/[^/\s]|file:\/\/)[^\s\p{Cc}]*$/iu.test(text);
  const url = strict && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw invalid(where, 'Origin: expected an http, https or file URL');
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return {
    base: url.href,
    shown: shown.href,
    hasPassword: url.password !== '',
    directory: url.protocol === 'file:' ? directoryOf(url, where) : undefined,
  };
}

function directoryOf(url: URL, where: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new TakoError('INVALID_CONFIG', `${where}: Origin: expected file:///path`, { cause });
  }
}

export function readPublicKey(text: string, where: string): PublicKey {
  return within(where, () => parsePublicKey(text));
}

export function readPattern(text: string, where: string): Pattern {
  if (text === '') throw invalid(where, 'Version is empty: expected a pattern such as "1.*" ("*" accepts any version)');
  return within(where, () => parsePattern(text), 'INVALID_CONFIG');
}

export function readDestination(text: string, where: string): string {
  if (text === '') throw invalid(where, 'Destination is empty: expected a directory');
  if (text.includes('\0')) throw invalid(where, 'Destination: a path holds no NUL');
  return text;
}

/** One or more units, separated by blanks. */
export function readUnits(text: string, where: string): string[] {
  const units = text.split(/[ \t]+/).filter((unit) => unit !== '');
  for (const unit of units) {
    if (unit.startsWith('-') || /[/\p{Cc}]/u.test(unit)) throw invalid(where, `not the name of a unit: ${quote(unit)}`);
  }
  return units;
}

export function readUnit(text: string, where: string): string {
  const [unit, extra] = readUnits(text, where);
  if (unit === undefined || extra !== undefined) throw invalid(where, `expected one unit, found ${quote(text)}`);
  return unit;
}

/** The full name of a unit: systemctl takes `app` for `app.service`. */
export function unitName(unit: string): string {
  return /\.(service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/.test(unit)
    ? unit
    : `${unit}.service`;
}

export function readKeepVersions(text: string, where: string): number {
  const count = decodeDecimal(text);
  if (count === undefined || count < 2) {
    throw invalid(
      where,
      `KeepVersions: expected a whole number of at least 2 (current and previous), found ${quote(text)}`,
    );
  }
  return count;
}

export function readKeepBytes(text: string, where: string): number {
  const bytes = decodeByteCount(text);
  if (bytes === undefined)
    throw invalid(where, `KeepBytes: expected bytes such as 1073741824 or 1G, found ${quote(text)}`);
  return bytes;
}

/** Milliseconds. */
export function readTimeSpan(text: string, where: string): number {
  const span = parseTimeSpan(text);
  if (span === undefined) throw invalid(where, `expected a time span such as 30s or 5min, found ${quote(text)}`);
  return span;
}

export function readCalendar(text: string, where: string): Calendar {
  const calendar = parseCalendar(text);
  if (calendar === undefined) {
    throw invalid(where, `expected a calendar expression such as "Sat,Sun *-*-* 02..04:*", found ${quote(text)}`);
  }
  return calendar;
}

/** An absolute path and its arguments. */
export function readCommand(text: string, where: string): readonly string[] {
  const words = splitWords(text);
  if (words === undefined) throw invalid(where, 'HealthCheck: a quote is not closed or an escape is unknown');
  if (!words[0]?.startsWith('/')) throw invalid(where, `HealthCheck: expected an absolute path, found ${quote(text)}`);
  return words;
}

/** Run a parser that knows nothing of files, and add where its text came from. */
function within<T>(where: string, parse: () => T, code?: 'INVALID_CONFIG'): T {
  try {
    return parse();
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause;
    const text = `${where}: ${explain(cause)}`;
    throw new CodedError(code ?? cause.code, text, { hint: cause.hint, subject: where.replace(/: line \d+$/, '') });
  }
}

function invalid(where: string, what: string): TakoError {
  return new TakoError('INVALID_CONFIG', `${where}: ${what}`, { subject: where.replace(/: line \d+$/, '') });
}
