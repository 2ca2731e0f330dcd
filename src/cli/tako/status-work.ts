/** The work of `tako status`, `list` and `history`: facts in words, or in a document. */
import { decodeTime, jsonSize } from '../../base/json.ts';
import { formatBytes, plural, printable } from '../../base/text.ts';
import { formatTimeSpan } from '../../base/time-span.ts';
import {
  type Config,
  healthOf,
  type Listed,
  listVersions,
  type ManifestEntry,
  openOrigin,
  readStatus,
  type State,
  type Status,
} from '../../tako/index.ts';
import { EXIT, gravityOf, worstStatus } from '../exit-status.ts';
import type { Context } from '../program.ts';
import { eachConfig, namedOrAll, openConfig } from './each-config.ts';
import type { StatusValues } from './status.ts';

export async function statusWork(values: StatusValues, paths: readonly string[], context: Context): Promise<number> {
  const http = values.refresh === true ? await openHttp(values, context) : undefined;
  const configs: Config[] = [];
  try {
    const status = await eachConfig(namedOrAll(paths, context), context, 'tako.status/1', {}, async (config) => {
      configs.push(config);
      const warn = (text: string): void => context.output.warning(`${config.path}: ${text}`);
      const refresh = http && { origins: config.origins.map((url) => openOrigin(url, http.get)), gravity: gravityOf };
      const status = await readStatus(config, { warn, ...(refresh === undefined ? {} : { refresh }) }, context.signal);
      for (const line of describe(config, status)) context.output.result(line);
      return documentOf(config, status);
    });
    if (values.metrics === undefined) return status;
    const { tryMetrics } = await import('./metrics.ts');
    return worstStatus([status, await tryMetrics(values.metrics, configs, context)]);
  } finally {
    await http?.close();
  }
}

async function openHttp(values: StatusValues, context: Context) {
  const { lazyClient } = await import('./http-client.ts');
  return lazyClient(values, context);
}

function describe(config: Config, status: Status): string[] {
  const { current, pending, newestCompatible, newestPublished, state } = status;
  const row = (name: string, text: string | undefined): string[] =>
    text === undefined ? [] : [`  ${`${name}:`.padEnd(18)}${text}`];
  return [
    config.path,
    ...row('current', current === undefined ? 'none' : versionOf(current)),
    ...row('update', pending && `${versionOf(pending)} ${status.staged ? 'is staged' : 'is available'}`),
    ...row(
      'compatible',
      newestCompatible && `${versionOf(newestCompatible)} is the newest that matches ${config.pattern.text}`,
    ),
    ...row(
      'published',
      newestPublished &&
        `${versionOf(newestPublished)} is the newest of ${plural(status.manifest?.entries.length ?? 0, 'version')}`,
    ),
    ...row('origin', config.origins.map((origin) => origin.shown).join(' ')),
    ...row('checked', ago(state.checkedAt) ?? 'never'),
    ...row('changed', ago(state.changedAt)),
    ...row('disk', `${formatBytes(status.storeBytes)} in ${plural(status.storedImages, 'image')}`),
    ...row('held', state.hold === null ? undefined : `${printable(state.hold.version)} since ${state.hold.at}`),
    ...row('skipped', skipped(state)),
    ...row('owed', owed(state)),
    ...row('health', healthOf(status)),
    ...row(
      'not checked',
      state.uncheckedLast.length === 0 ? undefined : `${state.uncheckedLast.join(', ')} in the last run`,
    ),
  ];
}

function versionOf(entry: ManifestEntry): string {
  return printable(entry.version.text);
}

function skipped({ skip }: State): string | undefined {
  if (skip.length === 0) return undefined;
  return skip.map((mark) => `${printable(mark.version)} (${mark.reason})`).join(', ');
}

function owed({ owed: debt }: State): string | undefined {
  if (debt === null) return undefined;
  const units = [...debt.restart.map((unit) => `restart ${unit}`), ...debt.reload.map((unit) => `reload ${unit}`)];
  return units.length === 0 ? 'the end of an update that was stopped' : units.join(', ');
}

/** `2026-01-31T12:00:00Z, 5 min ago`. */
function ago(time: string | null): string | undefined {
  const then = time === null ? undefined : decodeTime(time);
  if (time === null || then === undefined) return undefined;
  return `${time}, ${formatTimeSpan(Math.max(0, Date.now() - then))} ago`;
}

function documentOf(config: Config, status: Status) {
  const { state, current, pending, newestCompatible, newestPublished } = status;
  const version = (entry: ManifestEntry | undefined) => entry?.version.text ?? null;
  return {
    pattern: config.pattern.text,
    origins: config.origins.map((origin) => origin.shown),
    destination: config.destination,
    currentVersion: version(current),
    currentDigest: current === undefined ? null : `sha256:${current.sha256}`,
    currentSize: current === undefined ? null : jsonSize(current.size),
    newestCompatibleVersion: version(newestCompatible),
    newestPublishedVersion: version(newestPublished),
    updateVersion: version(pending),
    updateStaged: status.staged,
    checkedAt: state.checkedAt,
    changedAt: state.changedAt,
    succeededAt: state.succeededAt,
    storeBytes: status.storeBytes,
    storedImages: status.storedImages,
    hold: state.hold === null ? null : { ...state.hold },
    skip: state.skip.map((mark) => ({ ...mark })),
    owed:
      state.owed === null
        ? null
        : { restart: [...state.owed.restart], reload: [...state.owed.reload], at: state.owed.at },
    health: healthOf(status) ?? 'good',
    unchecked: [...state.uncheckedLast],
  };
}

export async function listWork(_values: object, [path = '']: readonly string[], context: Context): Promise<number> {
  const { output } = context;
  const config = openConfig(path, context);
  const versions = await listVersions(config, (text) => output.warning(`${path}: ${text}`));
  const width = Math.max(0, ...versions.map(({ entry }) => versionOf(entry).length));
  for (const listed of versions) {
    const marks = marksOf(listed);
    output.result(
      `${versionOf(listed.entry).padEnd(width)}  ${formatBytes(listed.entry.size).padStart(9)}  ${marks.join(', ')}`.trimEnd(),
    );
  }
  if (versions.length === 0) output.info(`${path}: nothing was fetched yet, or nothing is published`);
  output.document('tako.list/1', {
    config: path,
    pattern: config.pattern.text,
    versions: versions.map(({ entry, ...marks }) => ({
      version: entry.version.text,
      digest: `sha256:${entry.sha256}`,
      size: jsonSize(entry.size),
      ...marks,
    })),
  });
  return EXIT.done;
}

function marksOf({ current, held, skipped: isSkipped, stored, matches }: Listed): string[] {
  return [
    ...(current ? ['current'] : []),
    ...(held ? ['held'] : []),
    ...(isSkipped ? ['skipped'] : []),
    ...(matches ? ['matches'] : []),
    ...(stored ? ['stored'] : []),
  ];
}

export async function historyWork(_values: object, [path = '']: readonly string[], context: Context): Promise<number> {
  const { output, signal } = context;
  const config = openConfig(path, context);
  const { state } = await readStatus(config, { warn: (text) => output.warning(`${path}: ${text}`) }, signal);
  for (const { at, action, version, previousVersion, result } of state.history) {
    const before = previousVersion === null ? '' : ` from ${printable(previousVersion)}`;
    output.result(`${at}  ${action.padEnd(8)}  ${printable(version)}${before}  ${result}`);
  }
  if (state.history.length === 0) output.info(`${path}: nothing was installed yet`);
  output.document('tako.history/1', {
    config: path,
    entries: state.history.map(({ sha256, ...entry }) => ({ ...entry, digest: `sha256:${sha256}` })),
  });
  return EXIT.done;
}
