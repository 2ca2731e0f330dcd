/** Sparse files made by hand, in every form. */
import { blocks, END, GNU, header, pax } from './archive.fixture.ts';

export const DATA = `${'a'.repeat(512)}${'b'.repeat(100)}`;
export const SIZE = 5000;
export const LOGICAL = Buffer.alloc(SIZE);
LOGICAL.write('a'.repeat(512), 1024);
LOGICAL.write('b'.repeat(100), 4096);
export const PARTS = [
  { offset: 1024, length: 512 },
  { offset: 4096, length: 100 },
];

type Pair = readonly [offset: number | string, length: number | string];
const field = (value: number | string): string =>
  typeof value === 'string' ? value : `${value.toString(8).padStart(11, '0')}\0`;
const pairs = (list: readonly Pair[]): string => list.flat().map(field).join('');

/** A GNU sparse file: pairs in the header and in extension blocks. */
export function gnu(list: readonly Pair[], data = DATA, size = SIZE, stored = data.length): Buffer {
  const rest = Buffer.alloc(167);
  rest.write(pairs(list.slice(0, 4)), 386 - 345, 'latin1');
  rest[482 - 345] = list.length > 4 ? 1 : 0;
  rest.write(field(size), 483 - 345, 'latin1');
  const extensions: Buffer[] = [];
  for (let at = 4; at < list.length; at += 21) {
    const block = Buffer.alloc(512);
    block.write(pairs(list.slice(at, at + 21)), 'latin1');
    block[504] = list.length > at + 21 ? 1 : 0;
    extensions.push(block);
  }
  return Buffer.concat([header({ type: 'S', magic: GNU, size: stored, rest }), ...extensions, blocks(data), END]);
}

type Records = readonly (readonly [string, string])[];
export const form = (records: Records, data = DATA): Buffer =>
  Buffer.concat([
    pax(records.map(([key, value]) => [`GNU.sparse.${key}`, value])),
    header({ name: 'GNUSparseFile.1/file', size: data.length }),
    blocks(data),
    END,
  ]);
export const form00 = (numbers: Records, more: Records = [['numblocks', '2']]): Buffer =>
  form([['size', String(SIZE)], ...more, ...numbers]);
export const form01 = (map: string, more: Records = [['numblocks', '2']]): Buffer =>
  form([['name', 'file'], ['size', String(SIZE)], ...more, ['map', map]]);
export const form10 = (map: string, data = DATA, size = SIZE): Buffer =>
  form(
    [
      ['major', '1'],
      ['minor', '0'],
      ['name', 'file'],
      ['realsize', String(size)],
    ],
    Buffer.concat([blocks(map), Buffer.from(data)]).toString('latin1'),
  );
