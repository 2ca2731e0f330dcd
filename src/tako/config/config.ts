/**
 * A client configuration: which image this host wants, from where, under which key, and what to do about a new one.
 *
 * One image per file, UTF-8, lines `Key=Value` split at the first `=`, comments begin with `#` or `;` in the first
 * column. Described in docs/configuration.md.
 */
import { decodeUtf8 } from '../../base/decode.ts';
import { type KeyValue, type KeyValueGrammar, parseKeyValues } from '../../base/key-values.ts';
import { quote } from '../../base/text.ts';
import { type Calendar, minutesPerHour } from '../../systemd/index.ts';
import type { Pattern } from '../../version/index.ts';
import { TakoError } from '../error.ts';
import type { PublicKey } from '../manifest/key.ts';
import * as value from './values.ts';

/** A larger file is no configuration. */
export const CONFIG_LIMIT = 2 ** 20;

export interface Config {
  /** The file, as the user named it. */
  readonly path: string;
  /** Base URLs ending in `/`: mirrors, tried in order. May hold credentials: print `origin.shown`, never this. */
  readonly origins: readonly value.OriginUrl[];
  readonly publicKeys: readonly PublicKey[];
  readonly pattern: Pattern;
  readonly destination: string;
  /** Units in the order of the file, each once. */
  readonly restart: readonly string[];
  readonly reload: readonly string[];
  readonly healthCheck: readonly string[] | undefined;
  readonly healthMs: number;
  readonly keepVersions: number | undefined;
  readonly keepBytes: number | undefined;
  readonly warnUnchangedMs: number | undefined;
  /** When `fetch` may switch and restart: any of them; always when there is none. */
  readonly maintenanceWindows: readonly Calendar[];
  /** Must the file be private, since it holds a password or a command? */
  readonly secret: { readonly password: boolean; readonly command: boolean };
  /** Accepted, but worth a word to the administrator. */
  readonly warnings: readonly string[];
}

const HEALTH_MS = 10_000;
/** A window that is open for less of each hour is probably a misunderstanding. */
const BRIEF_MINUTES = 15;
const REQUIRED: Readonly<Record<string, string>> = {
  Origin: 'Origin=https://example.com/images/app/',
  PublicKey: 'PublicKey=<the public key that "tako gen-key" printed>',
  Version: 'Version=1.* (or Version=* to accept any version)',
  Destination: 'Destination=/var/lib/images/app',
};
const OPTIONAL = [
  'Restart',
  'RestartUnit',
  'ReloadUnit',
  'KeepVersions',
  'KeepBytes',
  'HealthSec',
  'HealthCheck',
  'WarnUnchanged',
  'MaintenanceWindow',
];
const REPEATABLE = new Set(['Origin', 'PublicKey', 'Restart', 'RestartUnit', 'ReloadUnit', 'MaintenanceWindow']);
export const CONFIG_KEYS: readonly string[] = [...Object.keys(REQUIRED), ...OPTIONAL];

/** @throws TakoError INVALID_CONFIG, INCOMPLETE_CONFIG, INVALID_PUBLIC_KEY_DATA; CodedError WEAK_PUBLIC_KEY */
export function parseConfig(bytes: Uint8Array, path: string): Config {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new TakoError('INVALID_CONFIG', `${path}: not UTF-8`, { subject: path });
  const { settings, warnings } = parseKeyValues(text, path, GRAMMAR);
  return interpret(settings, path, [...warnings]);
}

/** How each value is read; the same readers judge a line where it stands and give its meaning afterwards. */
const READERS: Readonly<Record<string, (text: string, where: string) => unknown>> = {
  Origin: value.readOrigin,
  PublicKey: value.readPublicKey,
  Version: value.readPattern,
  Destination: value.readDestination,
  Restart: value.readUnits,
  RestartUnit: value.readUnit,
  ReloadUnit: value.readUnit,
  KeepVersions: value.readKeepVersions,
  KeepBytes: value.readKeepBytes,
  HealthSec: value.readTimeSpan,
  HealthCheck: value.readCommand,
  WarnUnchanged: value.readTimeSpan,
  MaintenanceWindow: value.readCalendar,
};

const GRAMMAR: KeyValueGrammar = {
  keys: CONFIG_KEYS,
  repeatable: REPEATABLE,
  example: 'Version=1.*',
  judge: (key, text, where) => READERS[key]?.(text, where),
  invalid,
};

function interpret(settings: readonly KeyValue[], path: string, warnings: string[]): Config {
  const at = (setting: KeyValue): string => `${path}: line ${setting.line}`;
  const all = <T>(key: string, read: (text: string, where: string) => T): T[] =>
    settings.filter((setting) => setting.key === key).map((setting) => read(setting.value, at(setting)));
  const one = <T>(key: string, read: (text: string, where: string) => T): T | undefined => all(key, read)[0];
  const required = <T>(key: string, found: T | undefined): T => {
    if (found !== undefined) return found;
    throw new TakoError('INCOMPLETE_CONFIG', `${path}: ${key} is missing`, {
      hint: `add a line such as ${REQUIRED[key]}`,
      subject: path,
    });
  };

  const origins = all('Origin', value.readOrigin);
  required('Origin', origins[0]);
  const publicKeys = all('PublicKey', value.readPublicKey);
  required('PublicKey', publicKeys[0]);
  const pattern = required('Version', one('Version', value.readPattern));
  const destination = required('Destination', one('Destination', value.readDestination));

  const restart = uniqueUnits(
    settings.flatMap((setting) =>
      /^Restart(Unit)?$/.test(setting.key) ? value.readUnits(setting.value, at(setting)) : [],
    ),
  );
  const reload = uniqueUnits(all('ReloadUnit', value.readUnit));
  const both = reload.find((unit) => restart.some((other) => value.unitName(other) === value.unitName(unit)));
  if (both !== undefined) throw invalid(path, `unit ${quote(both)} is to be restarted and reloaded: choose one`);
  const deprecated = settings.find((setting) => setting.key === 'RestartUnit');
  if (deprecated !== undefined) warnings.push(`${at(deprecated)}: RestartUnit is the old name of Restart`);

  const maintenanceWindows = all('MaintenanceWindow', value.readCalendar);
  for (const window of maintenanceWindows) {
    const minutes = minutesPerHour(window);
    if (minutes >= BRIEF_MINUTES) continue;
    warnings.push(
      `${path}: MaintenanceWindow=${window.text} is open for ${minutes} min of an hour; a whole hour is written 02:*`,
    );
  }
  const healthCheck = one('HealthCheck', value.readCommand);
  return {
    path,
    origins,
    publicKeys,
    pattern,
    destination,
    restart,
    reload,
    healthCheck,
    healthMs: one('HealthSec', value.readTimeSpan) ?? HEALTH_MS,
    keepVersions: one('KeepVersions', value.readKeepVersions),
    keepBytes: one('KeepBytes', value.readKeepBytes),
    warnUnchangedMs: one('WarnUnchanged', value.readTimeSpan),
    maintenanceWindows,
    secret: { password: origins.some((origin) => origin.hasPassword), command: healthCheck !== undefined },
    warnings,
  };
}

function uniqueUnits(units: readonly string[]): string[] {
  const seen = new Map<string, string>();
  for (const unit of units) if (!seen.has(value.unitName(unit))) seen.set(value.unitName(unit), unit);
  return [...seen.values()];
}

function invalid(where: string, what: string, hint?: string): TakoError {
  return new TakoError('INVALID_CONFIG', `${where}: ${what}`, { hint, subject: where.replace(/: line \d+$/, '') });
}
