/** `update`: one container, or all of them. */
import { Command } from 'commander';
import { describeError, type Json } from '../../base/json.ts';
import type { Updated, UpdateOutcome, UpdateRequest } from '../../system-containers/index.ts';
import { UsageError } from '../arguments.ts';
import { EXIT, statusOf, worstStatus } from '../exit-status.ts';
import {
  type DeployingValues,
  deployingOptions,
  deploymentDocument,
  graceMsOf,
  permissionsOf,
  planDocument,
  recorded,
  setValuesOf,
  showPlan,
  tagVersionOf,
  type WaitValues,
  waitOption,
} from './deploying.ts';
import { type PullingValues, pullingOptions, withPulling } from './pulling.ts';
import { type HostContext, type HostValues, hostCommand } from './with-host.ts';

interface Values extends DeployingValues, PullingValues, WaitValues, HostValues {
  readonly rebase?: string;
  readonly all?: true;
  readonly pull?: true;
  readonly keep?: true;
  readonly dryRun?: true;
  readonly metrics?: string;
}

const SCHEMA = 'os-containers.update/1';

export function updateCommand(): Command {
  const shape = new Command('update')
    .description(
      'Deploy what is stored of the image now, or other values. A running service is started again and watched: when it does not stay up, everything goes back to what it was. Without --pull nothing is fetched.',
    )
    .argument('[name]', 'container')
    .option('--rebase <image>', 'another image, which is pulled when it is not stored')
    .option('--all', 'every container in turn')
    .option('--pull', 'fetch the image first')
    .option('--keep', 'keep the layers of images that are replaced and have no name')
    .option('--dry-run', 'say what would be done, change nothing')
    .option('--metrics <file>', 'write an OpenMetrics text file for monitoring');
  return hostCommand<Values>(
    waitOption(pullingOptions(deployingOptions(shape))),
    [
      'os-containers update etcd',
      'os-containers update --set PORT=8081 kvd',
      'os-containers update --rebase registry.example/kvd:2.0 kvd',
      'os-containers update --all --pull',
    ],
    async (values, [name], context) => {
      if (values.all === true) return all(values, name, context);
      if (name === undefined) throw new UsageError('name a container, or write --all');
      return values.dryRun === true ? plan(values, name, context) : one(values, name, context);
    },
  );
}

function requestOf(values: Values, name: string, context: HostContext): UpdateRequest {
  return {
    ...{
      name,
      rebase: values.rebase,
      runtimePath: values.runtime && context.runtimePath(),
      defaultRuntime: context.runtimePath,
    },
    setValues: setValuesOf(values, context),
    permissions: permissionsOf(values, context),
    tagVersion: tagVersionOf(values),
    pullFirst: values.pull === true,
    graceMs: graceMsOf(values, context),
  };
}

async function plan(values: Values, name: string, context: HostContext): Promise<number> {
  context.output.document(SCHEMA, { dryRun: true, ...(await planOne(values, name, context)) });
  return EXIT.done;
}

async function planOne(values: Values, name: string, context: HostContext) {
  const { containers, host, output } = context;
  const request = { ...requestOf(values, name, context), isUnasked: values.all };
  const planned = await containers.planUpdate(host, openExisting(context), request);
  if (planned === undefined) {
    output.result(`${name}: latest version already deployed`);
    return { name, outcome: 'unchanged' };
  }
  if (planned === 'skipped') {
    output.result(`${name}: what is stored of its image was taken back before: waiting for another version`);
    return { name, outcome: 'skipped' };
  }
  showPlan(planned, false, context);
  return { ...planDocument(planned), outcome: 'updated' };
}

/** A container on a root file system of the user's needs none. */
function openExisting({ containers, host, openRepository }: HostContext) {
  const found = containers.findStorage(host.places);
  found?.close();
  return found && openRepository();
}

async function one(values: Values, name: string, context: HostContext): Promise<number> {
  const { containers, host, output, openRepository } = context;
  const repository = openRepository(true);
  const request = requestOf(values, name, context);
  const work = (): Promise<Updated> =>
    withPulling(values, context, (pull) => containers.updateContainer(host, repository, { ...request, pull }));
  const [names, none] = [new Set([name]), new Set<string>()];
  let updated: Updated;
  try {
    updated = await recorded(context, name, work, eventOf);
  } catch (error) {
    await writeMetrics(values, { succeeded: none, failed: names }, context);
    throw error;
  }
  if (values.keep !== true) await containers.pruneReplaced(host, repository, updated.removed);
  output.document(SCHEMA, { dryRun: false, ...resultDocument(updated) });
  return writeMetrics(values, { succeeded: names, failed: none }, context);
}

function eventOf({ outcome, from, to }: Updated) {
  return outcome !== 'updated' ? undefined : ({ kind: 'updated', deployment: to, previous: from } as const);
}

function resultDocument({ outcome, from, to, started, keptFiles }: Updated) {
  return {
    ...{ name: to.name, outcome, previous: deploymentDocument(from), ...deploymentDocument(to) },
    ...{ started, keptFiles: [...keptFiles] },
  } satisfies Json;
}

async function all(values: Values, name: string | undefined, context: HostContext): Promise<number> {
  const excluded = name ?? values.rebase ?? values.set?.[0] ?? values.tagVersion;
  if (excluded !== undefined) throw new UsageError(`--all excludes "${excluded}"`, 'it takes no name and no values');
  if (values.dryRun === true) return planAll(values, context);
  const { containers, host, output } = context;
  const repository = context.openRepository(true);
  const outcomes = await withPulling(values, context, (pull) =>
    containers.updateAll(host, repository, { ...requestOf(values, '', context), pull }, (outcome) =>
      tellOne(outcome, context),
    ),
  );
  const removed = outcomes.flatMap(({ result }) => result?.removed ?? []);
  if (values.keep !== true) await containers.pruneReplaced(host, repository, removed);
  output.results(summary(outcomes));
  output.document(SCHEMA, { dryRun: false, containers: outcomes.map(outcomeDocument) });
  const failed = new Set(outcomes.filter(({ result }) => result === undefined).map((each) => each.name));
  const succeeded = new Set(outcomes.filter(({ result }) => result !== undefined).map((each) => each.name));
  const metrics = await writeMetrics(values, { succeeded, failed }, context);
  const errors = outcomes.filter(({ result }) => result === undefined).map(({ error }) => statusOf(error));
  return worstStatus([...errors, metrics]);
}

async function planAll(values: Values, context: HostContext): Promise<number> {
  const { containers, host, output } = context;
  const statuses: number[] = [];
  const documents: Json[] = [];
  for (const { name, isPreinstalled } of containers.listContainers(host.places)) {
    if (isPreinstalled) continue;
    try {
      documents.push({ ...(await planOne(values, name, context)), error: null });
    } catch (error) {
      host.signal.throwIfAborted();
      output.error(error, name);
      statuses.push(statusOf(error));
      documents.push({ name, outcome: 'failed', error: describeError(error) });
    }
  }
  output.document(SCHEMA, { dryRun: true, containers: documents });
  return worstStatus(statuses);
}

async function tellOne(
  { name, result, error }: UpdateOutcome,
  { containers, host, output }: HostContext,
): Promise<void> {
  if (result === undefined) {
    output.error(error, name);
    const isRefusal = statusOf(error) === EXIT.refused;
    await containers.recordFailure(host, output.program, { name, error, isRefusal });
    return;
  }
  const event = eventOf(result);
  if (event !== undefined) await containers.recordEvent(host, output.program, { ...event, name });
}

const HEADINGS = ['NAME', 'RESULT', 'IMAGE', 'VERSION'];
const GAP = 2;

function summary(outcomes: readonly UpdateOutcome[]): string[] {
  if (outcomes.length === 0) return [];
  const rows = outcomes.map(({ name, result, error }) => [
    name,
    result?.outcome ?? `failed: ${describeError(error).code}`,
    result?.to.info.image ?? '',
    result?.to.info.revision.slice(0, 12) ?? '',
  ]);
  const widths = HEADINGS.map((heading, at) => Math.max(heading.length, ...rows.map((row) => (row[at] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => cell.padEnd((widths[at] ?? 0) + GAP))
      .join('')
      .trimEnd();
  return [HEADINGS, ...rows].map(line);
}

function outcomeDocument({ name, result, error }: UpdateOutcome): Json {
  if (result !== undefined) return { ...resultDocument(result), error: null };
  return { name, outcome: 'failed', error: describeError(error) };
}

/** The work is done: that monitoring misses it is a failure, but takes nothing back. */
async function writeMetrics(
  { metrics }: Values,
  results: { readonly succeeded: ReadonlySet<string>; readonly failed: ReadonlySet<string> },
  { containers, host, output, openRepository }: HostContext,
): Promise<number> {
  if (metrics === undefined || host.signal.aborted) return EXIT.done;
  try {
    await containers.writeContainerMetrics(metrics, host, openRepository(true), results);
    return EXIT.done;
  } catch (error) {
    output.error(error, `metrics file ${metrics}`);
    return EXIT.failed;
  }
}
