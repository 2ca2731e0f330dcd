import { ByteBuilder } from './byte-builder.ts';
import { malformed } from './malformed.ts';
import { appendVarint, readVarint } from './varint.ts';

/**
 * One step of the program that a part of a static delta is. Sizes, offsets and lengths in bytes; `offset` and `length`
 * name a range of the raw data of the part, except in a `write` while a source is set: then a range of that source.
 * `mode` and `xattrs` are indexes into the tables of the part.
 */
export type Operation =
  /** The next object, which is metadata: opened, written, closed. */
  | { readonly op: 'splice-metadata'; readonly length: number; readonly offset: number }
  /** The next object, which is a file or a symlink: opened, written, closed. */
  | {
      readonly op: 'splice-content';
      readonly mode: number;
      readonly xattrs: number;
      readonly size: number;
      readonly offset: number;
    }
  /** The next object, which is a regular file: opened. */
  | { readonly op: 'open'; readonly mode: number; readonly xattrs: number; readonly size: number }
  | { readonly op: 'write'; readonly length: number; readonly offset: number }
  /** The source is the existing file object whose binary checksum lies at `offset`. */
  | { readonly op: 'set-source'; readonly offset: number }
  | { readonly op: 'unset-source' }
  | { readonly op: 'bspatch'; readonly offset: number; readonly length: number }
  | { readonly op: 'close' };

export type ObjectKind = 'metadata' | 'content';

const OPCODES = {
  'splice-metadata': 'S',
  'splice-content': 'S',
  open: 'o',
  write: 'w',
  'set-source': 'r',
  'unset-source': 'R',
  bspatch: 'B',
  close: 'c',
} as const satisfies Record<Operation['op'], string>;

/**
 * Decode the operations of a part, one at a time, in the order in which they are to be carried out.
 *
 * Shape: an opcode byte, then its arguments as numbers of seven bits a byte. The n-th object opened, by `S` or `o`, is
 * the n-th of the part's list; `typeOf` tells its kind, on which the arguments of `S` depend (undefined: no such object).
 * Only the encoding is checked. That ranges lie within the data and that writes happen between open and close is for the
 * one who carries the operations out.
 * Source: ostree-repo-static-delta-processing.c.
 * @throws CodedError DELTA_MALFORMED, on reaching the bytes that are wrong
 */
export function* decodeOperations(
  bytes: Uint8Array,
  typeOf: (objectIndex: number) => ObjectKind | undefined,
): Generator<Operation, void> {
  const args = new Arguments(bytes);
  let object = 0;
  while (args.at < bytes.length) {
    const operation = decodeOperation(args, () => typeOf(object));
    if (operation.op === 'open' || operation.op.startsWith('splice')) object++;
    yield operation;
  }
}

/** A position that moves over the stream. */
class Arguments {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  opcode(): string {
    return String.fromCharCode(this.#bytes[this.at++] ?? 0);
  }

  next(): number {
    const { value, next } = readVarint(this.#bytes, this.at);
    this.at = next;
    return value;
  }
}

function decodeOperation(args: Arguments, kind: () => ObjectKind | undefined): Operation {
  const start = args.at;
  // the members of an object literal are evaluated in the order written, which is the order in the stream
  switch (args.opcode()) {
    case 'S':
      return decodeSplice(args, kind(), start);
    case 'o':
      return { op: 'open', mode: args.next(), xattrs: args.next(), size: args.next() };
    case 'w':
      return { op: 'write', length: args.next(), offset: args.next() };
    case 'r':
      return { op: 'set-source', offset: args.next() };
    case 'R':
      return { op: 'unset-source' };
    case 'B':
      return { op: 'bspatch', offset: args.next(), length: args.next() };
    case 'c':
      return { op: 'close' };
    default:
      throw malformed(`operation at ${start}: unknown opcode`);
  }
}

function decodeSplice(args: Arguments, kind: ObjectKind | undefined, start: number): Operation {
  if (kind === undefined) throw malformed(`operation at ${start}: more objects than the part lists`);
  return kind === 'metadata'
    ? { op: 'splice-metadata', length: args.next(), offset: args.next() }
    : { op: 'splice-content', mode: args.next(), xattrs: args.next(), size: args.next(), offset: args.next() };
}

/** Encode operations: `decodeOperations` gives them back when its `typeOf` fits the splices. */
export function encodeOperations(operations: Iterable<Operation>): Uint8Array {
  const out = new ByteBuilder();
  for (const operation of operations) {
    out.push(OPCODES[operation.op].charCodeAt(0));
    for (const argument of argumentsOf(operation)) appendVarint(out, argument);
  }
  return out.toBytes();
}

function argumentsOf(operation: Operation): readonly number[] {
  switch (operation.op) {
    case 'splice-metadata':
    case 'write':
      return [operation.length, operation.offset];
    case 'splice-content':
      return [operation.mode, operation.xattrs, operation.size, operation.offset];
    case 'open':
      return [operation.mode, operation.xattrs, operation.size];
    case 'set-source':
      return [operation.offset];
    case 'bspatch':
      return [operation.offset, operation.length];
    case 'unset-source':
    case 'close':
      return [];
  }
}
