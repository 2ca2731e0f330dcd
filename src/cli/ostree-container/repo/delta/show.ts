import { Command } from 'commander';
import { jsonTime } from '../../../../base/json.ts';
import type { DeltaFacts, PartFacts } from '../../../../ostree/index.ts';
import type { RepoValues } from '../../../shared-options.ts';
import { formatGlibSize } from '../glib-size.ts';
import { repositoryCommand } from '../with-repository.ts';
import { openNamed } from './named-delta.ts';

export function showCommand(): Command {
  const shape = new Command('show')
    .description('Show what is in a static delta. Nothing is verified.')
    .argument('<delta>', 'the name of a delta in the repository, the file of a superblock, or its directory');
  const examples = ['ostree-container repo delta show --repo /srv/repo FROM-TO'];
  return repositoryCommand<RepoValues>(shape, examples, async (_values, [delta = ''], opened) => {
    const file = openNamed(delta, opened);
    try {
      const facts = await opened.ostree.showDelta(file);
      opened.output.results([`Delta: ${delta}`, ...linesOf(facts)]);
      opened.output.document('ostree-container.repo-delta-show/1', documentOf(delta, facts));
    } finally {
      file.close();
    }
    return undefined;
  });
}

/** As the program ostree prints it, for there are scripts that read it. */
function linesOf(facts: DeltaFacts): string[] {
  const { isSigned, from, to, endianness, timestamp, fallbacks, parts } = facts;
  const { fallbackSize, fallbackUncompressed, partSize, partUncompressed } = sums(facts);
  return [
    `Signed: ${isSigned ? 'yes' : 'no'}`,
    from === undefined ? 'From <scratch>' : `From: ${from}`,
    `To: ${to}`,
    `Endianness: ${endianness ?? 'undefined'}`,
    `Timestamp: ${timestamp}`,
    'Number of parents: 0',
    `Number of fallback entries: ${fallbacks.length}`,
    ...fallbacks.map(({ checksum }) => `  ${checksum}`),
    `Total Fallback Size: ${sizeOf(fallbackSize)}`,
    `Total Fallback Uncompressed Size: ${sizeOf(fallbackUncompressed)}`,
    `Number of parts: ${parts.length}`,
    ...parts.flatMap(partLines),
    `Total Part Size: ${sizeOf(partSize)}`,
    `Total Part Uncompressed Size: ${sizeOf(partUncompressed)}`,
    `Total Size: ${sizeOf(partSize + fallbackSize)}`,
    `Total Uncompressed Size: ${sizeOf(partUncompressed + fallbackUncompressed)}`,
  ];
}

function partLines(part: PartFacts, index: number): string[] {
  const { objects, size, uncompressedSize, modes, xattrs, dataSize, operationsSize, operations } = part;
  const counts = Object.entries(operations).map(([name, count]) => `${name}=${count}`);
  return [
    `PartMeta${index}: nobjects=${objects} size=${size} usize=${uncompressedSize}`,
    `PartPayload${index}: nmodes=${modes} nxattrs=${xattrs} blobsize=${dataSize} opsize=${operationsSize}`,
    `PartPayloadOps${index}: ${counts.join(' ')}`,
  ];
}

function sizeOf(bytes: number): string {
  return `${bytes} (${formatGlibSize(bytes)})`;
}

function sums({ fallbacks, parts }: DeltaFacts) {
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
  return {
    fallbackSize: sum(fallbacks.map(({ size }) => size)),
    fallbackUncompressed: sum(fallbacks.map(({ uncompressedSize }) => uncompressedSize)),
    partSize: sum(parts.map(({ size }) => size)),
    partUncompressed: sum(parts.map(({ uncompressedSize }) => uncompressedSize)),
  };
}

function documentOf(delta: string, facts: DeltaFacts) {
  const { isSigned, from, to, endianness, timestamp, fallbacks, parts } = facts;
  return {
    delta,
    signed: isSigned,
    from: from ?? null,
    to,
    endianness: endianness ?? null,
    timestamp: Math.abs(timestamp) < 8.64e12 ? jsonTime(timestamp * 1000) : null,
    fallbacks: fallbacks.map(({ checksum, size, uncompressedSize }) => ({ checksum, size, uncompressedSize })),
    parts: parts.map(({ isInline, ...part }) => ({ ...part, inline: isInline, operations: { ...part.operations } })),
    ...sums(facts),
  };
}
