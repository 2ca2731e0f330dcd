/** The facts of a delta: what is in it, not whether it can be trusted. */
import { byte, lookup } from '../../gvariant/index.ts';
import type { Checksum } from '../objects/checksum.ts';
import { decodeOperations, type Operation } from './algorithms/operations.ts';
import type { DeltaFile } from './delta-file.ts';
import { decodePart } from './part-payload.ts';
import { BIG, type DeltaFallback, type DeltaPart, ENDIANNESS, LITTLE, type Superblock } from './superblock.ts';

/** The names that `ostree static-delta show` has for them. */
export type OperationCounts = Readonly<Record<CountedOperation, number>>;
export type CountedOperation = 'openspliceclose' | 'open' | 'write' | 'setread' | 'unsetread' | 'close' | 'bspatch';

export interface PartFacts {
  readonly objects: number;
  /** Bytes of its file, or inline value. */
  readonly size: number;
  readonly uncompressedSize: number;
  readonly isInline: boolean;
  readonly modes: number;
  readonly xattrs: number;
  /** Bytes of raw data. */
  readonly dataSize: number;
  /** Bytes of the operations. */
  readonly operationsSize: number;
  readonly operations: OperationCounts;
}

export interface DeltaFacts {
  readonly isSigned: boolean;
  readonly from: Checksum | undefined;
  readonly to: Checksum;
  /** Undefined: very old, it does not say. */
  readonly endianness: 'little' | 'big' | undefined;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly fallbacks: readonly DeltaFallback[];
  readonly parts: readonly PartFacts[];
}

/** Reads and unpacks every part. @throws OstreeError DELTA_MALFORMED, DELTA_MISSING */
export async function showDelta(file: DeltaFile): Promise<DeltaFacts> {
  const superblock = file.decode();
  const { from, to, timestamp, fallbacks, metadata } = superblock;
  const order = lookup(metadata, ENDIANNESS, byte);
  const parts: PartFacts[] = [];
  for (const [index, part] of superblock.parts.entries()) parts.push(await partFacts(file, superblock, part, index));
  return {
    isSigned: file.signatures !== undefined,
    from,
    to,
    endianness: order === LITTLE ? 'little' : order === BIG ? 'big' : undefined,
    timestamp,
    fallbacks,
    parts,
  };
}

async function partFacts(file: DeltaFile, superblock: Superblock, part: DeltaPart, index: number): Promise<PartFacts> {
  const { modes, xattrs, data, operations } = await decodePart(
    file.part(superblock, index),
    `${file.what}: part ${index}`,
  );
  const { objects, size, uncompressedSize, inline } = part;
  return {
    objects: objects.length,
    size,
    uncompressedSize,
    isInline: inline !== undefined,
    modes: modes.length,
    xattrs: xattrs.length,
    dataSize: data.length,
    operationsSize: operations.length,
    operations: countOperations(operations, objects),
  };
}

const NAMES: Readonly<Record<Operation['op'], CountedOperation>> = {
  'splice-metadata': 'openspliceclose',
  'splice-content': 'openspliceclose',
  open: 'open',
  write: 'write',
  'set-source': 'setread',
  'unset-source': 'unsetread',
  close: 'close',
  bspatch: 'bspatch',
};

function countOperations(operations: Uint8Array, objects: DeltaPart['objects']): OperationCounts {
  const counts = { openspliceclose: 0, open: 0, write: 0, setread: 0, unsetread: 0, close: 0, bspatch: 0 };
  const kindOf = (index: number) => {
    const type = objects[index]?.type;
    return type === undefined ? undefined : type === 'file' ? ('content' as const) : ('metadata' as const);
  };
  for (const { op } of decodeOperations(operations, kindOf)) counts[NAMES[op]]++;
  return counts;
}
