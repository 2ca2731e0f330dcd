import { Command } from 'commander';
import { plural } from '../../../base/text.ts';
import type { FsckFinding, FsckResult } from '../../../ostree/index.ts';
import { EXIT } from '../../exit-status.ts';
import type { Context } from '../../program.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../shared-options.ts';
import { repositoryCommand } from './with-repository.ts';

interface Values extends RepoValues, LockValues {
  readonly all?: true;
  readonly delete?: true;
  readonly addTombstones?: true;
  readonly verifyBindings?: true;
  readonly verifyBackRefs?: true;
  readonly unreachable?: true;
}

export function fsckCommand(): Command {
  const shape = new Command('fsck')
    .description(
      'Read back everything that the commits of a repository need, and say what is missing or damaged, and where. ' +
        'Commits that lack something are marked as partial: pull them again.',
    )
    .option('-a, --all', 'do not stop at the first damaged object')
    .option('--delete', 'delete damaged objects, and mark the commits that need them as partial')
    .option('--add-tombstones', 'write tombstones for parents of commits that are missing')
    .option('--verify-bindings', 'refs must be among those that their commits are bound to')
    .option('--verify-back-refs', 'refs that commits are bound to must point to them; --verify-bindings, too')
    .option('--unreachable', 'also read objects that nothing leads to');
  const examples = [
    'ostree-container repo fsck --repo /srv/repo',
    'ostree-container repo fsck --repo /srv/repo --delete',
  ];
  return repositoryCommand<Values>(repoLockOption(shape), examples, async (values, _args, opened) => {
    const { ostree, repository, output, signal } = opened;
    let shown = 0;
    const result = await ostree.fsck(repository, {
      ...values,
      signal,
      ...repoLockWait(values, opened, repository),
      onProgress(done, total) {
        const tenths = Math.floor((10 * done) / total);
        if (tenths > shown) output.detail(`${done} of ${plural(total, 'object')}`);
        shown = tenths;
      },
    });
    say(result, opened);
    output.document('ostree-container.repo-fsck/1', { repository: repository.path, ...documentOf(result) });
    return result.isSound ? EXIT.done : EXIT.failed;
  });
}

function say(result: FsckResult, { output }: Pick<Context, 'output'>): void {
  for (const finding of result.findings) for (const line of linesOf(finding)) output.result(line);
  for (const commit of result.marked) output.result(`Marking commit as partial: ${commit}`);
  if (result.unmarked.length > 0) {
    const what = plural(result.unmarked.length, 'commit');
    output.warning(`${what} not marked as partial: the repository cannot be locked or written to`);
  }
  for (const object of result.removed) output.result(`Deleted ${object}`);
  for (const commit of result.tombstones) output.result(`Adding tombstone for commit ${commit}`);
  if (result.partial > 0) output.result(`${result.partial} partial commits not verified`);
  const errors = result.findings.filter(({ severity }) => severity === 'error').length;
  if (result.isSound) {
    output.result(`object fsck of ${result.commits} commits completed successfully - no errors found.`);
  } else {
    output.warning(
      `${plural(errors, 'error')} found in ${plural(result.objects, 'object')} of ${plural(result.commits, 'commit')}`,
    );
  }
}

function linesOf({ severity, text, users }: FsckFinding): string[] {
  const prefix = severity === 'warning' ? 'warning: ' : '';
  return [`${prefix}${text}`, ...users.map(({ commit, path }) => `  in commit ${commit}: ${path}`)];
}

function documentOf({ isSound, findings, marked, unmarked, removed, tombstones, ...counts }: FsckResult) {
  return {
    sound: isSound,
    ...counts,
    findings: findings.map(({ users, ...finding }) => ({ ...finding, users: users.map((user) => ({ ...user })) })),
    marked: [...marked],
    unmarked: [...unmarked],
    removed: [...removed],
    tombstones: [...tombstones],
  };
}
