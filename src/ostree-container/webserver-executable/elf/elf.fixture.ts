/** A small ELF file: a header, program headers, content. */
import { encodeSegment, PT_DYNAMIC, PT_LOAD, PT_PHDR, SEGMENT_SIZE, type Segment } from './elf-file.ts';

export interface SmallElf {
  readonly segments?: readonly Segment[];
  readonly machine?: number;
  readonly content?: Uint8Array;
}

const HEADER_SIZE = 64;

/** Content begins behind the headers; all is loaded at 0x400000. */
export function smallElf({ segments = [], machine = 62, content = Buffer.from('content') }: SmallElf = {}): Buffer {
  const count = segments.length + 2;
  const size = HEADER_SIZE + count * SEGMENT_SIZE + content.length;
  const head = Buffer.alloc(HEADER_SIZE);
  head.write('\x7fELF\x02\x01\x01', 'latin1');
  head.writeUInt16LE(2, 16);
  head.writeUInt16LE(machine, 18);
  head.writeBigUInt64LE(BigInt(HEADER_SIZE), 32);
  head.writeUInt16LE(SEGMENT_SIZE, 54);
  head.writeUInt16LE(count, 56);
  const table: Segment = {
    type: PT_PHDR,
    flags: 4,
    offset: HEADER_SIZE,
    address: BASE + HEADER_SIZE,
    fileSize: count * SEGMENT_SIZE,
    memorySize: count * SEGMENT_SIZE,
    align: 8,
  };
  const all: Segment = {
    type: PT_LOAD,
    flags: 5,
    offset: 0,
    address: BASE,
    fileSize: size,
    memorySize: size + 100_000,
    align: 4096,
  };
  return Buffer.concat([head, ...[table, all, ...segments].map(encodeSegment), content]);
}

export const BASE = 0x400000;
/** Where content begins when there are no more segments. */
export const CONTENT_AT = HEADER_SIZE + 2 * SEGMENT_SIZE;

/** One that asks for libraries, all of them by the same list of versions. */
export function elfWithVersions(libraries: number, versions: number): Buffer {
  const namesAt = CONTENT_AT + SEGMENT_SIZE;
  const [dynamicAt, dynamicSize] = [namesAt + 8, 5 * 16];
  const librariesAt = dynamicAt + dynamicSize;
  const versionsAt = librariesAt + 16 * libraries;
  const content = Buffer.alloc(versionsAt + 16 * versions - namesAt);
  content.write('name');
  const entries = [5, BASE + namesAt, 10, 8, 0x6ffffffe, BASE + librariesAt, 0x6fffffff, libraries];
  for (const [i, value] of entries.entries()) content.writeBigUInt64LE(BigInt(value), dynamicAt - namesAt + 8 * i);
  for (let i = 0; i < libraries; i++) {
    const at = librariesAt + 16 * i;
    content.writeUInt16LE(versions, at - namesAt + 2);
    content.writeUInt32LE(versionsAt - at, at - namesAt + 8);
    content.writeUInt32LE(16, at - namesAt + 12);
  }
  for (let i = 0; i < versions; i++) content.writeUInt32LE(16, versionsAt + 16 * i - namesAt + 12);
  const dynamic = { type: PT_DYNAMIC, flags: 4, offset: dynamicAt, address: BASE + dynamicAt };
  return smallElf({ segments: [{ ...dynamic, fileSize: dynamicSize, memorySize: dynamicSize, align: 8 }], content });
}
