import { malformed, unfit } from '../error.ts';
import { align, deeper, gap, offsetWidth, readOffset, skipPadding, smallestWidth } from '../framing.ts';
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
  const lastMember = members.length - 1;
  let table = size; // where the offsets begin: the table is written from its end, so this moves towards the body
  let offset = 0;
  for (let i = 0; i <= lastMember; i++) {
    const member = members[i];
    if (member === undefined) continue;
    let memberEnd: number | undefined;
    const first = skipPadding(from, start, offset, member.alignment, table);
    if (first < 0) throw malformed(signature, `padding before member ${i}`, 'something else');
    if (member.fixedSize !== undefined) memberEnd = first + member.fixedSize;
    else if (i < lastMember) {
      table -= width;
      if (table >= first) memberEnd = readOffset(from, start + table, width);
    } else memberEnd = table;
    if (memberEnd === undefined || memberEnd < first || memberEnd > table)
      throw malformed(signature, `the end of member ${i} from ${first} to ${table}`, memberEnd ?? 'none');
    visit(member, start + first, start + memberEnd);
    offset = memberEnd;
  }
  assertEnd(layout, from, start, size, offset, table, width);
}

/** The body ends where the offsets begin, but for padding in tuples of fixed size, which have none. */
function assertEnd(
  { signature, fixedSize }: Layout,
  from: Buffer,
  start: number,
  size: number,
  offset: number,
  table: number,
  width: number,
): void {
  if (fixedSize === undefined) {
    if (offset !== table) throw malformed(signature, `offsets at ${offset}`, table);
    const count = (size - table) / width;
    if (count > 0 && smallestWidth(offset, count) !== width) throw malformed(signature, 'shorter offsets', width);
  }
  for (let i = offset; i < table; i++) {
    if (from[start + i] !== 0) throw malformed(signature, 'padding at the end', 'something else');
  }
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
