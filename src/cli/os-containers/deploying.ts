/** What commands that make deployments share: their options, their plans on the screen, their records. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Json } from '../../base/json.ts';
import { parseTimeSpan } from '../../base/time-span.ts';
import type { ContainerEvent, Deployment, DeploymentPlan, TagVersion } from '../../system-containers/index.ts';
import { UsageError } from '../arguments.ts';
import { EXIT, statusOf } from '../exit-status.ts';
import { repeatable } from '../repeatable.ts';
import type { HostContext } from './with-host.ts';

/** So long a service has to stay active to count as started. */
const GRACE_MS = 5000;

export interface DeployingValues {
  readonly set?: readonly string[];
  readonly allowHost?: readonly string[];
  readonly tagVersion?: string;
  readonly preReleases?: true;
}

export function deployingOptions(command: Command): Command {
  return command
    .addOption(repeatable('--set <name=value>', 'value of a template variable'))
    .addOption(repeatable('--allow-host <what>', 'let the image act on the host: hooks, tmpfiles or setuid'))
    .option('--tag-version <pattern>', 'take the newest tag that matches, such as "1.*", now and in updates')
    .option('--pre-releases', 'with --tag-version: also versions such as 1.6-beta');
}

export function tagVersionOf({ tagVersion, preReleases }: DeployingValues): TagVersion | undefined {
  if (tagVersion !== undefined) return { pattern: tagVersion, preReleases: preReleases === true };
  if (preReleases === true) throw new UsageError('--pre-releases needs --tag-version');
  return undefined;
}

export function permissionsOf({ allowHost = [] }: DeployingValues, { containers }: HostContext): readonly string[] {
  const known: readonly string[] = containers.PERMISSIONS;
  const unknown = allowHost.find((word) => !known.includes(word));
  if (unknown === undefined) return allowHost;
  throw new UsageError(`--allow-host: invalid argument "${unknown}"`, `expected ${known.join(', ')}`);
}

/** @throws UsageError for what is no NAME=VALUE */
export function setValuesOf({ set = [] }: DeployingValues, { containers }: HostContext): ReadonlyMap<string, string> {
  return containers.parseSettings(set);
}

export interface WaitValues {
  readonly wait?: number;
}

export function waitOption(command: Command): Command {
  return command.option('--wait <time>', 'so long the service has to stay active (default: 5s)', (text) => {
    // Bare numbers are seconds.
    const span = parseTimeSpan(text);
    if (span === undefined) throw new InvalidArgumentError('Expected a time span such as 30s.');
    return span;
  });
}

export function graceMsOf({ wait }: WaitValues, { settings }: HostContext): number {
  return wait ?? settings.waitMs ?? GRACE_MS;
}

/** With `--display` the generated files in full. */
export function showPlan(plan: DeploymentPlan, display: boolean, { output }: HostContext): void {
  const { name, slot, image, files, hostFiles, warnings, extraUnitNames } = plan;
  for (const warning of warnings) output.warning(warning);
  output.result(`${name}: would be deployed into slot ${slot}${image === undefined ? '' : ` from ${image.name}`}`);
  if (image !== undefined) output.result(`digest ${image.digest}`);
  for (const { path, content } of files) {
    output.result(`would write ${path}`);
    if (display)
      output.results(
        Buffer.from(content)
          .toString()
          .replace(/\n$/, '')
          .split('\n')
          .map((line) => `  ${line}`),
      );
  }
  for (const line of hostFiles.lines) output.result(`host: ${line}`);
  if (extraUnitNames.length > 0) output.result(`its unit also acts on ${extraUnitNames.join(', ')}`);
}

export function planDocument({ name, slot, image, info, files, hostFiles, warnings, extraUnitNames }: DeploymentPlan) {
  return {
    ...{ name, slot, image: info.image, digest: image?.digest ?? null, runtime: info.runtime },
    values: Object.fromEntries(info.values),
    files: files.map(({ path, content }) => ({ path, content: Buffer.from(content).toString() })),
    hostLines: [...hostFiles.lines],
    conflicts: [...hostFiles.conflicts],
    keptFiles: [...hostFiles.kept],
    extraUnitNames: [...extraUnitNames],
    warnings: [...warnings],
  } satisfies Json;
}

/** A deployment in a document. */
export function deploymentDocument({ slot, info }: Deployment) {
  const { image, revision, created, runtime } = info;
  return { slot, image, digest: revision === '' ? null : `sha256:${revision}`, created, runtime } satisfies Json;
}

/** Do the work and leave its record in the journal, also when it fails. */
export async function recorded<T>(
  { containers, host, output }: HostContext,
  name: string,
  work: () => Promise<T>,
  eventOf: (result: T) => Omit<ContainerEvent, 'name'> | undefined,
): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    const isRefusal = statusOf(error) === EXIT.refused;
    if (!host.signal.aborted) await containers.recordFailure(host, output.program, { name, error, isRefusal });
    throw error;
  }
  const event = eventOf(result);
  if (event !== undefined) await containers.recordEvent(host, output.program, { ...event, name });
  return result;
}
