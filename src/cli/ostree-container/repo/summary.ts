import { Command } from 'commander';
import { plural } from '../../../base/text.ts';
import type { Summary, UpdatedSummary } from '../../../ostree/index.ts';
import { UsageError } from '../../arguments.ts';
import { repeatable } from '../../repeatable.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../shared-options.ts';
import { readSigners, type SigningValues, signingOptions } from './signing-options.ts';
import { type Opened, repositoryCommand } from './with-repository.ts';

interface Values extends RepoValues, LockValues, SigningValues {
  readonly update?: true;
  readonly view?: true;
  readonly raw?: true;
  readonly addMetadata?: readonly string[];
  readonly listMetadataKeys?: true;
  readonly printMetadataKey?: string;
  readonly dryRun?: true;
  /** The common option: -v alone asks for a view, as users of the program ostree know it. */
  readonly verbose?: true;
}

const UPDATE_ONLY = new Set([
  'addMetadata',
  'dryRun',
  'lockTimeout',
  'sign',
  'signFromFile',
  'signType',
  'gpgSign',
  'gpgHomedir',
  'gpgKeyFile',
  'passphraseFile',
]);

type Action = 'update' | 'view' | 'raw' | 'keys' | 'key';

export function summaryCommand(): Command {
  const shape = new Command('summary')
    .description('Write the summary, which tells clients what a repository offers; or show it. -v alone shows it, too.')
    .option('-u, --update', 'write the summary anew, and the indexes of static deltas')
    .option('--view', 'show the summary')
    .option('--raw', 'show all of it as GVariant text, numbers as they are stored')
    .option('--list-metadata-keys', 'show the names of what is said of the repository')
    .option('--print-metadata-key <key>', 'show one of them')
    .addOption(repeatable('-m, --add-metadata <key=value>', 'with --update: say this, too; the value is GVariant text'))
    .option('--dry-run', 'with --update: say what would be written, change nothing');
  const examples = [
    'ostree-container repo summary --repo /srv/repo --update',
    'ostree-container repo summary --repo /srv/repo --view',
    `ostree-container repo summary --repo /srv/repo -u -m 'org.example.title="Example"'`,
  ];
  return repositoryCommand<Values>(signingOptions(repoLockOption(shape)), examples, async (values, _args, opened) => {
    const action = actionOf(values);
    if (action === 'update') await update(values, opened);
    else await show(action, values, opened);
    return 0;
  });
}

/** Exactly one; `--raw` goes with `--view`. */
function actionOf(values: Values): Action {
  const wanted: Action[] = [
    ...(values.update === true ? (['update'] as const) : []),
    ...(values.listMetadataKeys === true ? (['keys'] as const) : []),
    ...(values.printMetadataKey === undefined ? [] : (['key'] as const)),
    ...(values.raw === true ? (['raw'] as const) : values.view === true ? (['view'] as const) : []),
  ];
  const [action = values.verbose === true ? 'view' : undefined, ...more] = wanted;
  if (action === undefined || more.length > 0) {
    throw new UsageError('say one of --update, --view, --raw, --list-metadata-keys, --print-metadata-key');
  }
  if (action !== 'update') {
    for (const [name, value] of Object.entries(values).filter(([name]) => UPDATE_ONLY.has(name))) {
      if (value !== undefined)
        throw new UsageError(`--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} is for --update`);
    }
  }
  return action;
}

async function update(values: Values, opened: Opened): Promise<void> {
  const { ostree, repository, output, signal } = opened;
  const dryRun = values.dryRun === true;
  const updated = await ostree.updateSummary(repository, {
    signal,
    dryRun,
    signers: dryRun ? [] : await readSigners(values, opened),
    additionalMetadata: await readMetadata(values.addMetadata ?? []),
    ...repoLockWait(values, opened, repository),
  });
  output.info(`${repository.path}: ${dryRun ? 'would list' : 'listed'} ${plural(updated.refs, 'ref')}`);
  output.document('ostree-container.repo-summary/1', { repository: repository.path, dryRun, ...documentOf(updated) });
}

function documentOf({ refs, deltas, size, isSigned, metadataCommit }: UpdatedSummary) {
  return { refs, deltas, size, signed: isSigned, metadataCommit: metadataCommit ?? null };
}

/** `KEY=VALUE`, the value as GVariant text. */
async function readMetadata(given: readonly string[]) {
  const { parseVariantText } = await import('../../../gvariant/index.ts');
  return given.map((text) => {
    const equals = text.indexOf('=');
    if (equals <= 0) throw new UsageError(`expected KEY=VALUE, found "${text}"`);
    try {
      return [text.slice(0, equals), parseVariantText(text.slice(equals + 1))] as const;
    } catch (error) {
      throw new UsageError(`"${text}": ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}

async function show(action: Exclude<Action, 'update'>, values: Values, opened: Opened): Promise<void> {
  const { ostree, repository, output } = opened;
  const { decodeSummary, formatRaw, OstreeError, readSummary, SUMMARY_SIGNATURE } = ostree;
  const bytes = readSummary(repository);
  if (bytes === undefined) {
    throw new OstreeError('OBJECT_MISSING', `${repository.path}: no summary`, {
      hint: 'make one with "ostree-container repo summary --update"',
      subject: repository.path,
    });
  }
  const summary = decodeSummary(bytes, `${repository.path}/summary`);
  const { metadataTexts, summaryLines } = await import('./summary-text.ts');
  if (action === 'raw') output.result(formatRaw({ signature: SUMMARY_SIGNATURE, bytes }));
  else if (action === 'view') for (const line of summaryLines(summary)) output.result(line);
  else if (action === 'keys') for (const key of keysOf(summary)) output.result(key);
  else output.result(formatRaw(metadataOf(opened, summary, values.printMetadataKey ?? '')));
  output.document('ostree-container.repo-summary/1', {
    repository: repository.path,
    refs: summary.refs.map(refDocument),
    collections: Object.fromEntries([...summary.collections].map(([id, refs]) => [id, refs.map(refDocument)])),
    collectionId: summary.collectionId ?? null,
    deltas: Object.fromEntries([...(summary.deltas ?? [])].map(([name, digest]) => [name, `sha256:${digest}`])),
    lastModified: timeOf(summary.lastModified),
    expires: timeOf(summary.expires),
    metadata: metadataTexts(summary.metadata),
  });
}

function metadataOf({ ostree }: Opened, { metadata }: Summary, key: string) {
  const found = metadata.find(([name]) => name === key);
  if (found !== undefined) return found[1];
  throw new ostree.OstreeError('PATH_MISSING', `the summary says nothing of "${key}"`, { subject: key });
}

function keysOf({ metadata }: Summary): string[] {
  return metadata.map(([key]) => key).sort();
}

function refDocument({ ref, commit, size, timestamp, version }: Summary['refs'][number]) {
  return { ref, commit, size, timestamp: timeOf(timestamp), version: version ?? null };
}

function timeOf(seconds: number | undefined): string | null {
  const date = new Date((seconds ?? Number.NaN) * 1000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
