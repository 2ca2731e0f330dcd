import { Command, InvalidArgumentError, Option } from 'commander';
import { plural } from '../../../base/text.ts';
import type { PruneOptions, PruneResult } from '../../../ostree/index.ts';
import { UsageError } from '../../arguments.ts';
import { repeatable } from '../../repeatable.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../shared-options.ts';
import { formatGlibSize } from './glib-size.ts';
import { parseMoment } from './moment.ts';
import { repositoryCommand } from './with-repository.ts';

interface Values extends RepoValues, LockValues {
  readonly prune: boolean;
  readonly dryRun?: true;
  readonly refsOnly?: true;
  readonly depth?: number;
  readonly deleteCommit?: string;
  readonly keepYoungerThan?: number;
  readonly retainBranchDepth?: readonly string[];
  readonly onlyBranch?: readonly string[];
  readonly staticDeltasOnly?: true;
  readonly commitOnly?: true;
}

export function pruneCommand(): Command {
  const shape = new Command('prune')
    .description(
      'Delete objects that nothing leads to: neither a commit that is there nor, with --refs-only, a ref. ' +
        'Then static deltas to commits that are gone, and cached summaries of remotes that there are none of.',
    )
    .option('--no-prune', 'say what would be deleted, change nothing')
    .option('--dry-run', 'the same')
    .option('--refs-only', 'keep what refs lead to, not every commit')
    .option('--depth <depth>', 'commits to keep behind each (default: -1, all)', readDepth)
    .option(
      '--keep-younger-than <date>',
      'behind refs, keep commits since then: a date, @SECONDS, "30 days ago"',
      readDate,
    )
    .addOption(repeatable('--retain-branch-depth <branch=depth>', 'keep so many commits behind this ref'))
    .addOption(repeatable('--only-branch <branch>', 'keep the whole history of all other refs'))
    .option('--delete-commit <commit>', 'delete this commit first, which no ref may point to; a tombstone tells of it')
    .addOption(new Option('--static-deltas-only', 'of --delete-commit delete the static deltas to it, not the commit'))
    .option('--commit-only', 'look at and delete commits only, not what is in them');
  const examples = [
    'ostree-container repo prune --repo /srv/repo --refs-only --depth 5',
    'ostree-container repo prune --repo /srv/repo --keep-younger-than "30 days ago" --dry-run',
  ];
  return repositoryCommand<Values>(repoLockOption(shape), examples, async (values, _args, opened) => {
    const { ostree, repository, output, signal } = opened;
    assertWords(values);
    const dryRun = values.dryRun === true || !values.prune;
    const { deleteCommit } = values;
    const result = await ostree.prune(repository, {
      ...rootsOf(values),
      signal,
      dryRun,
      staticDeltasOnly: values.staticDeltasOnly,
      deleteCommit: deleteCommit === undefined ? undefined : ostree.resolveRevision(repository, deleteCommit),
      ...repoLockWait(values, opened, repository),
    });
    for (const ref of result.danglingRefs) output.warning(`ref ${ref}: its commit is missing`);
    for (const line of linesOf(result, dryRun, values.commitOnly === true)) output.result(line);
    if (result.deltas > 0) output.info(`${plural(result.deltas, 'static delta')} ${dryRun ? 'would go' : 'deleted'}`);
    output.document('ostree-container.repo-prune/1', { repository: repository.path, dryRun, ...result });
    return 0;
  });
}

function assertWords({ staticDeltasOnly, deleteCommit }: Values): void {
  if (staticDeltasOnly === true && deleteCommit === undefined) {
    throw new UsageError('--static-deltas-only needs --delete-commit');
  }
}

function rootsOf(values: Values): Omit<PruneOptions, 'signal'> {
  const { refsOnly, depth, keepYoungerThan, onlyBranch, commitOnly } = values;
  const retained = (values.retainBranchDepth ?? []).map(readBranchDepth);
  return {
    refsOnly,
    depth,
    keepYoungerThan,
    commitOnly,
    onlyBranches: onlyBranch,
    retainBranchDepth: new Map(retained),
  };
}

/** As the program ostree says it. */
function linesOf({ total, deleted, freedBytes }: PruneResult, dryRun: boolean, commitOnly: boolean): string[] {
  const size = formatGlibSize(freedBytes);
  const would = `Would delete: ${deleted} objects, freeing ${size}`;
  const did = `Deleted ${deleted} objects, ${size} freed`;
  return [
    `Total ${commitOnly ? '(commit only) ' : ''}objects: ${total}`,
    deleted === 0 ? 'No unreachable objects' : dryRun ? would : did,
  ];
}

function readDepth(text: string): number {
  if (/^(-1|[0-9]{1,9})$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected -1 or a number of commits.');
}

function readDate(text: string): number {
  const seconds = parseMoment(text);
  if (seconds !== undefined) return seconds;
  throw new InvalidArgumentError('Expected a date such as 2026-01-31T12:00:00Z, @1700000000 or "30 days ago".');
}

function readBranchDepth(text: string): readonly [branch: string, depth: number] {
  const [, branch = '', depth = ''] = /^(.+)=(-1|[0-9]{1,9})$/.exec(text) ?? [];
  if (branch !== '') return [branch, Number(depth)];
  throw new UsageError(`--retain-branch-depth: expected BRANCH=DEPTH, found "${text}"`);
}
