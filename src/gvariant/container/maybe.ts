import { malformed } from '../error.ts';
import { deeper } from '../framing.ts';
import { defineType, type Type } from '../type.ts';

/** A value in a box of its own, so that "just nothing" differs from "nothing". */
export interface Just<T> {
  readonly just: T;
}

/** One value or none. */
export function maybe<T>(element: Type<T>): Type<Just<T> | undefined> {
  const { codec, alignment, fixedSize } = element;
  const signature = `m${element.signature}`;
  return defineType<Just<T> | undefined>(
    { signature, alignment, fixedSize: undefined, form: { kind: 'maybe', element } },
    {
      plain: false,
      read(from, start, end, level) {
        const last = justEnd(element, from, start, end);
        return last === undefined ? undefined : { just: codec.read(from, start, last, deeper(level, signature)) };
      },
      check(from, start, end, level) {
        const last = justEnd(element, from, start, end);
        if (last !== undefined) codec.check(from, start, last, deeper(level, signature));
      },
      write(to, value) {
        if (value === undefined) return;
        codec.write(to, value.just);
        if (fixedSize === undefined) to.zeros(1);
      },
    },
  );
}

/** Where the value ends, undefined for nothing. A NUL after a value of variable size tells an empty one from nothing. */
export function justEnd(element: Type<unknown>, from: Buffer, start: number, end: number): number | undefined {
  if (start === end) return undefined;
  const { fixedSize, signature } = element;
  if (fixedSize === undefined) {
    if (from[end - 1] !== 0) throw malformed(`m${signature}`, 'a NUL at the end', 'none');
    return end - 1;
  }
  if (end - start !== fixedSize) throw malformed(`m${signature}`, `0 or ${fixedSize} bytes`, end - start);
  return end;
}
