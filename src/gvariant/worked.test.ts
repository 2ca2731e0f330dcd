/** Bytes worked out by hand in the description of the OSTree format, with the checksums that libostree computes. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { array, bytes, lookup, string, tuple, uint32be, uint64be, vardict, variantOf } from './index.ts';

const sha256 = (...parts: Uint8Array[]): string => createHash('sha256').update(Buffer.concat(parts)).digest('hex');
const sum = (byte: number): Uint8Array => Buffer.alloc(32, byte);
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');

const xattrs = array(tuple(bytes, bytes));
const header = tuple(uint32be, uint32be, uint32be, uint32be, string, xattrs);
const framed = (variant: Uint8Array): Buffer => {
  const length = Buffer.alloc(8);
  length.writeUInt32BE(variant.length);
  return Buffer.concat([length, variant]);
};

describe('the header of a content object', () => {
  it('of a symlink', () => {
    const encoded = header.encode([0, 0, 0o120777, 0, 'target', []]);
    assert.equal(hex(encoded), '00000000000000000000a1ff00000000' + '74617267657400' + '17');
    assert.equal(sha256(framed(encoded)), 'a6b40a5400ed082fbe067d2c8397aab54046a089768651c392a36db46d24c1cd');
  });

  it('of an empty file', () => {
    const encoded = header.encode([0, 0, 0o100644, 0, '', []]);
    assert.equal(sha256(framed(encoded)), 'cc700d46f407c6c5ab2d5dde474366a928b7398277e61162e7f8ec06f469f07e');
  });

  it('of a file with extended attributes', () => {
    const value = [
      [Buffer.from('user.a\0'), Buffer.from('1')],
      [Buffer.from('user.bb\0'), Buffer.from('22')],
    ] as const;
    const encoded = header.encode([1000, 1000, 0o100755, 0, '', value]);
    assert.deepEqual(header.decode(encoded), [1000, 1000, 0o100755, 0, '', value]);
    assert.equal(
      sha256(framed(encoded), Buffer.from('hi\n')),
      'd4ec540d988ebece7454a372a53b5d1df674f7bd95f86b3ea490b4c7f8e0c0dd',
    );
    const archived = tuple(uint64be, uint32be, uint32be, uint32be, uint32be, string, xattrs);
    const larger = archived.encode([3n, 1000, 1000, 0o100755, 0, '', value]);
    assert.equal(hex(larger), `0000000000000003${hex(encoded).slice(0, -2)}19`);
  });
});

describe('a directory', () => {
  const dirtree = tuple(array(tuple(string, bytes)), array(tuple(string, bytes, bytes)));

  it('without entries is one offset', () => {
    assert.equal(hex(dirtree.encode([[], []])), '00');
    assert.deepEqual(dirtree.decode(Uint8Array.of(0)), [[], []]);
    assert.throws(() => dirtree.decode(new Uint8Array(0)), { code: 'GVARIANT_MALFORMED' });
  });

  it('with entries has the offsets of each, of both arrays, and its own', () => {
    const value = [
      [
        ['a', sum(0)],
        ['bb', sum(1)],
      ],
      [['d', sum(2), sum(3)]],
    ] as const;
    const encoded = dirtree.encode(value);
    assert.equal(encoded.length, 143);
    assert.deepEqual(dirtree.decode(encoded), value);
    assert.equal(sha256(encoded), '256d89efddda686ac34f605d6512e92a52f313a3edc346cb37cc6c76dc23be1d');
  });

  it('with its metadata has numbers in big-endian order', () => {
    const encoded = tuple(uint32be, uint32be, uint32be, xattrs).encode([0, 0, 0o40755, []]);
    assert.equal(hex(encoded), '0000000000000000000041ed');
    assert.equal(sha256(encoded), '446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488');
  });
});

describe('a commit', () => {
  const commit = tuple(vardict, bytes, array(tuple(string, bytes)), string, string, uint64be, bytes, bytes);

  it('has metadata, padding before the time stamp, and six offsets', () => {
    const metadata = [['version', variantOf(string, '1')]] as const;
    const encoded = commit.encode([metadata, Buffer.alloc(0), [], 's', 'b', 1_700_000_000n, sum(2), sum(3)]);
    assert.equal(hex(encoded.subarray(0, 32)), '76657273696f6e0031000073080d73006200000000000000000000006553f100');
    assert.equal(hex(encoded.subarray(-6)), '4012100e0e0e');
    assert.equal(sha256(encoded), '17df67e3e5418711b63827c9dd26b41329e523138d114bb39403563659c71394');
    assert.equal(lookup(commit.decode(encoded)[0], 'version', string), '1');
  });
});
