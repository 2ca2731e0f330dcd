/** Making a static delta: what a client that has one commit, or nothing, needs for another one. Spec 9. */
import { byte, type Vardict, vardict, variantOf } from '../../../gvariant/index.ts';
import { OstreeError } from '../../error.ts';
import { openPool } from '../../jobs/pool.ts';
import { type Checksum, sha256 } from '../../objects/checksum.ts';
import { decodeCommit } from '../../objects/commit.ts';
import { lockForChange } from '../../repository/lock.ts';
import { isPartial } from '../../repository/partial.ts';
import type { Repository } from '../../repository/repository.ts';
import { addSignatures } from '../../signatures/sign.ts';
import { type ObjectReader, objectsOf } from '../../storage/object-reader.ts';
import { corrupt } from '../../storage/object-writer.ts';
import { type DeltaName, deltaPath } from '../names.ts';
import { wrapSuperblock } from '../signed-superblock.ts';
import { BIG, type DeltaPart, ENDIANNESS, encodeSuperblock, INLINE_PART, LITTLE } from '../superblock.ts';
import { DeltaContents } from './contents.ts';
import { type DeltaFolder, openDeltaFile, openDeltaFolder, openNowhere } from './delta-folder.ts';
import { type Differences, findDifferences, type NewFile } from './differences.ts';
import { type GenerateOptions, type Plan, planOf } from './options.ts';
import type { PartItem } from './part-builder.ts';
import { PartStream } from './part-stream.ts';
import type { GeneratedDelta } from './result.ts';
import { TaskGate } from './task-gate.ts';

/**
 * Make a delta and put it into the repository, in place of one of the same name, or into a file. The same commits and
 * options give the same bytes: its time is that of the commit. Indexes and the summary do not know of it yet.
 * @throws OstreeError OBJECT_MISSING, OBJECT_CORRUPT, COMMIT_PARTIAL, DELTA_UNSUITABLE; CompressionError NO_XZ
 */
export async function generateDelta(
  repository: Repository,
  name: DeltaName,
  options: GenerateOptions,
): Promise<GeneratedDelta> {
  if (name.from === name.to) throw new OstreeError('DELTA_UNSUITABLE', `delta from ${name.to} to itself`);
  const held = await lockForChange(repository, 'shared', options);
  try {
    const folder = openFolder(repository, name, options);
    try {
      return await fillFolder(repository, name, options, folder);
    } finally {
      folder.discard();
    }
  } finally {
    held.release();
  }
}

function openFolder(repository: Repository, name: DeltaName, { filename, dryRun }: GenerateOptions): DeltaFolder {
  if (dryRun === true) return openNowhere(filename ?? `${deltaPath(name)}/superblock`);
  return filename === undefined ? openDeltaFolder(repository, name) : openDeltaFile(filename);
}

async function fillFolder(
  repository: Repository,
  name: DeltaName,
  options: GenerateOptions,
  folder: DeltaFolder,
): Promise<GeneratedDelta> {
  const reader = objectsOf(repository);
  const from = name.from === undefined ? undefined : wholeCommit(repository, reader, name.from);
  const to = wholeCommit(repository, reader, name.to);
  const differences = findDifferences(reader, from?.commit, to.commit);
  const plan = planOf(options);
  const inline: Uint8Array[] = [];
  const sink = (index: number, file: Uint8Array): void => {
    if (plan.inline) inline[index] = file;
    else folder.putPart(index, file);
  };
  const made = await makeParts(reader, differences, plan, sink, options);
  const superblock = encodeSuperblock({
    metadata: metadataOf(reader, name, plan, options.metadata ?? [], inline),
    timestamp: to.commit.timestamp,
    ...name,
    commit: to.bytes,
    parts: made.parts.map((part): DeltaPart => ({ ...part, inline: undefined })),
    fallbacks: made.fallbacks.map(({ checksum, storedSize, size }) => ({
      type: 'file',
      checksum,
      size: storedSize,
      uncompressedSize: size,
    })),
  });
  const file = await signed(superblock, options);
  folder.publish(file);
  return resultOf(name, folder.path, file.length, plan, made);
}

async function signed(superblock: Uint8Array, { signers = [] }: GenerateOptions): Promise<Uint8Array> {
  if (signers.length === 0) return superblock;
  return wrapSuperblock(superblock, await addSignatures(superblock, [], signers));
}

/** @throws OstreeError OBJECT_MISSING, OBJECT_CORRUPT, COMMIT_PARTIAL */
function wholeCommit(repository: Repository, reader: ObjectReader, checksum: Checksum) {
  const bytes = reader.metadata(checksum, 'commit');
  const found = sha256(bytes);
  if (found !== checksum) throw corrupt('commit', checksum, found);
  if (isPartial(repository, checksum)) {
    throw new OstreeError('COMMIT_PARTIAL', `commit ${checksum}: objects of it may be missing`, {
      hint: 'pull it again, then make the delta',
      subject: checksum,
    });
  }
  return { bytes, commit: decodeCommit(bytes, `commit ${checksum}`) };
}

interface MadeParts {
  readonly parts: readonly Omit<DeltaPart, 'inline'>[];
  readonly fallbacks: readonly NewFile[];
  readonly counts: GeneratedDelta['objects'];
}

/** Below this a thread costs more than it gains. */
const WORTHWHILE = 1e6;

async function makeParts(
  reader: ObjectReader,
  differences: Differences,
  plan: Plan,
  sink: (index: number, file: Uint8Array) => void,
  { signal, onProgress }: GenerateOptions,
): Promise<MadeParts> {
  const paired = sum(differences.pairs.map(({ added }) => added.size));
  const gate = new TaskGate(plan.memory, plan.tasks);
  const pool = openPool({ read: reader.places }, paired < WORTHWHILE ? 0 : plan.tasks);
  const stream = new PartStream(plan, gate, sink, signal);
  try {
    const contents = new DeltaContents({ reader, pool, gate, plan }, differences);
    const counts = { metadata: 0, rollsum: 0, bsdiff: 0, plain: 0, links: 0 };
    const total = paired + sum(differences.unpaired.map(({ size }) => size));
    let done = 0;
    for await (const item of contents.items()) {
      await stream.add(item);
      counts[wayOf(item)]++;
      if (item.kind === 'metadata') continue;
      done += item.kind === 'diff' ? item.size : item.content.length;
      if (done < total) onProgress?.({ done, total });
    }
    const parts = await stream.finish();
    onProgress?.({ done: total, total }); // what is left to be fetched counts, too
    return { parts, fallbacks: contents.fallbacks, counts };
  } finally {
    await stream.abandon();
    await pool.close();
  }
}

function wayOf(item: PartItem): keyof GeneratedDelta['objects'] {
  if (item.kind === 'diff') return item.diff.way;
  if (item.kind === 'metadata') return 'metadata';
  return item.header.target === undefined ? 'plain' : 'links';
}

/** In the order of the reference: the user's, the byte order, the parts, the detached metadata. */
function metadataOf(
  reader: ObjectReader,
  name: DeltaName,
  plan: Plan,
  own: Vardict,
  inline: readonly Uint8Array[],
): Vardict {
  const path = deltaPath(name);
  const detached = reader.detached(name.to);
  return [
    ...own,
    [ENDIANNESS, variantOf(byte, plan.bigEndian ? BIG : LITTLE)],
    ...inline.map(
      (file, i) => [`${path}/${i}`, variantOf(INLINE_PART, [file[0] ?? 0, file.subarray(1)] as const)] as const,
    ),
    ...(detached.length === 0 ? [] : [[`${path}/commitmeta`, variantOf(vardict, detached)] as const]),
  ];
}

function resultOf(
  name: DeltaName,
  path: string,
  superblockSize: number,
  plan: Plan,
  { parts, fallbacks, counts }: MadeParts,
): GeneratedDelta {
  return {
    name,
    path,
    size: superblockSize + (plan.inline ? 0 : sum(parts.map(({ size }) => size))),
    superblockSize,
    uncompressedSize: sum(parts.map(({ uncompressedSize }) => uncompressedSize)),
    parts: parts.map(({ size, uncompressedSize, objects }) => ({ size, uncompressedSize, objects: objects.length })),
    fallbacks: { count: fallbacks.length, size: sum(fallbacks.map(({ storedSize }) => storedSize)) },
    objects: counts,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
