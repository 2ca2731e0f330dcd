/**
 * The header and the program headers of an ELF file: 64 bits, little-endian, as on x86-64, arm64 and riscv64.
 *
 * Source: System V ABI, "ELF header" and "Program header"; elf(5).
 * Limits: 16 KiB of program headers; nothing else of the file is read here.
 */
import { WebserverError } from '../error.ts';

/** A file as it lies somewhere. A read gives exactly so many bytes, or fails. */
export interface ElfSource {
  /** For messages. */
  readonly name: string;
  readonly size: number;
  read(offset: number, length: number): Buffer;
}

export interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

export interface ElfFile {
  /** The kind of processor; `machineName` has words for it. */
  readonly machine: number;
  readonly headersAt: number;
  readonly segments: readonly Segment[];
}

export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
export const PT_INTERP = 3;
export const PT_NOTE = 4;
export const PT_PHDR = 6;
export const SEGMENT_SIZE = 56;
const HEADER_SIZE = 64;
const MOST_SEGMENTS = 256;

export function isElf(head: Uint8Array): boolean {
  return head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46;
}

/** @throws WebserverError ELF_MALFORMED */
export function readElf(source: ElfSource): ElfFile {
  if (source.size < HEADER_SIZE) throw malformed(source, `${HEADER_SIZE} bytes of header`, `${source.size} bytes`);
  const head = source.read(0, HEADER_SIZE);
  if (!isElf(head)) throw malformed(source, 'an ELF file', head.toString('hex', 0, 4));
  if (head[4] !== 2 || head[5] !== 1) throw malformed(source, '64 bits, little-endian', head.toString('hex', 4, 6));
  const [headersAt, entry, count] = [integer(source, head, 32), head.readUInt16LE(54), head.readUInt16LE(56)];
  if (entry !== SEGMENT_SIZE) throw malformed(source, `program headers of ${SEGMENT_SIZE} bytes`, `${entry}`);
  if (count === 0 || count > MOST_SEGMENTS)
    throw malformed(source, `1 to ${MOST_SEGMENTS} program headers`, `${count}`);
  const table = readWithin(source, headersAt, count * SEGMENT_SIZE);
  const segments = Array.from({ length: count }, (_, i) =>
    decodeSegment(source, table.subarray(i * SEGMENT_SIZE, (i + 1) * SEGMENT_SIZE)),
  );
  return { machine: head.readUInt16LE(18), headersAt, segments };
}

export function decodeSegment(source: ElfSource, bytes: Buffer): Segment {
  const [offset = 0, address = 0, , fileSize = 0, memorySize = 0, align = 0] = [8, 16, 24, 32, 40, 48].map((at) =>
    integer(source, bytes, at),
  );
  return { type: bytes.readUInt32LE(0), flags: bytes.readUInt32LE(4), offset, address, fileSize, memorySize, align };
}

export function encodeSegment({ type, flags, offset, address, fileSize, memorySize, align }: Segment): Buffer {
  const bytes = Buffer.alloc(SEGMENT_SIZE);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(flags, 4);
  for (const [i, value] of [offset, address, address, fileSize, memorySize, align].entries()) {
    bytes.writeBigUInt64LE(BigInt(value), 8 + 8 * i);
  }
  return bytes;
}

/** What lies at an address of the loaded file. @throws WebserverError ELF_MALFORMED */
export function readAtAddress(source: ElfSource, { segments }: ElfFile, address: number, length: number): Buffer {
  const segment = segments.find(
    (each) => each.type === PT_LOAD && address >= each.address && address + length <= each.address + each.fileSize,
  );
  if (segment === undefined) throw malformed(source, `${length} bytes at address ${address}`, 'none in a segment');
  return readWithin(source, segment.offset + (address - segment.address), length);
}

export function readWithin(source: ElfSource, offset: number, length: number): Buffer {
  if (offset + length > source.size) {
    throw malformed(source, `${length} bytes at ${offset}`, `an end at ${source.size}`);
  }
  return source.read(offset, length);
}

/** Of 64 bits; above 2^53 lies nothing in any file. */
export function integer(source: ElfSource, bytes: Buffer, at: number): number {
  const value = Number(bytes.readBigUInt64LE(at));
  if (!Number.isSafeInteger(value)) throw malformed(source, 'a number below 2^53', `${value}`);
  return value;
}

export function malformed({ name }: ElfSource, expected: string, found: string): WebserverError {
  return new WebserverError('ELF_MALFORMED', `${name}: expected ${expected}, found ${found}`, { subject: name });
}

const MACHINES: Readonly<Record<number, string>> = {
  21: 'ppc64le',
  62: 'x86-64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loongarch64',
};

export function machineName(machine: number): string {
  return MACHINES[machine] ?? `machine ${machine}`;
}
