import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { packLayers } from './chunks.ts';
import { ALWAYS_CHANGING } from './components.ts';
import { componentsOfContentMeta, parseContentMeta } from './content-meta.ts';

const [A, B, C] = ['a'.repeat(64), 'b'.repeat(64), 'c'.repeat(64)] as const;
const FILE = {
  version: 1,
  created: '2026-01-05T10:00:00+01:00',
  labels: { k: 'v' },
  layers: { first: 'the first', unpackaged: 'the rest' },
  mapping: { [A]: 'first', [B]: 'first', [C]: 'unpackaged' },
};
const parse = (value: unknown) => parseContentMeta(Buffer.from(JSON.stringify(value)), 'meta.json');
const SIZES = new Map([
  [A, 1],
  [B, 2],
  [C, 4],
]);

describe('the file of --contentmeta', () => {
  it('says which object is in which layer, and how the layers are called', () => {
    const meta = parse(FILE);
    assert.equal(meta.created, FILE.created);
    assert.deepEqual([...meta.labels], [['k', 'v']]);
    assert.deepEqual([...meta.layers], Object.entries(FILE.layers));
    assert.deepEqual([...meta.mapping], Object.entries(FILE.mapping));
  });

  it('may leave out what an image can do without, or have null there', () => {
    const { created, labels } = parse({ version: 1, layers: {}, mapping: {}, created: null, ordered: null });
    assert.deepEqual([created, labels.size], [undefined, 0]);
    assert.equal(parse({ ...FILE, ordered: false }).layers.size, 2);
  });

  it('makes each layer a component of its size, of which "unpackaged" changes with every build', () => {
    const { components, objects } = componentsOfContentMeta(parse(FILE), SIZES, 'meta.json');
    assert.deepEqual(
      components.map(({ identifier, name, size, changeFrequency }) => [identifier, name, size, changeFrequency]),
      [
        ['first', 'the first', 3, 0],
        ['unpackaged', 'the rest', 4, ALWAYS_CHANGING],
      ],
    );
    assert.deepEqual(
      packLayers({ components, objects }).map((layer) => [layer.components, layer.objects]),
      [
        ['the first', [A, B]],
        ['the rest', [C]],
        ['', []],
      ],
    );
  });

  it('makes no component of a layer without objects', () => {
    const file = { ...FILE, layers: { ...FILE.layers, unused: 'nothing' } };
    const { components } = componentsOfContentMeta(parse(file), SIZES, 'meta.json');
    assert.deepEqual(
      components.map(({ identifier }) => identifier),
      ['first', 'unpackaged'],
    );
  });

  it('keeps names that mean something in JavaScript', () => {
    const text = `{"version":1,"layers":{"__proto__":"p","constructor":"c"},"mapping":{"${A}":"__proto__","${B}":"constructor"}}`;
    const meta = parseContentMeta(Buffer.from(text), 'meta.json');
    assert.deepEqual(
      [...meta.layers],
      [
        ['__proto__', 'p'],
        ['constructor', 'c'],
      ],
    );
    assert.equal(meta.mapping.get(A), '__proto__');
  });

  for (const [flaw, value] of [
    ['an order by hand', { ...FILE, ordered: true }],
    ['another version', { ...FILE, version: 2 }],
    ['a version as text', { ...FILE, version: '1' }],
    ['a field nobody knows', { ...FILE, extra: 1 }],
    ['no layers', { version: 1, mapping: {} }],
    ['a list of layers', { ...FILE, layers: ['first'] }],
    ['a number as name', { ...FILE, layers: { ...FILE.layers, first: 1 } }],
    ['two layers of one name', { ...FILE, layers: { first: 'x', unpackaged: 'x' } }],
    ['a name with a comma', { ...FILE, layers: { ...FILE.layers, first: 'a,b' } }],
    ['an empty name', { ...FILE, layers: { ...FILE.layers, first: '' } }],
    ['an object in no layer of the list', { ...FILE, mapping: { ...FILE.mapping, [A]: 'other' } }],
    ['an object that is no checksum', { ...FILE, mapping: { ...FILE.mapping, [A.toUpperCase()]: 'first' } }],
    ['a time in words', { ...FILE, created: 'yesterday' }],
    ['a month that is not', { ...FILE, created: '2026-13-01T00:00:00Z' }],
    ['a list at the top', [FILE]],
    ['nothing', null],
  ] as const) {
    it(`is refused with ${flaw}`, () => assert.throws(() => parse(value), { code: 'CONTENT_META' }));
  }

  for (const [what, bytes] of [
    ['no JSON', Buffer.from('{')],
    ['no UTF-8', Buffer.from([0xff, 0xfe])],
    ['empty', Buffer.alloc(0)],
    ['very deep', Buffer.from('['.repeat(1_000_000))],
  ] as const) {
    it(`is refused when it is ${what}`, () => {
      assert.throws(() => parseContentMeta(bytes, 'meta.json'), { code: 'CONTENT_META' });
    });
  }

  it('is not even read when it is huge', () => {
    assert.throws(() => parseContentMeta(new Uint8Array(128 * 2 ** 20 + 1), 'm'), { code: 'TOO_LARGE' });
  });

  it('fits one commit only: all its objects and no other', () => {
    for (const sizes of [new Map([...SIZES, ['d'.repeat(64), 1]]), new Map([...SIZES].slice(1))]) {
      assert.throws(() => componentsOfContentMeta(parse(FILE), sizes, 'm'), { code: 'CONTENT_META' });
    }
  });
});
