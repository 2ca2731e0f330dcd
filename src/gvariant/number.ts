/** Numbers and booleans: types of fixed size, aligned to it. */
import { malformed, unfit } from './error.ts';
import { defineType, type Type } from './type.ts';

type Size = 1 | 2 | 4 | 8;

function number<T>(
  signature: string,
  size: Size,
  read: (from: Buffer, at: number) => T,
  write: (to: Buffer, value: T, at: number) => void,
): Type<T> {
  return defineType<T>(
    { signature, alignment: size, fixedSize: size, form: { kind: 'basic' } },
    {
      plain: true,
      read,
      check() {
        // any bytes are a number
      },
      write(to, value) {
        const buffer = to.room(size);
        try {
          write(buffer, value, to.length);
        } catch (error) {
          if (error instanceof RangeError || error instanceof TypeError)
            throw unfit(signature, `a number of ${size} bytes`, String(value));
          throw error;
        }
        to.length += size;
      },
    },
  );
}

/** Node cuts fractions off where it writes integers; here they are errors. */
function integer(value: number): number {
  if (!Number.isInteger(value)) throw new RangeError('not an integer');
  return value;
}

export const byte: Type<number> = number(
  'y',
  1,
  (from, at) => from.readUInt8(at),
  (to, value, at) => to.writeUInt8(integer(value), at),
);
export const int16: Type<number> = number(
  'n',
  2,
  (from, at) => from.readInt16LE(at),
  (to, value, at) => to.writeInt16LE(integer(value), at),
);
export const uint16: Type<number> = number(
  'q',
  2,
  (from, at) => from.readUInt16LE(at),
  (to, value, at) => to.writeUInt16LE(integer(value), at),
);
export const int32: Type<number> = number(
  'i',
  4,
  (from, at) => from.readInt32LE(at),
  (to, value, at) => to.writeInt32LE(integer(value), at),
);
export const uint32: Type<number> = number(
  'u',
  4,
  (from, at) => from.readUInt32LE(at),
  (to, value, at) => to.writeUInt32LE(integer(value), at),
);
/** An index into an array of file descriptors that travels beside the message. */
export const handle: Type<number> = number(
  'h',
  4,
  (from, at) => from.readInt32LE(at),
  (to, value, at) => to.writeInt32LE(integer(value), at),
);
export const int64: Type<bigint> = number(
  'x',
  8,
  (from, at) => from.readBigInt64LE(at),
  (to, value, at) => to.writeBigInt64LE(value, at),
);
export const uint64: Type<bigint> = number(
  't',
  8,
  (from, at) => from.readBigUInt64LE(at),
  (to, value, at) => to.writeBigUInt64LE(value, at),
);
/** The bits of a NaN may change on the way through a JavaScript number. */
export const double: Type<number> = number(
  'd',
  8,
  (from, at) => from.readDoubleLE(at),
  (to, value, at) => to.writeDoubleLE(value, at),
);

/** `u` with its bytes swapped: OSTree stores most integers big-endian on every machine. */
export const uint32be: Type<number> = number(
  'u',
  4,
  (from, at) => from.readUInt32BE(at),
  (to, value, at) => to.writeUInt32BE(integer(value), at),
);
/** `t` with its bytes swapped. */
export const uint64be: Type<bigint> = number(
  't',
  8,
  (from, at) => from.readBigUInt64BE(at),
  (to, value, at) => to.writeBigUInt64BE(value, at),
);

export const boolean: Type<boolean> = defineType<boolean>(
  { signature: 'b', alignment: 1, fixedSize: 1, form: { kind: 'basic' } },
  { plain: false, read: readBoolean, check: readBoolean, write: (to, value) => to.offset(value ? 1 : 0, 1) },
);

function readBoolean(from: Buffer, at: number): boolean {
  const found = from.readUInt8(at);
  if (found > 1) throw malformed('b', '0 or 1', found);
  return found === 1;
}
