/** What pull and pull-local have in common: options, and the words and documents about what came of it. */
import { type Command, InvalidArgumentError } from 'commander';
import { formatBytes, plural } from '../../../base/text.ts';
import type { PullResult } from '../../../ostree/index.ts';
import { type LockValues, repoLockOption } from '../../shared-options.ts';
import { signatureDocument } from './signature-document.ts';
import type { Opened } from './with-repository.ts';

export interface SharedPullValues extends LockValues {
  readonly commitMetadataOnly?: true;
  readonly depth?: number;
  readonly disableFsync?: true;
  readonly perObjectFsync?: true;
  readonly untrusted?: true;
  readonly bareuseronlyFiles?: true;
  readonly disableVerifyBindings?: true;
}

export function sharedPullOptions(shape: Command): Command {
  return repoLockOption(shape)
    .option('--commit-metadata-only', 'fetch commits without their trees')
    .option('--depth <depth>', 'fetch so many parents, too; -1: all (default: 0)', readDepth)
    .option('--disable-fsync', 'do not flush to the disk: a power cut may leave damaged objects')
    .option('--per-object-fsync', 'flush each object by itself instead of all together')
    .option('--untrusted', 'hash objects of local repositories, too (those from the network always are)')
    .option('--bareuseronly-files', 'refuse files that are setuid, or that everybody may write')
    .option('--disable-verify-bindings', 'do not check that a commit was made for the ref');
}

export function sharedPullValues(values: SharedPullValues) {
  return {
    commitOnly: values.commitMetadataOnly === true,
    depth: values.depth ?? 0,
    fsync: values.disableFsync === true ? false : undefined,
    perObjectFsync: values.perObjectFsync === true,
    plainModes: values.bareuseronlyFiles === true,
    bindings: values.disableVerifyBindings !== true,
  };
}

export function tellPulled(result: PullResult, schema: string, { ostree, output, repository }: Opened): void {
  for (const { place, ref, from, to } of result.refs) {
    const name = ostree.refspecOf({ place, ref });
    output.result(
      from === to ? `${name}: ${to}, unchanged` : `${name}: ${from === undefined ? '' : `${from} -> `}${to}`,
    );
  }
  for (const commit of result.commits) {
    const good = commit.signatures.filter(({ status }) => status === 'good');
    for (const report of good) output.info(`commit ${commit.checksum}: ${ostree.describeReport(report)}`);
    if (commit.isPartial) output.info(`commit ${commit.checksum} is partial: not all of its objects were asked for`);
  }
  const { metadata, content, bytes, deltas } = result;
  const parts = deltas.count === 0 ? '' : `${plural(deltas.count, 'static delta')}, `;
  output.info(
    `received ${parts}${plural(metadata, 'metadata object')}, ${plural(content, 'file')}: ${formatBytes(bytes)}`,
  );
  output.document(schema, { repository: repository.path, dryRun: false, ...documentOf(result, ostree) });
}

function documentOf(result: PullResult, { refspecOf }: Opened['ostree']) {
  return {
    refs: result.refs.map(({ place, ref, from, to }) => ({
      ref,
      refspec: refspecOf({ place, ref }),
      collection: place.kind === 'mirror' ? place.collection : null,
      from: from ?? null,
      to,
    })),
    commits: result.commits.map(({ checksum, isOld, isPartial, signatures, delta }) => ({
      commit: checksum,
      isNew: !isOld,
      partial: isPartial,
      delta: delta === undefined ? null : { from: delta.from ?? null },
      signatures: signatures.map(signatureDocument),
    })),
    missingParents: result.missingParents.map(({ checksum, child, isDeleted }) => ({
      commit: checksum,
      child,
      deleted: isDeleted,
    })),
    summarySignatures: result.summarySignatures.map(signatureDocument),
    metadataObjects: result.metadata,
    contentObjects: result.content,
    deltas: result.deltas.count,
    deltaParts: result.deltas.parts,
    bytes: result.bytes,
    requests: result.requests,
  };
}

function readDepth(text: string): number {
  if (!/^(-1|[0-9]{1,9})$/.test(text)) throw new InvalidArgumentError('Expected a whole number, or -1 for all.');
  return Number(text);
}
