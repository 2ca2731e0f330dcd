/**
 * Lists for `--statoverride` and `--skip-list`: one path a line, blank lines do not count.
 * `MODE PATH` adds permission bits, `=MODE PATH` sets them. As in libostree the mode is **decimal** (or hexadecimal
 * with 0x); one that begins with 0 was meant to be octal and is refused.
 */
import { quote } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import { octal } from '../objects/file-header.ts';
import type { StatOverride } from './modifiers.ts';

/** @throws OstreeError CONFIG_MALFORMED */
export function parseStatOverrides(text: string, name: string): ReadonlyMap<string, StatOverride> {
  const overrides = new Map<string, StatOverride>();
  for (const [number, line] of numberedLines(text)) {
    const where = `${name} line ${number}`;
    const [, sign = '', mode = '', path = ''] = /^([=+]?)([0-9A-Za-z]+) (.+)$/.exec(line) ?? [];
    if (path === '') throw refuse(where, `expected MODE PATH or =MODE PATH, found ${quote(line)}`);
    const bits = parseMode(mode, where);
    overrides.set(assertPath(path, where), { kind: sign === '=' ? 'set' : 'add', bits });
  }
  return overrides;
}

/** @throws OstreeError CONFIG_MALFORMED */
export function parseSkipList(text: string, name: string): ReadonlySet<string> {
  return new Set([...numberedLines(text)].map(([number, line]) => assertPath(line, `${name} line ${number}`)));
}

function* numberedLines(text: string): Generator<readonly [number: number, line: string]> {
  for (const [i, line] of text.split('\n').entries()) if (line !== '') yield [i + 1, line];
}

function parseMode(text: string, where: string): number {
  const hint = /^0[0-7]+$/.test(text) ? `the mode is decimal: write ${Number.parseInt(text, 8)}` : undefined;
  const mode = /^(0|[1-9][0-9]{0,9}|0x[0-9a-fA-F]{1,8})$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(mode)) throw refuse(where, `expected a mode as a decimal number, found ${quote(text)}`, hint);
  // The type of a file may be written with it, as stat(2) gives it.
  if (mode > 0o177777) throw refuse(where, `mode ${octal(mode)} has bits that no file has`);
  return mode & 0o7777;
}

function assertPath(path: string, where: string): string {
  const isPlain = path === '/' || (path.startsWith('/') && !path.endsWith('/') && !path.includes('//'));
  if (!isPlain) throw refuse(where, `expected a path such as /usr/bin, found ${quote(path)}`);
  return path;
}

function refuse(where: string, text: string, hint?: string): OstreeError {
  return new OstreeError('CONFIG_MALFORMED', `${where}: ${text}`, { hint });
}
