/**
 * The list of packages of dpkg.
 *
 * Shape: paragraphs with blank lines between them; lines `Field: value`, and lines that begin with a blank go on with
 * the field above. Source: deb822(5), dpkg-query(1). Field names count whatever their case.
 */
import { quote } from '../../../base/text.ts';
import { damaged } from '../error.ts';
import { linesOf } from './database-text.ts';

export interface DpkgEntry {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** `name`, or `name:architecture` where several architectures can be installed: how its files in `info/` begin. */
  readonly fileName: string;
  readonly source: string;
}

/** More packages than any distribution has. */
const MOST_PACKAGES = 200_000;
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9.+_-]*$/;
const VERSION = /^[a-zA-Z0-9.+~:_-]+$/;
/** States in which dpkg has files of a package on the disk. */
const PRESENT = /^\S+ \S+ (?:installed|unpacked|half-configured|half-installed|triggers-awaited|triggers-pending)$/;

/** Those of which files are there. @throws PackingError PACKAGE_DATABASE */
export function parseDpkgStatus(text: string, what: string): DpkgEntry[] {
  const entries: DpkgEntry[] = [];
  let fields = new Map<string, string>();
  let number = 0;
  const finish = (): void => {
    if (fields.size === 0) return;
    const entry = entryOf(fields, `${what} line ${number}`);
    if (entry !== undefined) entries.push(entry);
    if (entries.length > MOST_PACKAGES) throw damaged(what, `at most ${MOST_PACKAGES} packages`, 'more');
    fields = new Map();
  };
  for (const line of linesOf(text)) {
    number++;
    if (line === '') finish();
    else if (line.startsWith(' ') || line.startsWith('\t'))
      continue; // no field that is used here has a second line
    else addField(fields, line, `${what} line ${number}`);
  }
  finish();
  return entries;
}

function addField(fields: Map<string, string>, line: string, what: string): void {
  const colon = line.indexOf(':');
  if (colon <= 0) throw damaged(what, '"Field: value"', quote(line));
  const key = line.slice(0, colon).toLowerCase();
  if (fields.has(key)) throw damaged(what, 'each field once', `${quote(key)} twice`);
  fields.set(key, line.slice(colon + 1).trim());
}

function entryOf(fields: ReadonlyMap<string, string>, what: string): DpkgEntry | undefined {
  if (!PRESENT.test(fields.get('status') ?? '')) return undefined;
  const name = required(fields, 'package', NAME, what);
  const architecture = required(fields, 'architecture', NAME, what);
  const version = required(fields, 'version', VERSION, what);
  const isMany = fields.get('multi-arch') === 'same';
  const [source = name] = (fields.get('source') ?? name).split(' '); // `glibc (2.36-9)` when the versions differ
  return { name, version, architecture, source, fileName: isMany ? `${name}:${architecture}` : name };
}

function required(fields: ReadonlyMap<string, string>, key: string, pattern: RegExp, what: string): string {
  const value = fields.get(key);
  if (value === undefined || !pattern.test(value)) throw damaged(what, `a ${key}`, quote(value ?? ''));
  return value;
}
