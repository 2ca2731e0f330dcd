import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lookup, openVariant, string, uint32, uint64be, type Vardict, vardict, variantOf, withEntry } from './index.ts';

const dict: Vardict = [
  ['z', variantOf(string, 'last letter first')],
  ['a', variantOf(uint32, 1)],
  ['a', variantOf(uint32, 2)],
];
const names = (of: Vardict): readonly string[] => of.map(([name]) => name);

describe('a dictionary of metadata', () => {
  it('keeps its order, and names that occur twice', () => {
    assert.deepEqual(names(vardict.decode(vardict.encode(dict))), ['z', 'a', 'a']);
  });

  it('gives the first entry of a name', () => assert.equal(lookup(dict, 'a', uint32), 1));

  it('gives nothing for a name that it lacks, and for another type', () => {
    assert.equal(lookup(dict, 'b', uint32), undefined);
    assert.equal(lookup(dict, 'z', uint32), undefined);
    assert.equal(lookup([], 'z', string), undefined);
  });

  it('gets a new entry at its end', () => {
    const more = withEntry(dict, 'b', variantOf(string, 'new'));
    assert.deepEqual([names(more), lookup(more, 'b', string)], [['z', 'a', 'a', 'b'], 'new']);
    assert.equal(dict.length, 3);
  });

  it('gets a new value where the old one was', () => {
    const other = withEntry(dict, 'z', variantOf(uint32, 7));
    assert.deepEqual([names(other), lookup(other, 'z', uint32)], [['z', 'a', 'a'], 7]);
    assert.equal(lookup(dict, 'z', string), 'last letter first');
  });
});

describe('a variant', () => {
  it('can be read with the bytes swapped, which the type string does not tell', () => {
    const held = variantOf(uint64be, 1n);
    assert.deepEqual([held.signature, Buffer.from(held.bytes).toString('hex')], ['t', '0000000000000001']);
    assert.equal(openVariant(held, uint64be), 1n);
  });

  it('holds a view of the bytes that it was decoded from', () => {
    const encoded = vardict.encode(dict);
    assert.equal(vardict.decode(encoded)[0]?.[1].bytes.buffer, encoded.buffer);
  });
});
