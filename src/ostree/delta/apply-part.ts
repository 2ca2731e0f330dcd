/**
 * Carry out the operations of a part: objects come out, each checked against its name before it is stored. Every index
 * and range is checked; a part makes exactly the objects that the superblock lists for it, in their order.
 */

import { setImmediate } from 'node:timers/promises';
import { decodeUtf8 } from '../../base/decode.ts';
import { OstreeError } from '../error.ts';
import type { ObjectName } from '../jobs/verify-objects.ts';
import { type Checksum, checksumOf, sha256 } from '../objects/checksum.ts';
import { type FileHeader, octal, S_IFLNK, S_IFMT, S_IFREG } from '../objects/file-header.ts';
import { corrupt, type FileSink, type ObjectWriter } from '../storage/object-writer.ts';
import { bspatch } from './algorithms/bspatch.ts';
import { decodeOperations, type Operation } from './algorithms/operations.ts';
import { decodePart, type PartPayload } from './part-payload.ts';
import { openSource, type SourceFile } from './source-file.ts';
import { type DeltaPart, malformed } from './superblock.ts';

export interface PartInput {
  readonly part: Pick<DeltaPart, 'digest' | 'objects'>;
  /** The part's file, or its inline value. */
  readonly file: Uint8Array;
  /** For messages. */
  readonly what: string;
}

/** @throws OstreeError DELTA_MALFORMED, OBJECT_CORRUPT, OBJECT_MISSING */
export async function applyPart(
  writer: ObjectWriter,
  { part, file, what }: PartInput,
  signal: AbortSignal,
): Promise<void> {
  const found = sha256(file);
  if (found !== part.digest) {
    throw new OstreeError('OBJECT_CORRUPT', `${what}: expected sha256 ${part.digest}, found ${found}`);
  }
  const run = new PartRun(writer, part.objects, await decodePart(file, what), what);
  try {
    await run.execute(signal);
  } finally {
    run.close();
  }
}

/** Copies from a source go through this much at a time. */
const COPY = 256 * 1024;
/** After so long others get a turn: the next part on its way, and the signal, without which nobody could end a long one. */
const BREATH_MS = 100;

class PartRun {
  readonly #writer: ObjectWriter;
  readonly #objects: readonly ObjectName[];
  readonly #payload: PartPayload;
  readonly #what: string;
  #next = 0;
  #source: SourceFile | undefined;
  /** The last source, set or not: patches switch between it and literal bytes, and of an archive it was unpacked. */
  #last: { readonly checksum: Checksum; readonly file: SourceFile } | undefined;
  #open: { readonly sink: FileSink; readonly object: ObjectName; left: number } | undefined;

  constructor(writer: ObjectWriter, objects: readonly ObjectName[], payload: PartPayload, what: string) {
    this.#writer = writer;
    this.#objects = objects;
    this.#payload = payload;
    this.#what = what;
  }

  async execute(signal: AbortSignal): Promise<void> {
    let turn = performance.now();
    const kindOf = (index: number) => {
      const object = this.#objects[index];
      return object === undefined ? undefined : object.type === 'file' ? ('content' as const) : ('metadata' as const);
    };
    for (const operation of decodeOperations(this.#payload.operations, kindOf)) {
      const waiting = this.#run(operation);
      if (waiting !== undefined) await waiting;
      if (performance.now() - turn < BREATH_MS) continue;
      await setImmediate();
      signal.throwIfAborted();
      turn = performance.now();
    }
    if (this.#open !== undefined) throw this.#malformed('an object is not closed');
    if (this.#next !== this.#objects.length) {
      throw this.#malformed(`expected ${this.#objects.length} objects, found ${this.#next}`);
    }
  }

  close(): void {
    this.#last?.file.close();
    this.#last = undefined;
    this.#source = undefined;
    this.#open?.sink.abort();
    this.#open = undefined;
  }

  /** A promise only for what waits: opening a source. */
  #run(operation: Operation): void | Promise<void> {
    switch (operation.op) {
      case 'splice-metadata':
        return this.#spliceMetadata(this.#range(operation.offset, operation.length));
      case 'splice-content':
        return this.#spliceContent(operation);
      case 'open':
        return this.#openObject(operation);
      case 'write':
        return this.#write(operation.offset, operation.length);
      case 'set-source':
        return this.#setSource(operation.offset);
      case 'unset-source':
        return this.#unsetSource();
      case 'bspatch':
        return this.#patch(this.#range(operation.offset, operation.length));
      case 'close':
        return this.#closeObject();
    }
  }

  #spliceMetadata(bytes: Uint8Array): void {
    const { type, checksum } = this.#nextObject();
    if (type === 'file') throw this.#malformed('metadata for a file');
    const found = sha256(bytes);
    if (found !== checksum) throw corrupt(type, checksum, found);
    this.#writer.putNamedMetadata(type, checksum, bytes);
  }

  #spliceContent(operation: Extract<Operation, { op: 'splice-content' }>): void {
    const { checksum } = this.#nextObject();
    const content = this.#range(operation.offset, operation.size);
    const header = this.#header(operation.mode, operation.xattrs, content);
    const stored = this.#writer.putFile(header, header.target === undefined ? content : new Uint8Array());
    if (stored.checksum !== checksum) throw corrupt('file', checksum, stored.checksum);
  }

  #openObject(operation: Extract<Operation, { op: 'open' }>): void {
    const object = this.#nextObject();
    if (object.type !== 'file') throw this.#malformed(`a ${object.type} is opened as a file`);
    const header = this.#header(operation.mode, operation.xattrs, undefined);
    this.#open = { sink: this.#writer.beginFile(header, operation.size), object, left: operation.size };
  }

  #write(offset: number, length: number): void {
    if (this.#source === undefined) return this.#emit(this.#range(offset, length));
    const { size } = this.#source;
    if (offset + length > size) throw this.#malformed(`bytes ${offset} to ${offset + length} of a source of ${size}`);
    const room = Buffer.allocUnsafe(Math.min(COPY, length));
    for (let done = 0; done < length; ) {
      const count = this.#source.read(offset + done, room.subarray(0, Math.min(room.length, length - done)));
      if (count === 0) throw this.#malformed('a source became shorter');
      this.#emit(room.subarray(0, count));
      done += count;
    }
  }

  async #setSource(offset: number): Promise<void> {
    const checksum = checksumOf(this.#range(offset, 32), this.#what);
    if (this.#last?.checksum !== checksum) {
      this.#last?.file.close();
      this.#last = undefined;
      this.#last = { checksum, file: await openSource(this.#writer.reader, checksum) };
    }
    this.#source = this.#last.file;
  }

  #unsetSource(): void {
    this.#source = undefined;
  }

  #patch(patch: Uint8Array): void {
    const [open, source] = [this.#open, this.#source];
    if (open === undefined || source === undefined) throw this.#malformed('a patch without object or source');
    bspatch(source, patch, open.left, (chunk) => this.#emit(chunk));
  }

  #closeObject(): void {
    const open = this.#open;
    if (open === undefined) throw this.#malformed('no object to close');
    if (open.left !== 0) throw this.#malformed(`${open.left} bytes of file ${open.object.checksum} are missing`);
    open.sink.finish(open.object.checksum);
    this.#open = undefined;
    this.#unsetSource();
  }

  #emit(chunk: Uint8Array): void {
    const open = this.#open;
    if (open === undefined) throw this.#malformed('bytes for no object');
    if (chunk.length === 0) return; // millions of nothings would pile up in a sink that gathers
    if (chunk.length > open.left) throw this.#malformed(`file ${open.object.checksum} has more bytes than announced`);
    open.left -= chunk.length;
    open.sink.write(chunk);
  }

  #nextObject(): ObjectName {
    if (this.#open !== undefined) throw this.#malformed('an object is opened while another is open');
    const object = this.#objects[this.#next++];
    if (object === undefined) throw this.#malformed(`more than the ${this.#objects.length} objects listed`);
    return object;
  }

  /** @param content of a link: its target */
  #header(modeIndex: number, xattrsIndex: number, content: Uint8Array | undefined): FileHeader {
    const mode = this.#payload.modes[modeIndex];
    const xattrs = this.#payload.xattrs[xattrsIndex];
    if (mode === undefined || xattrs === undefined) throw this.#malformed('a mode or attributes that are not listed');
    const type = mode.mode & S_IFMT;
    if ((type !== S_IFREG && type !== S_IFLNK) || (mode.mode & ~(S_IFMT | 0o7777)) !== 0) {
      throw this.#malformed(`mode ${octal(mode.mode)}`);
    }
    if (type === S_IFREG) return { ...mode, target: undefined, xattrs };
    const target = content === undefined ? undefined : decodeUtf8(content);
    if (target === undefined) throw this.#malformed('a symbolic link without a target in UTF-8');
    return { ...mode, target, xattrs };
  }

  #range(offset: number, length: number): Uint8Array {
    const { data } = this.#payload;
    if (offset + length > data.length) {
      throw this.#malformed(`bytes ${offset} to ${offset + length} of ${data.length}`);
    }
    return data.subarray(offset, offset + length);
  }

  #malformed(text: string): OstreeError {
    return malformed(this.#what, text);
  }
}
