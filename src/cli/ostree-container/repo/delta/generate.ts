import { Command, InvalidArgumentError, Option } from 'commander';
import { decodeByteCount } from '../../../../base/decode.ts';
import { formatBytes, plural } from '../../../../base/text.ts';
import type { DeltaName, GeneratedDelta, GenerateOptions } from '../../../../ostree/index.ts';
import { UsageError } from '../../../arguments.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../../shared-options.ts';
import { ed25519Signers } from '../signing-options.ts';
import { type Opened, repositoryCommand } from '../with-repository.ts';

interface Values extends RepoValues, LockValues {
  readonly from?: string;
  readonly to?: string;
  readonly empty?: true;
  readonly inline?: true;
  readonly disableBsdiff?: true;
  readonly ifNotExists?: true;
  readonly setEndianness?: 'l' | 'B';
  readonly swapEndianness?: true;
  readonly minFallbackSize?: number;
  readonly maxBsdiffSize?: number;
  readonly maxChunkSize?: number;
  readonly filename?: string;
  readonly sign?: string;
  readonly signType: 'ed25519';
  readonly keysFile?: string;
  readonly memoryBudget?: number;
  readonly dryRun?: true;
}

const MB = 1e6;

export function generateCommand(): Command {
  const shape = new Command('generate')
    .description(
      'Make a static delta: one download that makes a commit out of another one, or out of nothing. The summary and ' +
        'the indexes, by which clients find it, are written by "repo summary --update" or "repo delta reindex".',
    )
    .argument('[to]', 'the commit that is made')
    .option('--from <rev>', 'the commit that clients have (default: the parent)')
    .option('--to <rev>', 'the commit that is made')
    .option('--empty', 'clients have nothing')
    .option('--inline', 'put the parts into the superblock: one file')
    .option('--disable-bsdiff', 'do not compare files byte by byte')
    .option('-n, --if-not-exists', 'do nothing if there is such a delta')
    .addOption(new Option('--set-endianness <endian>', "byte order of numbers: 'l' or 'B'").choices(['l', 'B']))
    .option('--swap-endianness', 'the byte order that this machine does not have')
    .option('--min-fallback-size <mb>', 'larger files are fetched by themselves; 0: none (default: 4)', readMegabytes)
    .option('--max-bsdiff-size <mb>', 'largest pair that is compared byte by byte (default: 128)', readMegabytes)
    .option('--max-chunk-size <mb>', 'size of parts before compression (default: 32)', readMegabytes)
    .option('--filename <path>', 'write the superblock to this file, parts beside it, instead of the repository')
    .option('--sign <key>', 'sign with this secret key (other users can see it: prefer --keys-file)')
    .addOption(new Option('--sign-type <type>', 'kind of the signature').choices(['ed25519']).default('ed25519'))
    .option('--keys-file <file>', 'sign with the secret keys in this file, one a line')
    .option('--memory-budget <size>', 'memory for comparing and compressing (default: 512M)', readBytes)
    .option('--dry-run', 'make it, say how large it is, and write nothing');
  const examples = [
    'ostree-container repo delta generate --repo /srv/repo os/main',
    'ostree-container repo delta generate --repo /srv/repo --empty os/main',
    'ostree-container repo delta generate --repo /srv/repo --inline --min-fallback-size 0 --filename update.delta os/main',
  ];
  return repositoryCommand<Values>(repoLockOption(shape), examples, generate);
}

async function generate(values: Values, [positional]: readonly string[], opened: Opened): Promise<undefined> {
  const { output, ostree, repository } = opened;
  const name = nameOf(values, positional, opened);
  const document = { delta: ostree.deltaName(name), from: name.from ?? null, to: name.to };
  if (values.ifNotExists === true && ostree.hasDelta(repository, name)) {
    output.result(`Delta ${ostree.deltaName(name)} already exists.`);
    output.document('ostree-container.repo-delta-generate/1', { ...document, created: false });
    return;
  }
  output.results(['Generating static delta:', `  From: ${name.from ?? 'empty'}`, `  To:   ${name.to}`]);
  const made = await ostree.generateDelta(repository, name, await optionsOf(values, opened));
  output.info(`${made.path}: ${describe(made, values.dryRun === true)}`);
  output.document('ostree-container.repo-delta-generate/1', {
    ...document,
    created: true,
    dryRun: values.dryRun === true,
    path: made.path,
    size: made.size,
    superblockSize: made.superblockSize,
    uncompressedSize: made.uncompressedSize,
    parts: made.parts.map((part) => ({ ...part })),
    fallbacks: { ...made.fallbacks },
    objects: { ...made.objects },
  });
}

/** @throws UsageError; OstreeError REF_MISSING */
function nameOf(values: Values, positional: string | undefined, { ostree, repository }: Opened): DeltaName {
  const text = values.to ?? positional;
  if (text === undefined) throw new UsageError('no commit is named', 'write TO, or --to REV');
  if (values.to !== undefined && positional !== undefined) throw new UsageError('TO and --to exclude each other');
  if (values.empty === true && values.from !== undefined) throw new UsageError('--from and --empty exclude each other');
  const to = ostree.resolveRevision(repository, text);
  if (values.empty === true) return { from: undefined, to };
  return { from: ostree.resolveRevision(repository, values.from ?? `${to}^`), to };
}

async function optionsOf(values: Values, opened: Opened): Promise<GenerateOptions> {
  const { signal, repository, progress } = opened;
  if (values.swapEndianness === true && values.setEndianness !== undefined) {
    throw new UsageError('--swap-endianness and --set-endianness exclude each other');
  }
  const keys = { keys: values.sign === undefined ? [] : [values.sign], files: files(values.keysFile) };
  const task = 'delta';
  let state: 'waiting' | 'running' | 'done' = 'waiting';
  return {
    signal,
    ...repoLockWait(values, opened, repository),
    inline: values.inline,
    bsdiff: values.disableBsdiff !== true,
    minFallbackSize: values.minFallbackSize,
    maxBsdiffSize: values.maxBsdiffSize,
    maxChunkSize: values.maxChunkSize,
    endianness: values.setEndianness === 'B' || values.swapEndianness === true ? 'big' : 'little',
    filename: values.filename,
    memoryBudget: values.memoryBudget,
    dryRun: values.dryRun,
    signers: await ed25519Signers(keys, opened),
    onProgress({ done, total }) {
      if (state === 'waiting') progress.emit({ kind: 'start', task, label: task, total, done: 0 });
      if (state !== 'done') progress.emit({ kind: 'advance', task, done });
      if (state !== 'done' && done === total) progress.emit({ kind: 'end', task, ok: true });
      state = done === total ? 'done' : 'running';
    },
  };
}

function files(path: string | undefined): readonly string[] {
  return path === undefined ? [] : [path];
}

function describe({ size, parts, fallbacks, uncompressedSize }: GeneratedDelta, dryRun: boolean): string {
  const apart = fallbacks.count === 0 ? '' : `, and ${plural(fallbacks.count, 'file')} to be fetched apart`;
  const verb = dryRun ? 'would be written' : 'written';
  return `${verb}: ${formatBytes(size)} for ${formatBytes(uncompressedSize)} in ${parts.length} parts${apart}`;
}

function readMegabytes(text: string): number {
  if (!/^[0-9]{1,6}$/.test(text)) throw new InvalidArgumentError('Expected a whole number of megabytes.');
  return Number(text) * MB;
}

function readBytes(text: string): number {
  const bytes = decodeByteCount(text);
  if (bytes === undefined || bytes === 0) throw new InvalidArgumentError('Expected bytes such as 256M or 1G.');
  return bytes;
}
