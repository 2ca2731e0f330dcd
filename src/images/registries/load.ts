/** The files that together say how registries are reached, and what comes out of them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { assertSafeOwner } from '../../linux/files/owner.ts';
import { ImagesError } from '../error.ts';
import { type Caller, cacheHome, configHome, systemPath } from '../host-files/caller.ts';
import { readOptionalFile } from '../host-files/optional-file.ts';
import { type ConfFile, parseConfFile, type RegistryRule, type ShortNameMode } from './conf-file.ts';
import { badConf } from './table.ts';

/** Bytes of one file; the list of short names that comes with the tools has some 10 kB. */
const CONF_LIMIT = 4 * 2 ** 20;
const SYSTEM = '/etc/containers';
const CACHED_ALIASES = 'short-name-aliases.conf';

export interface RegistriesSearch extends Caller {
  /** Of `--registries-conf`, before `CONTAINERS_REGISTRIES_CONF`; it has to exist. */
  readonly registriesConf?: string | undefined;
}

/** Of all files together. */
export interface RegistriesConf {
  /** Those that were read, in this order; a later one overrules an earlier one. */
  readonly files: readonly string[];
  /** One for each prefix. */
  readonly rules: readonly RegistryRule[];
  /** Hosts to try for a short name, in this order. */
  readonly unqualifiedSearch: readonly string[];
  readonly shortNameMode: ShortNameMode;
  readonly aliases: ReadonlyMap<string, string>;
  /** For `findCredentials`; undefined: files alone. */
  readonly credentialHelpers: readonly string[] | undefined;
}

/**
 * The user's registries.conf in place of the system's, then drop-ins: the system's unless the user has a file of their
 * own, then the user's; and above all the aliases that podman has recorded.
 * @throws ImagesError BAD_REGISTRIES_CONF; CodedError UNSAFE_OWNER, TOO_LARGE ...
 */
export async function loadRegistriesConf(search: RegistriesSearch): Promise<RegistriesConf> {
  const own = join(configHome(search), 'containers');
  const named = search.registriesConf ?? (search.env['CONTAINERS_REGISTRIES_CONF'] || undefined);
  const user = named === undefined ? await readConf(join(own, 'registries.conf')) : undefined;
  const main =
    named === undefined
      ? (user ?? (await readConf(systemPath(search, `${SYSTEM}/registries.conf`))))
      : await readNamed(named);
  const files = main === undefined ? [] : [main];
  const folders = [
    ...(user === undefined ? [systemPath(search, `${SYSTEM}/registries.conf.d`)] : []),
    join(own, 'registries.conf.d'),
  ];
  for (const path of folders.flatMap(dropIns)) {
    const file = await readConf(path);
    if (file?.version === 1) throw badConf(path, 'a file in registries.conf.d must have the form of version 2');
    if (file !== undefined) files.push(file);
  }
  return merged(files, await readConf(recordedAliases(search)));
}

function recordedAliases(caller: Caller): string {
  const folder = caller.uid === 0 ? systemPath(caller, '/var/cache/containers') : join(cacheHome(caller), 'containers');
  return join(folder, CACHED_ALIASES);
}

async function readNamed(path: string): Promise<ConfFile> {
  const file = await readConf(path);
  if (file !== undefined) return file;
  throw new ImagesError('BAD_REGISTRIES_CONF', `${printable(path)}: no such file`, {
    subject: path,
    hint: 'check --registries-conf and CONTAINERS_REGISTRIES_CONF',
  });
}

async function readConf(path: string): Promise<ConfFile | undefined> {
  const found = readOptionalFile(path, CONF_LIMIT);
  if (found === undefined) return undefined;
  assertSafeOwner(found.stats, { path }); // who may write it decides where images come from
  return parseConfFile(path, found.bytes);
}

/** In the order of their bytes. */
function dropIns(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    const names = entries
      .filter((entry) => entry.name.endsWith('.conf') && !entry.isDirectory())
      .map(({ name }) => name);
    return names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).map((name) => join(folder, name));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

function merged(files: readonly ConfFile[], recorded: ConfFile | undefined): RegistriesConf {
  const rules = new Map<string, RegistryRule>();
  const aliases = new Map<string, string>();
  for (const file of files) {
    // Within one file the first rule of a prefix holds, between files the last.
    for (const rule of [...file.rules].reverse()) rules.set(rule.prefix, rule);
  }
  for (const file of [...files, ...(recorded === undefined ? [] : [recorded])]) {
    for (const [name, value] of file.aliases) {
      if (value === '') aliases.delete(name);
      else aliases.set(name, value);
    }
  }
  const last = <T>(pick: (file: ConfFile) => T | undefined): T | undefined =>
    files.map(pick).findLast((value) => value !== undefined);
  return {
    files: files.map(({ path }) => path),
    rules: [...rules.values()],
    unqualifiedSearch: last((file) => file.unqualifiedSearch) ?? [],
    shortNameMode: last((file) => file.shortNameMode) ?? 'permissive',
    aliases,
    credentialHelpers: last((file) => file.credentialHelpers),
  };
}
