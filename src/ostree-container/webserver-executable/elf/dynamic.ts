/**
 * What a program or library asks of others, and which versions it has itself.
 *
 * Source: System V ABI, "Dynamic section"; Linux Standard Base, "Symbol versioning" (Verneed, Verdef).
 * Limits: 4096 entries of each kind, versions of all libraries together; names of 4096 bytes.
 */

import {
  type ElfFile,
  type ElfSource,
  integer,
  malformed,
  PT_DYNAMIC,
  PT_INTERP,
  readAtAddress,
  readElf,
  readWithin,
} from './elf-file.ts';
import { decodeUtf8 } from './text.ts';

export interface Requirements {
  readonly machine: number;
  /** The program that loads it: `/lib64/ld-linux-x86-64.so.2`; none in a static program. */
  readonly loader: string | undefined;
  /** `libc.so.6` ... */
  readonly libraries: readonly string[];
  /** `GLIBC_2.28` of `libc.so.6` ...; versions that it can do without are left out. */
  readonly versions: readonly NeededVersion[];
  /** What it has to offer. */
  readonly provided: ReadonlySet<string>;
}

export interface NeededVersion {
  readonly library: string;
  readonly version: string;
}

const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_STRSZ = 10;
const DT_VERDEF = 0x6ffffffc;
const DT_VERDEFNUM = 0x6ffffffd;
const DT_VERNEED = 0x6ffffffe;
const DT_VERNEEDNUM = 0x6fffffff;
const MOST_ENTRIES = 4096;
const LONGEST_NAME = 4096;
const VER_FLG_WEAK = 2;

/** @throws WebserverError ELF_MALFORMED */
export function readRequirements(source: ElfSource): Requirements {
  const elf = readElf(source);
  const entries = dynamicEntries(source, elf);
  const names = new Names(source, elf, entries);
  return {
    machine: elf.machine,
    loader: loaderOf(source, elf),
    libraries: entries.filter(({ tag }) => tag === DT_NEEDED).map(({ value }) => names.at(value)),
    versions: neededVersions(source, elf, entries, names),
    provided: providedVersions(source, elf, entries, names),
  };
}

interface Entry {
  readonly tag: number;
  readonly value: number;
}

function dynamicEntries(source: ElfSource, { segments }: ElfFile): Entry[] {
  const segment = segments.find(({ type }) => type === PT_DYNAMIC);
  if (segment === undefined) return [];
  const count = Math.min(MOST_ENTRIES, Math.floor(segment.fileSize / 16));
  const bytes = readWithin(source, segment.offset, count * 16);
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const tag = bytes.readBigUInt64LE(at);
    if (tag === 0n) break;
    // Values of tags that are not looked at may be anything.
    if (TAGS.has(tag)) entries.push({ tag: Number(tag), value: integer(source, bytes, at + 8) });
  }
  return entries;
}

const TAGS: ReadonlySet<bigint> = new Set(
  [DT_NEEDED, DT_STRTAB, DT_STRSZ, DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM].map(BigInt),
);

function entryOf(entries: readonly Entry[], tag: number): number | undefined {
  return entries.find((entry) => entry.tag === tag)?.value;
}

/** The table of names; it may be megabytes of which a few names are wanted. */
class Names {
  readonly #source: ElfSource;
  readonly #elf: ElfFile;
  readonly #address: number;
  readonly #size: number;

  constructor(source: ElfSource, elf: ElfFile, entries: readonly Entry[]) {
    this.#source = source;
    this.#elf = elf;
    this.#address = entryOf(entries, DT_STRTAB) ?? 0;
    this.#size = entryOf(entries, DT_STRSZ) ?? 0;
  }

  at(offset: number): string {
    const length = Math.min(LONGEST_NAME, this.#size - offset);
    if (length <= 0) throw malformed(this.#source, `a name within ${this.#size} bytes`, `one at ${offset}`);
    const bytes = readAtAddress(this.#source, this.#elf, this.#address + offset, length);
    const end = bytes.indexOf(0);
    if (end < 0) throw malformed(this.#source, 'a name that ends', `none at ${offset}`);
    return decodeUtf8(this.#source, bytes.subarray(0, end));
  }
}

function loaderOf(source: ElfSource, { segments }: ElfFile): string | undefined {
  const segment = segments.find(({ type }) => type === PT_INTERP);
  if (segment === undefined) return undefined;
  const length = Math.min(segment.fileSize, LONGEST_NAME);
  return decodeUtf8(source, readWithin(source, segment.offset, length)).replace(/\0.*$/s, '');
}

/** Each is a list of lists: 16 bytes for a library, with a chain of 16 bytes for each version. */
function neededVersions(
  source: ElfSource,
  elf: ElfFile,
  entries: readonly Entry[],
  names: Names,
): readonly NeededVersion[] {
  const found: NeededVersion[] = [];
  let left = MOST_ENTRIES; // of all libraries together: their chains may be one and the same
  const libraries = chain(source, elf, entryOf(entries, DT_VERNEED), entryOf(entries, DT_VERNEEDNUM) ?? 0, 12, 16);
  for (const { address, bytes } of libraries) {
    const library = names.at(bytes.readUInt32LE(4));
    const count = bytes.readUInt16LE(2);
    left -= count;
    if (left < 0) throw malformed(source, `up to ${MOST_ENTRIES} versions`, 'more');
    const versions = chain(source, elf, address + bytes.readUInt32LE(8), count, 12, 16);
    for (const { bytes: version } of versions) {
      if ((version.readUInt16LE(4) & VER_FLG_WEAK) !== 0) continue;
      found.push({ library, version: names.at(version.readUInt32LE(8)) });
    }
  }
  return found;
}

function providedVersions(
  source: ElfSource,
  elf: ElfFile,
  entries: readonly Entry[],
  names: Names,
): ReadonlySet<string> {
  const definitions = chain(source, elf, entryOf(entries, DT_VERDEF), entryOf(entries, DT_VERDEFNUM) ?? 0, 16, 20);
  return new Set(
    definitions.map(({ address, bytes }) => {
      const name = readAtAddress(source, elf, address + bytes.readUInt32LE(12), 8);
      return names.at(name.readUInt32LE(0));
    }),
  );
}

/** Records that each say how far the next one is; 0 ends it. */
function chain(
  source: ElfSource,
  elf: ElfFile,
  start: number | undefined,
  count: number,
  nextAt: number,
  size: number,
): { readonly address: number; readonly bytes: Buffer }[] {
  if (start === undefined) return [];
  if (count > MOST_ENTRIES) throw malformed(source, `up to ${MOST_ENTRIES} versions`, `${count}`);
  const found: { address: number; bytes: Buffer }[] = [];
  for (let address = start; found.length < count; ) {
    const bytes = readAtAddress(source, elf, address, size);
    found.push({ address, bytes });
    const next = bytes.readUInt32LE(nextAt);
    if (next === 0) break;
    address += next;
  }
  return found;
}
