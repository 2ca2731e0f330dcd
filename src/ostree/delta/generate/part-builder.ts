/** A part as it grows: tables, raw data and operations for the objects that are added to it. Spec 9.4. */
import type { FileDiff } from '../../jobs/diff-files.ts';
import type { ObjectName } from '../../jobs/verify-objects.ts';
import { type Checksum, checksumBytes } from '../../objects/checksum.ts';
import type { FileHeader } from '../../objects/file-header.ts';
import { packXattrs, XATTRS, type Xattrs } from '../../objects/xattrs.ts';
import { encodeOperations, type Operation } from '../algorithms/operations.ts';
import { encodePayload, type FileMode } from '../part-payload.ts';

/** An object and what it takes to make it. */
export type PartItem =
  | { readonly kind: 'metadata'; readonly object: ObjectName; readonly bytes: Uint8Array }
  /** A regular file, or a link whose content is its target. */
  | { readonly kind: 'plain'; readonly object: ObjectName; readonly header: FileHeader; readonly content: Uint8Array }
  | {
      readonly kind: 'diff';
      readonly object: ObjectName;
      readonly header: FileHeader;
      readonly size: number;
      readonly source: Checksum;
      readonly diff: Exclude<FileDiff, { way: 'none' }>;
    };

export interface BuiltPart {
  readonly objects: readonly ObjectName[];
  /** Bytes of the objects together; a link has none. */
  readonly uncompressedSize: number;
  /** Not compressed, without its first byte. */
  readonly payload: Uint8Array;
}

/** Bytes of raw data that an item adds, but for a few. */
export function dataSize(item: PartItem): number {
  if (item.kind === 'metadata') return item.bytes.length;
  if (item.kind === 'plain') return item.content.length;
  return item.diff.way === 'bsdiff' ? item.diff.patch.length : item.diff.literals.length;
}

/** Raw data of a part with nothing but empty files: libostree cannot write nothing out of no data at all. */
const SOMETHING = new Uint8Array(1);

export class PartBuilder {
  readonly #objects: ObjectName[] = [];
  readonly #modes = new Map<string, { readonly index: number; readonly value: FileMode }>();
  readonly #xattrs = new Map<string, { readonly index: number; readonly value: Xattrs }>();
  readonly #data: Uint8Array[] = [];
  readonly #operations: Operation[] = [];
  #size = 0;
  #uncompressedSize = 0;

  get isEmpty(): boolean {
    return this.#objects.length === 0;
  }

  /** Bytes of raw data so far. */
  get size(): number {
    return this.#size;
  }

  add(item: PartItem): void {
    this.#objects.push(item.object);
    if (item.kind === 'diff') this.#addDiff(item);
    else if (item.kind === 'plain') this.#addPlain(item);
    else {
      this.#uncompressedSize += item.bytes.length;
      this.#operations.push({ op: 'splice-metadata', length: item.bytes.length, offset: this.#append(item.bytes) });
    }
  }

  build(): BuiltPart {
    return {
      objects: this.#objects,
      uncompressedSize: this.#uncompressedSize,
      payload: encodePayload({
        modes: [...this.#modes.values()].map(({ value }) => value),
        xattrs: [...this.#xattrs.values()].map(({ value }) => value),
        data: this.#size === 0 ? SOMETHING : Buffer.concat(this.#data),
        operations: encodeOperations(this.#operations),
      }),
    };
  }

  #addPlain({ header, content }: Extract<PartItem, { kind: 'plain' }>): void {
    const tables = { mode: this.#modeIndex(header), xattrs: this.#xattrsIndex(header.xattrs) };
    const offset = this.#append(content);
    if (header.target === undefined) this.#uncompressedSize += content.length; // links count nothing, as in the reference
    this.#operations.push({ op: 'splice-content', ...tables, size: content.length, offset });
  }

  #addDiff({ header, size, source, diff }: Extract<PartItem, { kind: 'diff' }>): void {
    const tables = { mode: this.#modeIndex(header), xattrs: this.#xattrsIndex(header.xattrs) };
    this.#uncompressedSize += size;
    this.#operations.push({ op: 'open', ...tables, size });
    const from = this.#append(checksumBytes(source));
    if (diff.way === 'rollsum') this.#addSegments(from, diff);
    else {
      this.#operations.push({ op: 'set-source', offset: from });
      this.#operations.push({ op: 'bspatch', offset: this.#append(diff.patch), length: diff.patch.length });
      this.#operations.push({ op: 'unset-source' });
    }
    this.#operations.push({ op: 'close' });
  }

  #addSegments(from: number, { segments, literals }: Extract<FileDiff, { way: 'rollsum' }>): void {
    let offset = this.#append(literals);
    let copying = false;
    const copy = (wanted: boolean): void => {
      if (wanted !== copying)
        this.#operations.push(wanted ? { op: 'set-source', offset: from } : { op: 'unset-source' });
      copying = wanted;
    };
    for (const segment of segments) {
      const { length } = segment;
      copy(segment.kind === 'copy');
      this.#operations.push({ op: 'write', length, offset: segment.kind === 'copy' ? segment.oldOffset : offset });
      if (segment.kind === 'literal') offset += length;
    }
    copy(false);
  }

  /** Where it starts in the raw data. */
  #append(bytes: Uint8Array): number {
    const offset = this.#size;
    if (bytes.length > 0) this.#data.push(bytes);
    this.#size += bytes.length;
    return offset;
  }

  #modeIndex({ uid, gid, mode }: FileHeader): number {
    return indexIn(this.#modes, `${uid}:${gid}:${mode}`, { uid, gid, mode });
  }

  #xattrsIndex(xattrs: Xattrs): number {
    return indexIn(this.#xattrs, Buffer.from(XATTRS.encode(packXattrs(xattrs))).toString('latin1'), xattrs);
  }
}

function indexIn<T>(table: Map<string, { readonly index: number; readonly value: T }>, key: string, value: T): number {
  const known = table.get(key);
  if (known !== undefined) return known.index;
  table.set(key, { index: table.size, value });
  return table.size - 1;
}
