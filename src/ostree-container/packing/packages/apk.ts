/**
 * apk, of Alpine: one text file.
 *
 * Shape: paragraphs with blank lines between them, lines `K:value`. Of a package: P name, V version, A architecture,
 * o source, t build time; then its folders, each `F:path` (relative to the root) with its files `R:name` behind it, and
 * their attributes (M, a) and checksums (Z). Source: the page "Apk spec" of the Alpine wiki, "Installed database".
 */
import { decodeDecimal } from '../../../base/decode.ts';
import { quote } from '../../../base/text.ts';
import { damaged } from '../error.ts';
import { linesOf } from './database-text.ts';
import { joinedPath, type Package, pathCounter } from './package.ts';

export const APK_FOLDERS: readonly string[] = ['/lib/apk/db', '/usr/lib/apk/db'];
export const APK_LIMIT = 256 * 2 ** 20;

const MOST_PACKAGES = 200_000;
const NAME = /^[a-zA-Z0-9_.+@~-]+$/;

/** @throws PackingError PACKAGE_DATABASE */
export function parseApkInstalled(text: string, what: string): Package[] {
  const packages: Package[] = [];
  const count = pathCounter(what);
  let draft = new Draft(count);
  let number = 0;
  const finish = (): void => {
    if (draft.isEmpty) return;
    packages.push(draft.finish(`${what} line ${number}`));
    if (packages.length > MOST_PACKAGES) throw damaged(what, `at most ${MOST_PACKAGES} packages`, 'more');
    draft = new Draft(count);
  };
  for (const line of linesOf(text)) {
    number++;
    if (line === '') finish();
    else draft.add(line, `${what} line ${number}`);
  }
  finish();
  return packages;
}

/** One package, as far as it has been read. */
class Draft {
  readonly #fields = new Map<string, string>();
  readonly #paths: string[] = [];
  readonly #count: (paths: number) => void;
  #folder: string | undefined;

  constructor(count: (paths: number) => void) {
    this.#count = count;
  }

  get isEmpty(): boolean {
    return this.#fields.size === 0;
  }

  add(line: string, what: string): void {
    if (line[1] !== ':') throw damaged(what, 'a letter, a colon and a value', quote(line));
    const [key, value] = [line.slice(0, 1), line.slice(2)];
    if (key === 'F') this.#folder = value === '' ? '' : `/${value}`;
    else if (key === 'R') this.#addFile(value, what);
    else if (this.#folder === undefined) this.#addField(key, value, what); // behind the first folder they are of files
  }

  finish(what: string): Package {
    const name = this.#fields.get('P') ?? '';
    if (!NAME.test(name)) throw damaged(what, 'a package name', quote(name));
    const version = this.#fields.get('V') ?? '';
    if (!NAME.test(version)) throw damaged(what, 'a version', quote(version));
    const time = decodeDecimal(this.#fields.get('t') ?? '');
    return {
      name,
      identifier: `${name}-${version}`,
      source: this.#fields.get('o') ?? name,
      changeTimes: time === undefined ? [] : [time],
      paths: this.#paths,
    };
  }

  #addFile(name: string, what: string): void {
    if (this.#folder === undefined) throw damaged(what, 'a folder before its files', quote(name));
    if (name === '' || name.includes('/')) throw damaged(what, 'the name of a file', quote(name));
    const path = joinedPath(this.#folder, `/${name}`);
    if (path === undefined) return;
    this.#count(1);
    this.#paths.push(path);
  }

  #addField(key: string, value: string, what: string): void {
    if (this.#fields.has(key) && 'PVot'.includes(key)) throw damaged(what, 'each field once', `${quote(key)} twice`);
    this.#fields.set(key, value);
  }
}
