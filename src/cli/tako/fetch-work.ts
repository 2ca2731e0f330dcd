/** The work of `tako fetch`: real adaptors in, result lines and the document out. */
import { jsonSize } from '../../base/json.ts';
import { formatBytes, plural, printable } from '../../base/text.ts';
import { type Config, type FetchOptions, fetchAll, fetchImage, openOrigin, type Result } from '../../tako/index.ts';
import { UsageError } from '../arguments.ts';
import { EXIT, statusOf, worstStatus } from '../exit-status.ts';
import type { Context } from '../program.ts';
import { failure, openConfig } from './each-config.ts';
import { logUpdate } from './events.ts';
import type { FetchValues } from './fetch.ts';
import { lazyClient } from './http-client.ts';
import { tryMetrics } from './metrics.ts';
import { portsOf } from './ports.ts';

export async function fetchWork(values: FetchValues, paths: readonly string[], context: Context): Promise<number> {
  const { output } = context;
  const options = {
    init: values.init === true || values.initOnly === true,
    verifyStored: values.verify,
    mode: values.stage === true ? 'stage' : 'fetch',
    dryRun: values.dryRun === true || values.check === true,
  } as const;
  if (options.init && values.stage === true)
    throw new UsageError('--init links an image and --stage does not: choose one');
  if (!options.verifyStored) output.warning('the digest of a stored image is not checked (--no-verify)');
  return runFetch(values, options, paths, context);
}

/** `tako apply`: the second half of a staged update. */
export async function applyWork(values: FetchValues, paths: readonly string[], context: Context): Promise<number> {
  const options = { init: false, verifyStored: true, mode: 'apply', dryRun: values.dryRun === true } as const;
  return runFetch(values, options, paths, context);
}

async function runFetch(
  values: FetchValues,
  options: FetchOptions,
  paths: readonly string[],
  context: Context,
): Promise<number> {
  const { output, signal } = context;
  const http = lazyClient(values, context);
  const fetch = (config: Config): Promise<Result> =>
    fetchImage(
      config,
      options,
      { ...portsOf(config, values, context), origins: config.origins.map((url) => openOrigin(url, http.get)) },
      signal,
    );

  const jobs = paths.map((path) => ({ path, config: readable(path, context) }));
  const good = jobs.flatMap(({ config }) => (config.ok ? [config.value] : []));
  const answers = fetchAll(good, fetch)[Symbol.asyncIterator]();
  const results = [];
  const statuses: number[] = [];
  try {
    for (const { path, config } of jobs) {
      const answer = config.ok ? (await answers.next()).value : { ok: false, error: config.error };
      signal.throwIfAborted();
      if (answer?.ok) {
        output.result(`${path}: ${describe(answer.result)}`);
        explainMissing(path, answer.result, context);
        await logUpdate(path, answer.result, context);
        results.push({ config: path, ...documentOf(answer.result), error: null });
        if (values.check === true && answer.result.outcome.startsWith('would-')) statuses.push(EXIT.available);
      } else {
        results.push(await failure(path, answer?.error, context));
        statuses.push(statusOf(answer?.error));
      }
    }
  } finally {
    await http.close();
  }
  if (values.metrics !== undefined && !options.dryRun) statuses.push(await tryMetrics(values.metrics, good, context));
  output.document(options.mode === 'apply' ? 'tako.apply/1' : 'tako.fetch/1', { dryRun: options.dryRun, results });
  return worstStatus(statuses);
}

function readable(path: string, context: Context) {
  try {
    return { ok: true as const, value: openConfig(path, context) };
  } catch (error) {
    return { ok: false as const, error };
  }
}

function describe(result: Result): string {
  const version = printable(result.entry?.version.text ?? '');
  switch (result.outcome) {
    case 'updated':
      return `${installed(result, version)}${acted('restarted', result.restarted)}${acted('reloaded', result.reloaded)}${collected(result)}`;
    case 'unchanged':
      return `${version} is current${result.bytes > 0 ? `, its damaged image was replaced (${formatBytes(result.bytes)} fetched)` : ''}${acted('restarted', result.restarted)}${acted('reloaded', result.reloaded)}${collected(result)}`;
    case 'present':
      return `${version} is there`;
    case 'no-candidate':
      return nothingToTake(result);
    case 'busy':
      return 'another run is restarting units: nothing done';
    case 'staged':
      return `${version} is staged${result.bytes > 0 ? ` (${formatBytes(result.bytes)} fetched)` : ''}, not linked yet${collected(result)}`;
    case 'would-stage':
      return `would ${result.bytes > 0 ? `fetch ${formatBytes(result.bytes)} and ` : ''}stage ${version}${from(result)}`;
    case 'would-update':
      return `would ${result.bytes > 0 ? `fetch ${formatBytes(result.bytes)}, ` : ''}link ${version}${from(result)}${acted('restart', result.restarted)}${acted('reload', result.reloaded)}`;
  }
}

function nothingToTake({ newest, previous }: Result): string {
  const stays = previous === undefined ? '' : `, ${printable(previous.version.text)} stays linked`;
  const why = newest === undefined ? 'no published version matches' : 'nothing that matches may be taken or is there';
  return `${previous === undefined ? 'no image: ' : ''}${why}${stays}`;
}

function installed(result: Result, version: string): string {
  const how = result.bytes > 0 ? `${formatBytes(result.bytes)} fetched` : 'was stored already';
  return `${result.previous === undefined ? `installed ${version}` : `updated to ${version}${from(result)}`} (${how})`;
}

function from({ previous }: Result): string {
  return previous === undefined ? '' : ` from ${printable(previous.version.text)}`;
}

function acted(verb: string, units: readonly string[]): string {
  return units.length === 0 ? '' : `, ${verb} ${units.join(' ')}`;
}

function collected({ removed }: Result): string {
  return removed.length === 0 ? '' : `, ${plural(removed.length, 'old image')} deleted`;
}

/** So many published versions are named when none matches. */
const NAMED = 10;

function explainMissing(path: string, result: Result, { output }: Context): void {
  if (result.outcome !== 'no-candidate') return;
  const versions = result.published.map((entry) => printable(entry.version.text));
  const shown = versions.slice(-NAMED).join(', ');
  const count = plural(versions.length, 'version');
  output.warning(
    result.newest !== undefined
      ? `${path}: what matches is held back, skipped, withdrawn, or (for apply) not stored whole`
      : `${path}: the origin publishes ${count}${versions.length === 0 ? '' : `: ${versions.length > NAMED ? '..., ' : ''}${shown}`}`,
  );
}

function documentOf(result: Result) {
  const version = (entry: Result['entry']): string | null => entry?.version.text ?? null;
  return {
    outcome: result.outcome,
    version: version(result.entry),
    digest: result.entry === undefined ? null : `sha256:${result.entry.sha256}`,
    size: result.entry === undefined ? null : jsonSize(result.entry.size),
    previousVersion: version(result.previous),
    newestVersion: version(result.newest),
    bytes: result.bytes,
    restarted: [...result.restarted],
    reloaded: [...result.reloaded],
    removed: result.removed.map((sha256) => `sha256:${sha256}`),
  };
}
