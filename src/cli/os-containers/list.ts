/** `list`, also `containers list`: what is installed, one line each. */
import { Command } from 'commander';
import { type Json, jsonTime } from '../../base/json.ts';
import type { ListedContainer } from '../../system-containers/index.ts';
import { UsageError } from '../arguments.ts';
import { repeatable } from '../repeatable.ts';
import { type HostContext, hostCommand } from './with-host.ts';

interface Values {
  readonly all?: true;
  readonly filter?: readonly string[];
  readonly noheading?: true;
  readonly truncate: boolean;
}

const FIELDS = ['container', 'image', 'state', 'runtime'] as const;
type Field = (typeof FIELDS)[number];

export function listCommand(): Command {
  const shape = new Command('list')
    .description(
      'List the running containers, or with --all also those that are stopped, failed or broken. With --quiet the names alone.',
    )
    .option('-a, --all', 'also those that do not run')
    .addOption(repeatable('--filter <filter>', `such as state=failed; fields: ${FIELDS.join(', ')}`))
    .option('-n, --noheading', 'no line of headings')
    .option('--no-truncate', 'do not cut long values')
    .option('--no-trunc', 'the same');
  return hostCommand<Values & { readonly trunc: boolean }>(
    shape,
    ['os-containers list', 'os-containers list --all --filter state=failed', 'os-containers list --all --json'],
    async (values, _args, context) => list({ ...values, truncate: values.truncate && values.trunc }, context),
  );
}

async function list(values: Values, context: HostContext): Promise<number> {
  const { containers, host, output } = context;
  const filters = (values.filter ?? []).map(readFilter);
  const repository = containers.findStorage(host.places);
  let found: readonly ListedContainer[];
  try {
    found = await containers.listInstalled(host, repository);
  } finally {
    repository?.close();
  }
  const isAsked = (each: ListedContainer): boolean =>
    (values.all === true || each.state === 'running') && filters.every((filter) => matches(each, filter));
  const listed = found.filter(isAsked);
  for (const { name, problem } of listed) if (problem !== undefined) output.detail(`${name}: ${problem}`);
  output.results(output.options.quiet ? listed.map(({ name }) => name) : rows(listed, values));
  const { scope, checkouts } = host.places;
  output.document('os-containers.list/1', { scope, checkouts, containers: listed.map(documentOf) });
  const hidden = found.length - listed.length;
  if (hidden > 0 && values.all !== true && filters.length === 0) {
    if (listed.length > 0) output.detail(`${hidden} more with --all`);
    else output.info(`none is running; ${hidden} more with --all`);
  }
  // Whoever forgot to become root shall not take this for an answer about the system.
  if (scope === 'user' && found.length === 0)
    output.info("this user has no containers; those of the system are root's");
  return 0;
}

interface Filter {
  readonly field: Field;
  readonly value: string;
}

function readFilter(text: string): Filter {
  const split = text.indexOf('=');
  const field = FIELDS.find((each) => each === text.slice(0, Math.max(split, 0)));
  if (field !== undefined) return { field, value: text.slice(split + 1) };
  throw new UsageError(`--filter: invalid argument "${text}"`, `write FIELD=VALUE with one of ${FIELDS.join(', ')}`);
}

/** Words of the state in any case: it is printed as `Running`, and stands as `running` in documents. */
function matches(container: ListedContainer, { field, value }: Filter): boolean {
  const { name, state, info } = container;
  if (field === 'container') return name === value;
  if (field === 'state') return state === value.toLowerCase();
  if (field === 'runtime') return info?.runtime === value || baseName(info?.runtime ?? '') === value;
  return info?.image === value;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

const HEADINGS = ['NAME', 'IMAGE', 'CREATED', 'STATE', 'RUNTIME'];
const WIDTHS = [10, 40, 20, 10, 15];
/** A name that is cut cannot be used for anything. */
const NEVER_CUT = 0;

function rows(listed: readonly ListedContainer[], { noheading, truncate }: Values): string[] {
  const cells = [
    ...(noheading === true ? [] : [HEADINGS]),
    ...listed.map(({ name, state, info }) => [
      name,
      info?.image ?? '',
      info === undefined ? '' : localTime(info.created),
      state.charAt(0).toUpperCase() + state.slice(1),
      info?.runtime ?? '',
    ]),
  ].map((row) => row.map((cell, at) => (truncate && at !== NEVER_CUT ? cell.slice(0, WIDTHS[at]) : cell)));
  const widths = WIDTHS.map((width, at) => Math.max(width, ...cells.map((row) => (row[at] ?? '').length)));
  return cells.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join(' ')
      .trimEnd(),
  );
}

/** `2018-08-10T11:45:07`, in local time; seconds since the epoch come in. */
function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return '';
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return Number.isNaN(local.getTime()) ? '' : local.toISOString().slice(0, 19);
}

function documentOf({ name, state, problem, slot, info, rollback, pulled, isPreinstalled }: ListedContainer): Json {
  return {
    name,
    state,
    problem: problem ?? null,
    image: info?.image ?? null,
    digest: digestOf(info?.revision),
    rootfs: info?.rootfs ?? null,
    created: info === undefined || !isTime(info.created) ? null : jsonTime(info.created * 1000),
    runtime: info?.runtime || null,
    hasService: info?.hasService ?? null,
    slot: slot ?? null,
    preinstalled: isPreinstalled,
    pulled: pulled ?? null,
    rollback: rollback === undefined ? null : { slot: rollback.slot, digest: digestOf(rollback.info.revision) },
    values: info === undefined ? null : Object.fromEntries(info.values),
    setValues: info?.setValues === undefined ? null : Object.fromEntries(info.setValues),
    permissions: info?.permissions ?? [],
    tagVersion: info?.tagVersion === undefined ? null : { ...info.tagVersion },
    verification:
      info?.verification === undefined
        ? null
        : { ...info.verification, scope: info.verification.scope ?? null, keys: info.verification.keys },
  };
}

function digestOf(revision: string | undefined): string | null {
  return revision === undefined || revision === '' ? null : `sha256:${revision}`;
}

function isTime(seconds: number): boolean {
  return !Number.isNaN(new Date(seconds * 1000).getTime());
}
