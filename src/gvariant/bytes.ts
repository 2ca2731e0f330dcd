import { byte } from './number.ts';
import { defineType, type Type } from './type.ts';

/** `ay` as bytes, not as a list of numbers. Decoding gives a view of the input, not a copy. */
export const bytes: Type<Uint8Array> = defineType<Uint8Array>(
  { signature: 'ay', alignment: 1, fixedSize: undefined, form: { kind: 'array', element: byte } },
  {
    plain: true,
    read: (from, start, end) => from.subarray(start, end),
    check() {
      // any bytes are bytes
    },
    write: (to, value) => to.bytes(value),
  },
);
