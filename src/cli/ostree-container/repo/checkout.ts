import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { plural } from '../../../base/text.ts';
import type { CheckoutOptions, CheckoutPlan, CheckoutResult } from '../../../ostree/index.ts';
import { UsageError } from '../../arguments.ts';
import type { RepoValues } from '../../shared-options.ts';
import { type Opened, repositoryCommand } from './with-repository.ts';

interface Values extends RepoValues {
  readonly userMode?: true;
  readonly disableCache?: true;
  readonly subpath?: string;
  readonly union?: true;
  readonly unionAdd?: true;
  readonly unionIdentical?: true;
  readonly whiteouts?: true;
  readonly processPassthroughWhiteouts?: true;
  readonly allowNoent?: true;
  readonly fromStdin?: true;
  readonly fromFile?: string;
  readonly fsync: 'true' | 'false' | 'yes' | 'no' | '1' | '0';
  readonly requireHardlinks?: true;
  readonly forceCopy?: true;
  readonly bareuseronlyDirs?: true;
  readonly skipList?: string;
  readonly dryRun?: true;
}

const BOOLEANS = ['true', 'false', 'yes', 'no', '1', '0'] satisfies readonly Values['fsync'][];

export function checkoutCommand(): Command {
  const shape = new Command('checkout')
    .description(
      'Put the tree of a commit on the disk, by hard links to the repository where that is possible. Files that are ' +
        'hard links must not be changed. A new target appears when it is whole, or not at all.',
    )
    .argument('<commit>', 'a ref or a checksum; with --from-stdin and --from-file the destination')
    .argument('[destination]', 'a directory that does not exist (default: one with the name of the commit)')
    .option('-U, --user-mode', 'keep your own ownership, without extended attributes and setuid')
    .option('-H, --require-hardlinks', 'fail where a hard link cannot be made')
    .option('-C, --force-copy', 'never make hard links; share blocks where the file system can')
    .option('-M, --bareuseronly-dirs', 'directories without mode bits outside of 0775')
    .option('--union', 'keep existing directories, replace existing files')
    .option('--union-add', 'keep existing directories and files')
    .option('--union-identical', 'keep existing directories; existing files must be the same (needs -H)')
    .option('--whiteouts', 'a file .wh.NAME deletes NAME, .wh..wh..opq what was in its directory')
    .option('--process-passthrough-whiteouts', 'a file .ostree-wh.NAME becomes a character device 0:0 NAME')
    .option('--subpath <path>', 'of the commit, this directory or file alone')
    .option('--allow-noent', 'do nothing when there is no such path')
    .option(
      '--skip-list <file>',
      'leave out these paths, one in a line, / being what is checked out; DIRECTORY/ with a slash',
    )
    .option('--from-stdin', 'read many REV NUL PATH NUL from standard input')
    .option('--from-file <file>', 'the same from a file')
    .option('--disable-cache', 'do not use uncompressed-objects-cache/ of the repository')
    .option('--dry-run', 'say what would be made, change nothing')
    .addOption(new Option('--fsync <policy>', 'flush everything to the disk').choices(BOOLEANS).default('true'));
  const examples = [
    'ostree-container repo checkout --repo /srv/repo os/main /srv/root',
    'ostree-container repo checkout --repo /srv/repo -U -H os/main ./root',
    'ostree-container repo checkout --repo /srv/repo --union --subpath /etc os/main /srv/root/etc',
  ];
  return repositoryCommand<Values>(shape, examples, async (values, args, opened) => {
    const options = optionsOf(opened, values);
    const isMany = values.fromStdin === true || values.fromFile !== undefined;
    if (isMany && args.length > 1)
      throw new UsageError('with --from-stdin and --from-file only the destination is named');
    if (isMany && values.subpath !== undefined) throw new UsageError('--subpath is a part of each line of the list');
    const [first = '', destination = first] = args;
    const jobs = isMany ? readJobs(values) : [{ rev: first, subpath: values.subpath ?? '/' }];
    const done: Done[] = [];
    for (const { rev, subpath } of jobs) {
      const words = { rev, destination, allowNoent: values.allowNoent === true, dryRun: values.dryRun === true };
      done.push(await checkOut(opened, words, { ...options, subpath }));
    }
    opened.output.document('ostree-container.repo-checkout/1', {
      destination,
      dryRun: values.dryRun === true,
      checkouts: done.map(({ result, ...job }) => ({ ...job, ...(result ?? { missing: true }) })),
    });
    return 0;
  });
}

interface Done {
  readonly commit: string;
  readonly subpath: string;
  readonly result: CheckoutResult | CheckoutPlan | undefined;
}

interface CheckoutWords {
  readonly rev: string;
  readonly destination: string;
  readonly allowNoent: boolean;
  readonly dryRun: boolean;
}

async function checkOut(
  opened: Opened,
  { rev, destination, allowNoent, dryRun }: CheckoutWords,
  options: CheckoutOptions,
): Promise<Done> {
  const { ostree, repository, output, signal } = opened;
  const commit = ostree.resolveRevision(repository, rev);
  const done = { commit, subpath: options.subpath };
  const reader = ostree.objectsOf(repository);
  if (allowNoent && !isThere(opened, () => ostree.findEntry(reader, reader.commit(commit), options.subpath))) {
    output.info(`${options.subpath}: not in commit ${commit}, nothing to do`);
    return { ...done, result: undefined };
  }
  if (dryRun) {
    const plan = await ostree.planCheckout(repository, commit, destination, options);
    output.info(`${destination}: would make ${directoriesOf(plan)} and ${plural(plan.files, 'file')}`);
    return { ...done, result: plan };
  }
  const result = await ostree.checkout(repository, commit, destination, options, signal);
  const { linked, copied } = result;
  output.info(`${destination}: ${directoriesOf(result)}, ${plural(linked, 'file')} linked, ${copied} copied`);
  return { ...done, result };
}

function directoriesOf({ directories }: { readonly directories: number }): string {
  return `${directories} ${directories === 1 ? 'directory' : 'directories'}`;
}

function isThere({ ostree }: Opened, find: () => unknown): boolean {
  try {
    find();
    return true;
  } catch (error) {
    if (error instanceof ostree.OstreeError && error.code === 'PATH_MISSING') return false;
    throw error;
  }
}

function optionsOf({ ostree }: Opened, values: Values): CheckoutOptions {
  const { union, unionAdd, unionIdentical, requireHardlinks, forceCopy } = values;
  if ([union, unionAdd, unionIdentical].filter((each) => each === true).length > 1)
    throw new UsageError('say one of --union, --union-add and --union-identical');
  if (requireHardlinks === true && forceCopy === true) throw new UsageError('-H and -C contradict each other');
  if (unionIdentical === true && requireHardlinks !== true) throw new UsageError('--union-identical needs -H');
  return {
    ...ostree.CHECKOUT_DEFAULTS,
    userMode: values.userMode === true,
    existing:
      union === true ? 'replace' : unionAdd === true ? 'keep' : unionIdentical === true ? 'identical' : 'refuse',
    links: requireHardlinks === true ? 'require' : forceCopy === true ? 'never' : 'auto',
    whiteouts: values.whiteouts === true,
    passthroughWhiteouts: values.processPassthroughWhiteouts === true,
    bareUserOnlyDirs: values.bareuseronlyDirs === true,
    disableCache: values.disableCache === true,
    skip: values.skipList === undefined ? new Set() : new Set(linesOf(values.skipList)),
    fsync: ['true', 'yes', '1'].includes(values.fsync),
  };
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** `REV NUL SUBPATH NUL`, again and again; nothing after the last NUL. */
function readJobs({ fromFile }: Values): { rev: string; subpath: string }[] {
  const fields = readFileSync(fromFile ?? 0, 'utf8').split('\0');
  if (fields.pop() !== '' || fields.length % 2 !== 0) {
    throw new UsageError('expected REV NUL PATH NUL, as often as wanted');
  }
  return fields.flatMap((rev, i) => (i % 2 === 0 ? [{ rev, subpath: fields[i + 1] ?? '/' }] : []));
}
