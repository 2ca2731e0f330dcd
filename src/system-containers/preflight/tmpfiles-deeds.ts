/** What a tmpfiles fragment does beyond making and emptying directories that belong to the container. */
import { existsSync } from 'node:fs';
import { quote } from '../../base/text.ts';
import { parseTmpfiles, type TmpfilesLine } from '../../systemd/index.ts';
import type { Places } from '../places/places.ts';
import { isBelow, trimmed } from './directories.ts';
import type { Deed } from './permissions.ts';

/** They make a directory or a subvolume, adjust or clean it, and follow no link at its end. */
const HARMLESS = ['d', 'D', 'e', 'v', 'q', 'Q'];
/** Failing to do it is no failure. Everything else changes when or on what a line acts. */
const HARMLESS_MODIFIERS = ['', '-'];
/** Specifiers that mean one and the same place on every host; the others are as good as any path. */
const SYSTEM_SPECIFIERS: Readonly<Record<string, string>> = { '%': '%', t: '/run', S: '/var/lib' };

export interface TmpfilesFacts {
  readonly deeds: readonly Deed[];
  readonly notes: readonly string[];
  /** Paths that lines make, as they will be. */
  readonly made: readonly string[];
}

/** @param directories below which harmless lines may act */
export function judgeTmpfiles(
  fragment: Uint8Array | undefined,
  {
    places,
    directories,
    name,
  }: { readonly places: Places; readonly directories: readonly string[]; readonly name: string },
): TmpfilesFacts {
  const lines = parseTmpfiles(fragment ?? new Uint8Array()).map((line) => ({
    ...line,
    path: expand(line.path, places),
  }));
  const isAllowed = (line: TmpfilesLine): boolean =>
    HARMLESS.includes(line.type) && HARMLESS_MODIFIERS.includes(line.modifiers) && isBelow(line.path, directories);
  const foreign = lines.filter((line) => line.type !== '' && !isAllowed(line));
  const shared = lines.filter((line) => isAllowed(line) && isSomebodyElses(line.path, { places, directories, name }));
  return {
    deeds: foreign.map(({ type, modifiers, path, line }) => ({
      needs: 'tmpfiles',
      text: `line ${line} of its tmpfiles fragment (${quote(`${type}${modifiers} ${path}`)}) acts on the host`,
    })),
    notes: [
      ...lines.flatMap(({ type, line }) =>
        type === '' ? [`line ${line} of the tmpfiles fragment: systemd would not take it`] : [],
      ),
      ...shared.map(
        ({ path, line }) => `line ${line} of the tmpfiles fragment acts on ${quote(path)}, which is there already`,
      ),
    ],
    made: lines.filter(({ type }) => type !== '').map(({ path }) => trimmed(path)),
  };
}

/** Is there already, and nothing in its path says that it is this container's. */
function isSomebodyElses(
  path: string,
  {
    places,
    directories,
    name,
  }: { readonly places: Places; readonly directories: readonly string[]; readonly name: string },
): boolean {
  const directory = directories.find((each) => isBelow(path, [each])) ?? '';
  return !path.slice(directory.length).includes(name) && existsSync(places.root + path);
}

/** With an unknown specifier the path stays as it is, and is below nothing. */
function expand(path: string, { scope, directories }: Places): string {
  const known = scope === 'system' ? SYSTEM_SPECIFIERS : { '%': '%', t: directories.run };
  const names = [...path.matchAll(/%(.?)/g)].map(([, letter = '']) => letter);
  if (names.some((letter) => known[letter as keyof typeof known] === undefined)) return path.replace(/^\/*/, '');
  return path.replace(/%(.)/g, (_, letter: keyof typeof known) => known[letter] ?? '');
}
