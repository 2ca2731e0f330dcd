import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { unpackVector } from '../../../test/support/ostree-vectors.ts';
import {
  array,
  bytes,
  string,
  tuple,
  uint32,
  uint64,
  uint64be,
  type Vardict,
  vardict,
  variantOf,
} from '../../gvariant/index.ts';
import { collectionMap, decodeSummary, encodeSummary, type RefLine, SUMMARY_KEYS } from './summary.ts';

const COMMIT = 'ab'.repeat(32);
const line = (ref: string, metadata: Vardict = []): RefLine => ({ ref, commit: COMMIT, size: 300, metadata });
const malformed = { name: 'OstreeError', code: 'SUMMARY_MALFORMED' };

/** Encoded as given: nothing is sorted or checked on the way. */
function raw(refs: readonly (readonly [string, bigint, Uint8Array, Vardict])[], metadata: Vardict = []): Uint8Array {
  const type = tuple(array(tuple(string, tuple(uint64, bytes, vardict))), vardict);
  return type.encode([refs.map(([ref, size, checksum, about]) => [ref, [size, checksum, about]]), metadata]);
}
const sum = Buffer.from(COMMIT, 'hex');

describe('a summary', () => {
  for (const name of ['archive', 'delta', 'signed'] as const) {
    it(`of the program ostree comes back as it was (${name})`, (t) => {
      const file = readFileSync(join(unpackVector(t, name), 'summary'));
      const summary = decodeSummary(file);
      assert.ok(file.equals(encodeSummary(summary)));
      assert.equal(summary.mode, 'archive-z2');
      assert.ok(
        summary.refs.length > 0 && summary.refs.every(({ timestamp, size }) => (timestamp ?? 0) > 0 && size > 0),
      );
    });
  }
  it('tells the size in the order of the machine, and times in network order', () => {
    const about: Vardict = [
      [SUMMARY_KEYS.version, variantOf(string, '1.2')],
      [SUMMARY_KEYS.timestamp, variantOf(uint64be, 1_700_000_000n)],
      ['org.example.more', variantOf(uint32, 7)],
    ];
    const [ref] = decodeSummary(encodeSummary({ refs: [line('a/b', about)], metadata: [] })).refs;
    assert.deepEqual([ref?.ref, ref?.size, ref?.commit], ['a/b', 300, COMMIT]);
    assert.deepEqual([ref?.version, ref?.timestamp, ref?.metadata.length], ['1.2', 1_700_000_000, 3]);
    const bytesOf = Buffer.from(encodeSummary({ refs: [line('a')], metadata: [] }));
    assert.equal(bytesOf.readBigUInt64LE(8), 300n);
  });
  it('is sorted when it is written, by bytes', () => {
    const names = ['\u{10400}', 'b', 'a/b', 'a', 'ﬀ'];
    const { refs } = decodeSummary(encodeSummary({ refs: names.map((name) => line(name)), metadata: [] }));
    assert.deepEqual(
      refs.map(({ ref }) => ref),
      ['a', 'a/b', 'b', 'ﬀ', '\u{10400}'],
    );
  });
  it('keeps what nobody knows, and reads what is known', () => {
    const metadata: Vardict = [
      ['org.example.any', variantOf(uint32, 5)],
      [SUMMARY_KEYS.collectionId, variantOf(string, 'org.example.Os')],
      [SUMMARY_KEYS.expires, variantOf(uint64be, 5n)],
      [
        SUMMARY_KEYS.collectionMap,
        collectionMap(
          new Map([
            ['org.z.Z', [line('x')]],
            ['org.a.A', [line('y'), line('x')]],
          ]),
        ),
      ],
      [SUMMARY_KEYS.deltas, variantOf(vardict, [[`${COMMIT}-${COMMIT}`, variantOf(bytes, sum)]])],
    ];
    const file = encodeSummary({ refs: [], metadata });
    const summary = decodeSummary(file);
    assert.deepEqual([...summary.collections.keys()], ['org.a.A', 'org.z.Z']);
    assert.deepEqual([summary.collectionId, summary.expires, summary.lastModified], ['org.example.Os', 5, undefined]);
    assert.deepEqual([...(summary.deltas ?? [])], [[`${COMMIT}-${COMMIT}`, COMMIT]]);
    assert.equal(summary.metadata[0]?.[0], 'org.example.any');
    assert.ok(Buffer.from(file).equals(encodeSummary(summary)));
  });
  for (const [flaw, file] of [
    [
      'a ref out of order',
      raw([
        ['b', 1n, sum, []],
        ['a', 1n, sum, []],
      ]),
    ],
    [
      'a ref twice',
      raw([
        ['a', 1n, sum, []],
        ['a', 1n, sum, []],
      ]),
    ],
    ['a name that is none', raw([['../a', 1n, sum, []]])],
    ['an empty name', raw([['', 1n, sum, []]])],
    ['a checksum of 31 bytes', raw([['a', 1n, sum.subarray(1), []]])],
    ['a commit larger than any file', raw([['a', 2n ** 60n, sum, []]])],
    ['a time beyond all times', raw([['a', 1n, sum, [[SUMMARY_KEYS.timestamp, variantOf(uint64be, 2n ** 60n)]]]])],
    ['a time that is a text', raw([], [[SUMMARY_KEYS.lastModified, variantOf(string, 'now')]])],
    ['a collection that is none', raw([], [[SUMMARY_KEYS.collectionId, variantOf(string, 'none')]])],
    ['a delta of no commit', raw([], [[SUMMARY_KEYS.deltas, variantOf(vardict, [['x', variantOf(bytes, sum)]])]])],
    [
      'a digest that is a text',
      raw([], [[SUMMARY_KEYS.deltas, variantOf(vardict, [[COMMIT, variantOf(string, 'x')]])]]),
    ],
    ['nothing in it', new Uint8Array()],
    ['a byte too many', Buffer.concat([raw([['a', 1n, sum, []]]), Buffer.alloc(1)])],
  ] as const) {
    it(`with ${flaw} is refused`, () => assert.throws(() => decodeSummary(file), malformed));
  }
  it('cut anywhere, or with any other byte, is a summary or refused, and never anything else', () => {
    const file = encodeSummary({
      refs: [line('a'), line('b')],
      metadata: [[SUMMARY_KEYS.mode, variantOf(string, 'bare')]],
    });
    const tries = [...file.keys()].flatMap((i) => {
      const other = Buffer.from(file);
      other[i] = (other[i] ?? 0) ^ 0x15;
      return [file.subarray(0, i), other];
    });
    for (const each of tries) {
      try {
        decodeSummary(each);
      } catch (error) {
        assert.equal(error instanceof Error && 'code' in error ? error.code : error, 'SUMMARY_MALFORMED');
      }
    }
  });
});
