/**
 * A note more in a program, where it finds it when it runs: how Node gets its script when it is a single executable.
 *
 * The note must be loaded, so there are two program headers more, and no room for them: the table moves behind the end
 * of the file, with the note, into a segment of its own. Nothing else moves. That segment has the distance between
 * address and offset that the first one has: kernels before 5.18 tell a program the address of its table by that alone.
 * Source: System V ABI, "Note section"; load_elf_binary in Linux; node::sea and postject's postject-api.h.
 */
import {
  type ElfFile,
  type ElfSource,
  encodeSegment,
  malformed,
  PT_LOAD,
  PT_NOTE,
  PT_PHDR,
  readElf,
  SEGMENT_SIZE,
  type Segment,
} from './elf-file.ts';

export interface Patch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface Injection {
  /** Over what is there. */
  readonly patches: readonly Patch[];
  /** Zeros behind the end of the file. */
  readonly padding: number;
  /** What follows them. */
  readonly appended: Uint8Array;
  readonly size: number;
}

/** The largest page of any Linux: no page is both of the old segments and of ours. */
const PAGE = 64 * 1024;
const READABLE = 4;
/** Memory without content behind the last segment; a program with gigabytes of it is none of ours. */
const MOST_PADDING = 64 * 2 ** 20;

/** @throws WebserverError ELF_MALFORMED */
export function injectNote(source: ElfSource, name: string, content: Uint8Array): Injection {
  const elf = readElf(source);
  const loaded = elf.segments.filter(({ type }) => type === PT_LOAD);
  const [first] = loaded;
  if (first === undefined || first.address < first.offset) throw malformed(source, 'a segment to load', 'none');
  const distance = first.address - first.offset;
  const end = Math.max(...loaded.map(({ address, memorySize }) => address + memorySize - distance), source.size);
  const offset = Math.ceil(end / PAGE) * PAGE;
  if (offset - source.size > MOST_PADDING) throw malformed(source, 'an end of memory near that of the file', `${end}`);
  const table = (elf.segments.length + 2) * SEGMENT_SIZE;
  const note = noteOf(name, content);
  const at = { offset, address: offset + distance, flags: READABLE };
  const added: Segment = {
    ...at,
    type: PT_LOAD,
    fileSize: table + note.length,
    memorySize: table + note.length,
    align: Math.max(...loaded.map(({ align }) => align)),
  };
  const noted: Segment = {
    ...at,
    type: PT_NOTE,
    offset: offset + table,
    address: at.address + table,
    fileSize: note.length,
    memorySize: note.length,
    align: 4,
  };
  const appended = Buffer.concat([...newTable(elf, added, noted).map(encodeSegment), note]);
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(offset));
  const count = Buffer.alloc(2);
  count.writeUInt16LE(elf.segments.length + 2);
  return {
    patches: [
      { offset: 32, bytes: head },
      { offset: 56, bytes: count },
    ],
    padding: offset - source.size,
    appended,
    size: offset + appended.length,
  };
}

/** Segments to load stay in the order of their addresses; the table's own entry says where it is now. */
function newTable({ segments }: ElfFile, added: Segment, noted: Segment): Segment[] {
  const last = segments.findLastIndex(({ type }) => type === PT_LOAD);
  const moved = segments.map((segment) => {
    if (segment.type !== PT_PHDR) return segment;
    const size = (segments.length + 2) * SEGMENT_SIZE;
    return { ...segment, offset: added.offset, address: added.address, fileSize: size, memorySize: size };
  });
  return [...moved.slice(0, last + 1), added, ...moved.slice(last + 1), noted];
}

/** Lengths of name and content, type 0, then both, each padded to four bytes. */
function noteOf(name: string, content: Uint8Array): Buffer {
  const title = Buffer.from(`${name}\0`);
  const head = Buffer.alloc(12);
  head.writeUInt32LE(title.length, 0);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, padded(title), padded(content)]);
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes], Math.ceil(bytes.length / 4) * 4);
}
