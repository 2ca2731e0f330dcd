/** A tmpfiles.d fragment. Source: tmpfiles.d(5). */
import { takeWord } from './words.ts';

export interface TmpfilesLine {
  /** The letter alone: `d`, `L` ...; '' for a line that systemd would not take. */
  readonly type: string;
  /** What stands behind the letter: `!`, `-`, `+` ... */
  readonly modifiers: string;
  /** Specifiers (`%t`) as they are written. */
  readonly path: string;
  /** As written, '-' or '' for none; so are the next ones. */
  readonly mode: string;
  readonly user: string;
  readonly group: string;
  readonly age: string;
  /** The rest of the line. */
  readonly argument: string;
  /** Number of the line, from 1 on. */
  readonly line: number;
}

const FIELDS = 6;

/** Comments and empty lines left out. Bytes that are no UTF-8 come as replacement characters. */
export function parseTmpfiles(bytes: Uint8Array): readonly TmpfilesLine[] {
  const lines = Buffer.from(bytes).toString('utf8').split('\n');
  return lines.flatMap((raw, i) => {
    const text = raw.trim();
    return text === '' || text.startsWith('#') ? [] : [parseLine(text, i + 1)];
  });
}

function parseLine(text: string, line: number): TmpfilesLine {
  const fields: string[] = [];
  let rest = text;
  while (fields.length < FIELDS) {
    const taken = takeWord(rest);
    if (taken === undefined) break;
    if (taken === 'malformed') return { ...EMPTY, argument: text, line };
    fields.push(taken.word);
    rest = taken.rest;
  }
  const [action = '', path = '', mode = '', user = '', group = '', age = ''] = fields;
  const argument = rest.trim();
  if (path === '') return { ...EMPTY, argument: text, line };
  return { type: action.slice(0, 1), modifiers: action.slice(1), path, mode, user, group, age, argument, line };
}

const EMPTY = { type: '', modifiers: '', path: '', mode: '', user: '', group: '', age: '' };

/** A path as the field of a line: in quotes, and with `%` doubled, where it must be. */
export function formatTmpfilesField(path: string): string {
  const escaped = path.replace(/%/g, '%%');
  return /^[A-Za-z0-9._/+,@:%=-]+$/.test(escaped) ? escaped : `"${escaped.replace(/["\\]/g, '\\$&')}"`;
}
