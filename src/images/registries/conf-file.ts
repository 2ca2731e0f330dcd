/**
 * One registries.conf: what it says about registries, search and short names.
 * Source: containers-registries.conf(5), version 2 and what is left of version 1.
 */
import { quote } from '../../base/text.ts';
import { badConf, parseToml, type Table } from './table.ts';

/** When a mirror is used: by what the reference names. */
export type PullFromMirror = 'all' | 'digest-only' | 'tag-only';

export interface Mirror {
  readonly location: string;
  readonly insecure: boolean;
  readonly pullFromMirror: PullFromMirror;
}

/** A `[[registry]]`. */
export interface RegistryRule {
  /** `host[:port][/namespace[/repository[:tag]]]` or `*.domain`. */
  readonly prefix: string;
  /** What takes its place in a name; empty below a `*.domain`, where names stay as they are. */
  readonly location: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly Mirror[];
  /** Where it stands. */
  readonly file: string;
}

export type ShortNameMode = 'enforcing' | 'permissive' | 'disabled';

export interface ConfFile {
  readonly path: string;
  readonly version: 1 | 2;
  readonly rules: readonly RegistryRule[];
  /** Hosts. Undefined where the file says nothing of it. */
  readonly unqualifiedSearch: readonly string[] | undefined;
  readonly shortNameMode: ShortNameMode | undefined;
  /** Short names to full ones, both without tag and digest; an empty one takes an alias of an earlier file away. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly credentialHelpers: readonly string[] | undefined;
}

const MODES: readonly string[] = ['enforcing', 'permissive', 'disabled'];
const MIRRORING: readonly string[] = ['all', 'digest-only', 'tag-only'];
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const HOST = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const WILDCARD = new RegExp(`^\\*(?:\\.${LABEL})+$`);
const NAME = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;

/** @throws ImagesError BAD_REGISTRIES_CONF */
export async function parseConfFile(path: string, bytes: Uint8Array): Promise<ConfFile> {
  const root = await parseToml(path, bytes);
  const mode = root.text('short-name-mode') || undefined;
  if (mode !== undefined && !MODES.includes(mode)) throw root.bad('short-name-mode', oneOf(MODES, mode));
  const file: ConfFile = {
    path,
    version: 2,
    rules: consistent((root.tables('registry') ?? []).map(ruleOf), path),
    unqualifiedSearch: hosts(root, 'unqualified-search-registries'),
    shortNameMode: mode as ShortNameMode | undefined,
    aliases: aliasesOf(root),
    credentialHelpers: root.texts('credential-helpers'),
  };
  const old = versionOne(root, path);
  if (old === undefined) return file;
  const isMixed = file.rules.length > 0 || (file.unqualifiedSearch?.length ?? 0) > 0 || file.aliases.size > 0;
  if (isMixed) throw badConf(path, 'the tables [registries.*] of version 1 do not go together with those of version 2');
  return { ...file, ...old };
}

function ruleOf(table: Table): RegistryRule {
  const prefix = place(table, 'prefix');
  const location = place(table, 'location');
  if (prefix?.includes('*') && !WILDCARD.test(prefix))
    throw table.bad('prefix', `expected *.DOMAIN, found ${quote(prefix)}`);
  if (location?.includes('*')) throw table.bad('location', `expected no *, found ${quote(location)}`);
  if (location === undefined && !prefix?.startsWith('*.')) {
    throw table.bad('location', 'missing, and the prefix is not *.DOMAIN');
  }
  if (table.text('pull-from-mirror') !== undefined) throw table.bad('pull-from-mirror', 'belongs to a mirror');
  const byDigestOnly = table.flag('mirror-by-digest-only') ?? false;
  return {
    prefix: prefix ?? location ?? '',
    location: location ?? '',
    insecure: table.flag('insecure') ?? false,
    blocked: table.flag('blocked') ?? false,
    mirrors: (table.tables('mirror') ?? []).map((mirror) => mirrorOf(mirror, byDigestOnly)),
    file: table.path,
  };
}

function mirrorOf(table: Table, byDigestOnly: boolean): Mirror {
  const location = place(table, 'location');
  if (location === undefined) throw table.bad('location', 'missing');
  if (location.includes('*')) throw table.bad('location', `expected no *, found ${quote(location)}`);
  const use = table.text('pull-from-mirror') || undefined;
  if (use !== undefined && !MIRRORING.includes(use)) throw table.bad('pull-from-mirror', oneOf(MIRRORING, use));
  if (use !== undefined && byDigestOnly) {
    throw table.bad('pull-from-mirror', 'does not go together with mirror-by-digest-only of its registry');
  }
  const pullFromMirror = (use as PullFromMirror | undefined) ?? (byDigestOnly ? 'digest-only' : 'all');
  return { location, insecure: table.flag('insecure') ?? false, pullFromMirror };
}

/** A host, or the beginning of names; without slashes at its end. Undefined when absent or empty. */
function place(table: Table, key: string): string | undefined {
  const value = table.text(key);
  return value === undefined || value === '' ? undefined : trimmed(table, key, value);
}

function trimmed(table: Table, key: string, value: string): string {
  if (/^https?:\/\//i.test(value)) throw table.bad(key, `expected a host, found the URL ${quote(value)}`);
  const rest = value.replace(/\/+$/, '');
  if (rest === '' || /[\s\p{Cc}]/u.test(rest)) throw table.bad(key, `expected a host, found ${quote(value)}`);
  return rest;
}

function hosts(table: Table, key: string): readonly string[] | undefined {
  return table.texts(key)?.map((value) => {
    const host = trimmed(table, key, value);
    if (!HOST.test(host)) throw table.bad(key, `expected hosts, found ${quote(value)}`);
    return host;
  });
}

/** Two rules about one place must not disagree about how safe it is. */
function consistent(rules: readonly RegistryRule[], path: string): readonly RegistryRule[] {
  const first = new Map<string, RegistryRule>();
  for (const rule of rules) {
    const other = first.get(rule.location);
    if (other === undefined) first.set(rule.location, rule);
    else if (rule.location === '') continue;
    else if (other.insecure !== rule.insecure) throw conflict(path, rule, 'insecure');
    else if (other.blocked !== rule.blocked) throw conflict(path, rule, 'blocked');
  }
  return rules;
}

function conflict(path: string, { location }: RegistryRule, key: string): Error {
  return badConf(path, `location ${quote(location)} stands there twice, with different ${key}`);
}

function aliasesOf(root: Table): ReadonlyMap<string, string> {
  const table = root.table('aliases');
  const aliases = table?.textMap() ?? new Map<string, string>();
  for (const [name, value] of aliases) {
    if (!NAME.test(name) || isHost(name.split('/')[0] ?? '', name)) {
      throw table?.bad(name, 'expected a short name, without a host, tag and digest');
    }
    const [host = '', ...path] = value.split('/');
    if (value !== '' && !(isHost(host, value) && HOST.test(host) && NAME.test(path.join('/')))) {
      throw table?.bad(name, `expected HOST/NAME without tag and digest, found ${quote(value)}`);
    }
  }
  return aliases;
}

/** As in every reference: a host has a dot or a port, or is `localhost`. */
function isHost(first: string, whole: string): boolean {
  return first !== whole && (/[.:]/.test(first) || first === 'localhost');
}

/** `[registries.search]`, `.insecure` and `.block`; undefined where nothing stands in them. */
function versionOne(root: Table, path: string): Pick<ConfFile, 'version' | 'rules' | 'unqualifiedSearch'> | undefined {
  const list = (name: string): readonly string[] => {
    const table = root.table('registries')?.table(name);
    return table === undefined ? [] : (table.texts('registries') ?? []).map((one) => trimmed(table, 'registries', one));
  };
  const [search, insecure, blocked] = [list('search'), list('insecure'), list('block')];
  if (search.length + insecure.length + blocked.length === 0) return undefined;
  const rules = [...new Set([...blocked, ...insecure])].map((location) => ({
    prefix: location,
    location,
    insecure: insecure.includes(location),
    blocked: blocked.includes(location),
    mirrors: [],
    file: path,
  }));
  return { version: 1, rules, unqualifiedSearch: search };
}

function oneOf(words: readonly string[], found: string): string {
  return `expected ${words.join(', ')}, found ${quote(found)}`;
}
