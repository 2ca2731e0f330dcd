import { malformed } from '../error.ts';
import { align, countElement, deeper, offsetWidth, readOffset, skipPadding, smallestWidth } from '../framing.ts';
import { defineType, type Type } from '../type.ts';
import type { Writer } from '../writer.ts';

/** Any number of values of one type. For `ay` there is also `bytes`. */
export function array<T>(element: Type<T>): Type<readonly T[]> {
  const { codec, alignment, fixedSize } = element;
  const signature = `a${element.signature}`;
  return defineType<readonly T[]>(
    { signature, alignment, fixedSize: undefined, form: { kind: 'array', element } },
    {
      plain: false,
      read(from, start, end, level) {
        const values: T[] = [];
        const inner = deeper(level, signature);
        eachElement(element, from, start, end, (first, last) => {
          countElement(signature);
          values.push(codec.read(from, first, last, inner));
        });
        return values;
      },
      check(from, start, end, level) {
        const inner = deeper(level, signature);
        if (fixedSize !== undefined && codec.plain) assertMultiple(signature, end - start, fixedSize);
        else eachElement(element, from, start, end, (first, last) => codec.check(from, first, last, inner));
      },
      write: fixedSize === undefined ? (to, values) => writeVariable(to, element, values) : writeFixed,
    },
  );

  function writeFixed(to: Writer, values: readonly T[]): void {
    for (const value of values) codec.write(to, value); // a fixed size is a multiple of its alignment: no padding
  }
}

/** Visit where each element lies. @throws GVariantError GVARIANT_MALFORMED when the frame is not in normal form */
export function eachElement(
  element: Type<unknown>,
  from: Buffer,
  start: number,
  end: number,
  visit: (start: number, end: number) => void,
): void {
  const { fixedSize } = element;
  if (fixedSize === undefined) return eachVariable(element, from, start, end, visit);
  assertMultiple(`a${element.signature}`, end - start, fixedSize);
  for (let at = start; at < end; at += fixedSize) visit(at, at + fixedSize);
}

function assertMultiple(signature: string, size: number, fixedSize: number): void {
  if (size % fixedSize !== 0) throw malformed(signature, `a multiple of ${fixedSize} bytes`, size);
}

function eachVariable(
  element: Type<unknown>,
  from: Buffer,
  start: number,
  end: number,
  visit: (start: number, end: number) => void,
): void {
  if (start === end) return;
  const size = end - start;
  const width = offsetWidth(size);
  const wrong = (found: string) => malformed(`a${element.signature}`, 'offsets in normal form', found);
  // The end of the last element is also where the table of offsets begins. The table cannot be empty: this is one.
  const body = readOffset(from, end - width, width);
  const count = (size - body) / width;
  if (count < 1 || !Number.isInteger(count)) throw wrong(`the last one ${body} of ${size}`);
  if (smallestWidth(body, count) !== width) throw wrong(`${width} bytes each`);
  let offset = 0;
  for (let at = start + body; at < end; at += width) {
    const last = readOffset(from, at, width);
    const first = last > body ? -1 : skipPadding(from, start, offset, element.alignment, last);
    if (first < 0) throw wrong(`${last} after ${offset}`);
    visit(start + first, start + last);
    offset = last;
  }
}

function writeVariable<T>(to: Writer, { codec, alignment }: Type<T>, values: readonly T[]): void {
  const start = to.length;
  const ends: number[] = [];
  for (const value of values) {
    align(to, start, alignment);
    codec.write(to, value);
    ends.push(to.length - start);
  }
  const width = smallestWidth(to.length - start, ends.length);
  for (const end of ends) to.offset(end, width);
}
