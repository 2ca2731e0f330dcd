import { malformed, unfit } from '../error.ts';
import { align, deeper, gap, isZero, offsetWidth, readOffset, skipPadding, smallestWidth } from '../framing.ts';
import { type Alignment, defineType, type Form, type Type } from '../type.ts';
import type { Writer } from '../writer.ts';

type Members<T extends readonly unknown[]> = { [K in keyof T]: Type<T[K]> };

/** Values of different types in a row, as a tuple. */
export function tuple<const T extends readonly unknown[]>(...members: Members<T>): Type<T> {
  return frame(`(${members.map((m) => m.signature).join('')})`, members, { kind: 'tuple', members });
}

/** `{KV}`: like a tuple of two, in another dress. The key is of a basic type. */
export function dictEntry<K, V>(key: Type<K>, value: Type<V>): Type<readonly [K, V]> {
  if (key.form.kind !== 'basic')
    throw new TypeError(`the key of a dict entry is of a basic type, not ${key.signature}`);
  const form: Form = { kind: 'entry', members: [key, value] };
  return frame<readonly [K, V]>(`{${key.signature}${value.signature}}`, [key, value], form);
}

function frame<T extends readonly unknown[]>(signature: string, types: Members<T>, form: Form): Type<T> {
  const members: readonly Type<unknown>[] = types;
  const layout = layOut(signature, members);
  return defineType<T>(
    { signature, alignment: layout.alignment, fixedSize: layout.fixedSize, form },
    {
      plain: false,
      read(from, start, end, level) {
        const values: unknown[] = [];
        const inner = deeper(level, signature);
        eachMember(layout, from, start, end, (member, first, last) =>
          values.push(member.codec.read(from, first, last, inner)),
        );
        return values as unknown as T; // each was read by the type in its place
      },
      check(from, start, end, level) {
        const inner = deeper(level, signature);
        eachMember(layout, from, start, end, (member, first, last) => member.codec.check(from, first, last, inner));
      },
      write(to, values) {
        if (values.length !== members.length) throw unfit(signature, `${members.length} values`, `${values.length}`);
        writeMembers(to, layout, values);
      },
    },
  );
}

export interface Layout {
  readonly signature: string;
  readonly members: readonly Type<unknown>[];
  readonly alignment: Alignment;
  readonly fixedSize: number | undefined;
}

/** Sizes of a tuple: fixed when all members are. The empty tuple takes one NUL, so that arrays of it can be counted. */
export function layOut(signature: string, members: readonly Type<unknown>[]): Layout {
  let alignment: Alignment = 1;
  let size: number | undefined = 0;
  for (const member of members) {
    if (member.alignment > alignment) alignment = member.alignment;
    size =
      size === undefined || member.fixedSize === undefined
        ? undefined
        : size + gap(size, member.alignment) + member.fixedSize;
  }
  const fixedSize = size === undefined ? undefined : Math.max(1, size + gap(size, alignment));
  return { signature, members, alignment, fixedSize };
}

/**
 * Visit where each member lies. No bytes at all are no tuple with two members of variable size: GLib lets them pass as
 * two empty ones, but never writes them, and two forms of one value would have two checksums.
 * @throws GVariantError GVARIANT_MALFORMED when the frame is not in normal form
 */
export function eachMember(
  layout: Layout,
  from: Buffer,
  start: number,
  end: number,
  visit: (member: Type<unknown>, start: number, end: number) => void,
): void {
  const { members, signature } = layout;
  const size = end - start;
  const width = offsetWidth(size);
  let table = size; // where the offsets begin: the table is written from its end, so this moves towards the body
  let offset = 0;
  for (const [i, member] of members.entries()) {
    const first = skipPadding(from, start, offset, member.alignment, table);
    if (first < 0) throw malformed(signature, `padding before member ${i}`, 'something else');
    let last = table; // of the last member, which needs no offset
    if (member.fixedSize !== undefined) last = first + member.fixedSize;
    else if (i < members.length - 1) {
      table -= width;
      last = table < first ? -1 : readOffset(from, start + table, width);
    }
    if (last < first || last > table) throw malformed(signature, `member ${i} between ${first} and ${table}`, last);
    visit(member, start + first, start + last);
    offset = last;
  }
  if (layout.fixedSize === undefined) assertTable(signature, size, offset, table);
  else if (!isZero(from, start + offset, end)) throw malformed(signature, 'padding at the end', 'something else');
}

/** The offsets begin where the body ends, and are as short as can be. */
function assertTable(signature: string, size: number, body: number, table: number): void {
  const width = offsetWidth(size);
  if (body !== table) throw malformed(signature, `offsets at ${body}`, table);
  const count = (size - table) / width;
  if (count > 0 && smallestWidth(body, count) !== width) throw malformed(signature, 'shorter offsets', width);
}

function writeMembers(to: Writer, { members, fixedSize }: Layout, values: readonly unknown[]): void {
  const start = to.length;
  const ends: number[] = [];
  for (const [i, member] of members.entries()) {
    align(to, start, member.alignment);
    member.codec.write(to, values[i]);
    if (member.fixedSize === undefined && i < members.length - 1) ends.push(to.length - start);
  }
  if (fixedSize !== undefined) return to.zeros(fixedSize - (to.length - start));
  const width = smallestWidth(to.length - start, ends.length);
  for (const end of ends.reverse()) to.offset(end, width);
}
