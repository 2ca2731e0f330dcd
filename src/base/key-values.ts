/**
 * Files of lines `Key=Value`, split at the first `=`; comments begin with `#` or `;` in the first column. The grammar of
 * all our configuration files; what the keys mean is their owners' business.
 */
import { nearest, quote } from './text.ts';

export interface KeyValue {
  readonly key: string;
  readonly value: string;
  /** One-based. */
  readonly line: number;
}

export interface KeyValueGrammar {
  readonly keys: readonly string[];
  readonly repeatable: ReadonlySet<string>;
  /** A line as it should be, for messages. */
  readonly example: string;
  /** Called for each line as it is read: errors come in the order of the file. Throws for a value that is wrong. */
  judge(key: string, value: string, where: string): void;
  /** @param where file, and line where there is one */
  invalid(where: string, what: string, hint?: string): Error;
}

export interface KeyValues {
  readonly settings: readonly KeyValue[];
  /** Accepted, but worth a word to the administrator. */
  readonly warnings: readonly string[];
}

/** @param path for messages @throws what `invalid` makes */
export function parseKeyValues(text: string, path: string, grammar: KeyValueGrammar): KeyValues {
  const settings: KeyValue[] = [];
  const warnings: string[] = [];
  const lines = text.replace(/^\ufeff/, '').split('\n');
  for (const [index, raw] of lines.entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    const where = `${path}: line ${index + 1}`;
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    if (line.trim() === '') {
      warnings.push(`${where}: a line of blanks, ignored`);
      continue;
    }
    settings.push(parseLine(line, index + 1, where, { settings, warnings, grammar }));
  }
  return { settings, warnings };
}

interface Before {
  readonly settings: readonly KeyValue[];
  readonly warnings: string[];
  readonly grammar: KeyValueGrammar;
}

function parseLine(line: string, number: number, where: string, before: Before): KeyValue {
  const { settings, warnings, grammar } = before;
  const split = line.indexOf('=');
  // The line is not shown: it may be a URL with a password.
  if (split === -1) throw grammar.invalid(where, `expected "Key=Value", such as "${grammar.example}"`);
  const key = line.slice(0, split);
  if (!grammar.keys.includes(key)) throw unknownKey(where, key, grammar);
  const text = line.slice(split + 1);
  const value = text.replace(/[ \t]+$/, '');
  if (value !== text) warnings.push(`${where}: blanks at the end of ${key}, ignored`);
  const first = settings.find((setting) => setting.key === key);
  if (first !== undefined && !grammar.repeatable.has(key)) {
    throw grammar.invalid(where, `${key} is given twice, first on line ${first.line}`);
  }
  grammar.judge(key, value, where);
  return { key, value, line: number };
}

function unknownKey(where: string, key: string, { keys, invalid }: KeyValueGrammar): Error {
  const meant = nearest(key.trim(), keys);
  const blank = key !== key.trim() ? ' (blanks around a key are not allowed)' : '';
  return invalid(
    where,
    `unknown key ${quote(key)}${blank}`,
    `${meant === undefined ? '' : `did you mean ${meant}? `}known keys: ${keys.join(', ')}`,
  );
}
