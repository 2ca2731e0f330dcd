import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CodedError } from '../../base/error.ts';
import { MutableTree } from '../../ostree/index.ts';
import { applyLayer } from '../apply/apply-layer.ts';
import {
  directory,
  file,
  hardlink,
  layerOf,
  listing,
  type Made,
  PLAIN,
  refused,
  repositoryFor,
  streamOf,
  symlink,
  tarOf,
  transact,
} from '../layers.fixture.ts';
import { ostreePaths, type PathRule, SAME_PATHS } from '../path-rule.ts';
import { importLayer } from './import-layer.ts';

describe('a hostile layer', () => {
  it('cannot leave the tree', (t) => refused(t, [file('a/../../x')], 'TAR_PATH'));
  it('has a limit of entries', (t) => refused(t, [file('a'), file('b')], 'TAR_LIMIT', { limits: { entries: 1 } }));
  it('has a limit of depth', (t) => refused(t, [file('a/b/c')], 'LAYER_LIMIT', { limits: { depth: 2 } }));
  it('cannot go deeper through links than paths may', (t) => {
    const deep = (n: number) => 'd/'.repeat(n);
    const entries = [symlink('a', deep(40)), symlink('a/b', deep(40)), file('a/b/c')];
    return refused(t, entries, 'LAYER_LIMIT', { limits: { depth: 60 } });
  });
  it('cannot go round in links that grow', (t) =>
    refused(
      t,
      [symlink('a', `b/${'x/'.repeat(1000)}`), symlink('b', `a/${'y/'.repeat(1000)}`), file('a/c')],
      'LAYER_LINK',
    ));
  it('has a limit of bytes', (t) => refused(t, [file('a')], 'LAYER_LIMIT', { limits: { bytes: 1000 } }));
  it('has a limit of names', (t) => refused(t, [file('a'.repeat(80))], 'LAYER_LIMIT', { limits: { metadata: 70 } }));
  it('cannot promise more zeros than it may have bytes', async (t) => {
    const holes = await sparse(2 ** 45);
    await transact(repositoryFor(t), (transaction) =>
      assert.rejects(importLayer(transaction, streamOf(holes), PLAIN), { code: 'LAYER_LIMIT' }),
    );
  });
  it('with a name that is not UTF-8 is refused', async (t) => {
    const bytes = await tarOf([file('abc')]);
    bytes[0] = 0xff;
    let sum = 0;
    bytes.fill(0x20, 148, 156);
    for (const byte of bytes.subarray(0, 512)) sum += byte;
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    await transact(repositoryFor(t), (transaction) =>
      assert.rejects(importLayer(transaction, streamOf(bytes), PLAIN), { code: 'TAR_NAME' }),
    );
  });
  it('that ends early is refused', async (t) => {
    const bytes = await tarOf([file('a'), file('b', 'x'.repeat(2000))]);
    await transact(repositoryFor(t), (transaction) =>
      assert.rejects(importLayer(transaction, streamOf(bytes.subarray(0, 2100)), PLAIN), { code: 'TAR_TRUNCATED' }),
    );
  });
  it('gives a tree without reserved names, or a coded error, whatever its names and links are', (t) =>
    transact(repositoryFor(t), async (transaction) => {
      const { reader } = transaction.writer;
      let good = 0;
      const holds = async (layers: readonly (readonly Made[])[], paths: PathRule): Promise<void> => {
        const tree = MutableTree.empty();
        try {
          for (const entries of layers) {
            const layer = await layerOf(transaction, entries, { lower: tree, specials: 'skip', paths });
            applyLayer(tree, layer, { reader, paths });
          }
        } catch (error) {
          if (error instanceof CodedError) return;
          throw error;
        }
        good++;
        tree.write(transaction.writer);
        const reserved = Object.keys(listing(transaction, tree)).filter((path) => /(^|\/)\.wh\./.test(path));
        assert.deepEqual(reserved, []);
      };
      const rules = fc.constantFrom(SAME_PATHS, ostreePaths({ keepAll: false }), ostreePaths({ keepAll: true }));
      const layers = fc.array(fc.array(hostileEntry, { maxLength: 8 }), { minLength: 1, maxLength: 3 });
      await fc.assert(fc.asyncProperty(layers, rules, holds), { numRuns: 400, seed: 11 });
      assert.ok(good > 100, `${good}`);
    }));
});

const PARTS = ['a', 'b', 'etc', 'usr', 'var', 'run', 'sysroot/ostree/repo/o', '.', '', '.wh.a', '.wh.etc', '.wh.usr'];
const RARE = ['..', '.wh.', '.wh..', '.wh..wh..opq', '.wh..wh.plnk'];
const hostilePath = fc
  .array(fc.constantFrom(...PARTS, ...PARTS, ...PARTS, ...RARE), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/') || '/');
const linkText = fc
  .array(fc.constantFrom('a', 'b', 'etc', 'usr', '..', '.', ''), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join('/') || '/');
const hostileEntry: fc.Arbitrary<Made> = fc.oneof(
  hostilePath.map((path) => directory(path)),
  hostilePath.map((path) => file(path.replace(/\/$/, '/a'), 'x', { mtime: { seconds: 1, nanoseconds: 0 } })),
  fc.tuple(hostilePath, linkText).map(([path, target]) => symlink(path, target)),
  fc.tuple(hostilePath, hostilePath).map(([path, target]) => hardlink(path, target)),
  hostilePath.map((path): Made => ({ path, type: 'fifo' })),
);

/** A file that is one hole, in GNU's format. */
async function sparse(size: number): Promise<Buffer> {
  const bytes = await tarOf([file('hole', '')]);
  const pax = `${['GNU.sparse.major=1', 'GNU.sparse.minor=0', `GNU.sparse.realsize=${size}`, 'GNU.sparse.name=hole']
    .map((each) => record(each))
    .join('')}`;
  const map = Buffer.alloc(512);
  map.write('0\n');
  const headers = Buffer.from(bytes.subarray(0, 512));
  const paxHeader = stamped(Buffer.from(headers), 'x', pax.length);
  const body = Buffer.alloc(512);
  body.write(pax);
  return Buffer.concat([paxHeader, body, stamped(headers, '0', 512), map, Buffer.alloc(1024)]);
}

function record(text: string): string {
  const length = text.length + 4;
  return `${length} ${text}\n`;
}

function stamped(block: Buffer, type: string, size: number): Buffer {
  block.write(size.toString(8).padStart(11, '0'), 124);
  block.write(type, 156);
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
