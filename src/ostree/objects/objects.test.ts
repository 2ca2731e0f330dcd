import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { string, variantOf } from '../../gvariant/index.ts';
import { sha256 } from './checksum.ts';
import { type Commit, decodeCommit, encodeCommit } from './commit.ts';
import { encodeTombstone, signaturesOf, withSignature } from './detached.ts';
import { decodeDirMeta, encodeDirMeta } from './dirmeta.ts';
import { decodeDirTree, encodeDirTree } from './dirtree.ts';
import { decodeArchiveHeader, encodeArchiveHeader, encodeFileHeader, type FileHeader } from './file-header.ts';
import { objectPath, parseObjectName } from './object-type.ts';
import { compareNames } from './order.ts';
import { canonicalXattrs, type Xattr, type Xattrs } from './xattrs.ts';

const MALFORMED = { name: 'OstreeError', code: 'OBJECT_MALFORMED' };
const hex = (text: string): Buffer => Buffer.from(text.replace(/[^0-9a-f]/g, ''), 'hex');
const xattr = (name: string, value: string): Xattr => [Buffer.from(name), Buffer.from(value)];
const ZERO = '00'.repeat(32);
const ONE = '01'.repeat(32);

const plain: FileHeader = { uid: 0, gid: 0, mode: 0o100644, target: undefined, xattrs: [] };

describe('the worked bytes of the specification', () => {
  it('are those of a link', () => {
    const bytes = encodeFileHeader({ ...plain, mode: 0o120777, target: 'target' });
    assert.deepEqual(
      Buffer.from(bytes),
      hex('00000018 00000000 00000000 00000000 0000a1ff 00000000 746172676574 00 17'),
    );
    assert.equal(sha256(bytes), 'a6b40a5400ed082fbe067d2c8397aab54046a089768651c392a36db46d24c1cd');
  });

  it('are those of an empty file', () => {
    assert.equal(sha256(encodeFileHeader(plain)), 'cc700d46f407c6c5ab2d5dde474366a928b7398277e61162e7f8ec06f469f07e');
  });

  it('are those of a file with attributes', () => {
    const header = {
      uid: 1000,
      gid: 1000,
      mode: 0o100755,
      target: undefined,
      xattrs: [xattr('user.a', '1'), xattr('user.bb', '22')],
    };
    const content = Buffer.from('hi\n');
    const found = sha256(Buffer.concat([encodeFileHeader(header), content]));
    assert.equal(found, 'd4ec540d988ebece7454a372a53b5d1df674f7bd95f86b3ea490b4c7f8e0c0dd');
    assert.deepEqual(
      Buffer.from(encodeArchiveHeader(header, 3)).subarray(0, 16),
      hex('00000030 00000000 0000000000000003'),
    );
  });

  it('are those of a plain directory', () => {
    const bytes = encodeDirMeta({ uid: 0, gid: 0, mode: 0o040755, xattrs: [] });
    assert.deepEqual(Buffer.from(bytes), hex('00000000 00000000 000041ed'));
    assert.equal(sha256(bytes), '446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488');
  });

  it('are those of an empty tree and of one with three names', () => {
    const empty = encodeDirTree({ files: [], directories: [] });
    assert.equal(sha256(empty), '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
    const tree = encodeDirTree({
      files: [
        { name: 'bb', checksum: ONE },
        { name: 'a', checksum: ZERO },
      ],
      directories: [{ name: 'd', tree: '02'.repeat(32), meta: '03'.repeat(32) }],
    });
    assert.equal(sha256(tree), '256d89efddda686ac34f605d6512e92a52f313a3edc346cb37cc6c76dc23be1d');
  });

  it('are those of a commit', () => {
    const commit: Commit = {
      metadata: [['version', variantOf(string, '1')]],
      parent: undefined,
      related: [],
      subject: 's',
      body: 'b',
      timestamp: 1_700_000_000,
      rootTree: '02'.repeat(32),
      rootMeta: '03'.repeat(32),
    };
    const bytes = encodeCommit(commit);
    assert.equal(sha256(bytes), '17df67e3e5418711b63827c9dd26b41329e523138d114bb39403563659c71394');
    assert.deepEqual(encodeCommit(decodeCommit(bytes)), bytes);
  });

  it('are those of a tombstone', () => {
    assert.equal(encodeTombstone('e2bf96fc3e30b8c6c4dea530a17b5b2f81a81dfa52d48e4af5115c19d691090f').length, 78);
  });
});

describe('names', () => {
  it('are in the order of their UTF-8, also beyond the BMP', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
        assert.equal(Math.sign(compareNames(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
    assert.ok(compareNames('\u{1f600}', '\uffee') > 0);
  });

  for (const [flaw, names] of [
    ['empty', ['']],
    ['a dot', ['.']],
    ['two dots', ['..']],
    ['a path', ['a/b']],
    ['twice the same', ['a', 'a']],
  ] as const) {
    it(`that are ${flaw} make a tree malformed`, () => {
      const files = names.map((name) => ({ name, checksum: ZERO }));
      assert.throws(() => decodeDirTree(encodeDirTree({ files, directories: [] })), MALFORMED);
      const directories = names.map((name) => ({ name, tree: ZERO, meta: ONE }));
      assert.throws(() => decodeDirTree(encodeDirTree({ files: [], directories })), MALFORMED);
    });
  }

  it('that are a file and a directory make a tree malformed', () => {
    const tree = {
      files: ['a', 'c', 'e'].map((name) => ({ name, checksum: ZERO })),
      directories: ['b', 'e'].map((name) => ({ name, tree: ZERO, meta: ONE })),
    };
    assert.throws(() => decodeDirTree(encodeDirTree(tree)), MALFORMED);
  });

  it('out of order make a tree malformed', () => {
    const sorted = Buffer.from(
      encodeDirTree({ files: ['a', 'b'].map((name) => ({ name, checksum: ZERO })), directories: [] }),
    );
    const swapped = Buffer.from(sorted);
    swapped[0] = 'b'.charCodeAt(0);
    swapped[sorted.indexOf('b')] = 'a'.charCodeAt(0);
    assert.throws(() => decodeDirTree(swapped), MALFORMED);
  });
});

describe('a file header', () => {
  const xattrs: fc.Arbitrary<Xattrs> = fc
    .uniqueArray(fc.stringMatching(/^[a-z.]{1,20}$/), { maxLength: 5 })
    .chain((names) =>
      fc.tuple(
        ...names.map((name) => fc.uint8Array({ minLength: 1 }).map((value): Xattr => [Buffer.from(name), value])),
      ),
    )
    .map((list) => canonicalXattrs(list));

  it('of an archive comes back as it went in, with the place of its content', () => {
    const headers = fc.record({
      uid: fc.nat(2 ** 32 - 1),
      gid: fc.nat(2 ** 32 - 1),
      mode: fc.nat(0o7777).map((bits) => 0o100000 | bits),
      target: fc.constant(undefined),
      xattrs,
    });
    fc.assert(
      fc.property(headers, fc.maxSafeNat(), (header, size) => {
        const bytes = encodeArchiveHeader(header, size);
        const found = decodeArchiveHeader(Buffer.concat([bytes, Buffer.from('data')]), 'x');
        assert.equal(found.contentOffset, bytes.length);
        assert.equal(found.size, size);
        assert.deepEqual(encodeFileHeader(found.header), encodeFileHeader(header));
      }),
    );
  });

  for (const [flaw, change] of [
    ['a device', { mode: 0o020644 }],
    ['a directory', { mode: 0o040755 }],
    ['unknown bits', { mode: 0o1100644 }],
    ['a file with a target', { target: 'x' }],
  ] as const) {
    it(`of ${flaw} is malformed`, () => {
      assert.throws(() => decodeArchiveHeader(encodeArchiveHeader({ ...plain, ...change }, 0), 'x'), MALFORMED);
    });
  }

  it('of a link with content is malformed', () => {
    const link = { ...plain, mode: 0o120777, target: 'x' };
    assert.throws(() => decodeArchiveHeader(encodeArchiveHeader(link, 1), 'x'), MALFORMED);
  });

  it('that is cut off, of no length, or larger than any can be is malformed', () => {
    const whole = encodeArchiveHeader(plain, 5);
    for (let end = 0; end < whole.length; end++) {
      assert.throws(() => decodeArchiveHeader(whole.subarray(0, end), 'x'), MALFORMED);
    }
    for (const length of ['00000000', '00200000', 'ffffffff']) {
      assert.throws(() => decodeArchiveHeader(hex(`${length}00000000${'00'.repeat(64)}`), 'x'), MALFORMED);
    }
    const padded = Buffer.from(whole);
    padded[5] = 1;
    assert.throws(() => decodeArchiveHeader(padded, 'x'), MALFORMED);
  });
});

describe('extended attributes', () => {
  const dirmeta = (xattrs: Xattrs) => encodeDirMeta({ uid: 0, gid: 0, mode: 0o040755, xattrs });

  it('are sorted, and those without value are dropped, when they are made canonical', () => {
    const found = canonicalXattrs([xattr('user.b', '1'), xattr('user.empty', ''), xattr('user.a', '2')]);
    assert.deepEqual(
      found.map(([name]) => Buffer.from(name).toString()),
      ['user.a', 'user.b'],
    );
  });

  it('that are out of order, twice or without a name are malformed', () => {
    const [a, b] = [xattr('user.a', '1'), xattr('user.b', '2')];
    assert.equal(decodeDirMeta(dirmeta([a, b])).xattrs.length, 2);
    for (const list of [[b, a], [a, a], [xattr('', '1')]]) {
      assert.throws(() => decodeDirMeta(dirmeta(list)), MALFORMED);
    }
  });
});

describe('a directory’s attributes', () => {
  it('are malformed for anything but a directory', () => {
    for (const mode of [0o100755, 0o755, 0o1040755]) {
      assert.throws(() => decodeDirMeta(encodeDirMeta({ uid: 0, gid: 0, mode, xattrs: [] })), MALFORMED);
    }
  });
});

describe('signatures in detached metadata', () => {
  it('are appended, and every other key stays where it was', () => {
    const before = [['user', variantOf(string, 'x')]] as const;
    const one = withSignature(before, 'ostree.gpgsigs', Buffer.from('1'));
    const two = withSignature([...one, ['last', variantOf(string, 'y')]], 'ostree.gpgsigs', Buffer.from('2'));
    assert.deepEqual(
      two.map(([key]) => key),
      ['user', 'ostree.gpgsigs', 'last'],
    );
    assert.deepEqual(
      signaturesOf(two, 'ostree.gpgsigs').map((each) => Buffer.from(each).toString()),
      ['1', '2'],
    );
    assert.deepEqual(signaturesOf([['ostree.gpgsigs', variantOf(string, 'x')]], 'ostree.gpgsigs'), []);
  });
});

describe('the file name of an object', () => {
  it('leads back to it', () => {
    const checksum = sha256(Buffer.from('x'));
    for (const type of ['file', 'dirtree', 'dirmeta', 'commit', 'commitmeta', 'tombstone-commit'] as const) {
      const [fanout = '', name = ''] = objectPath(checksum, type).split('/');
      assert.deepEqual(parseObjectName(fanout, name), { checksum, type });
    }
    const [fanout = '', name = ''] = objectPath(checksum, 'filez').split('/');
    assert.deepEqual(parseObjectName(fanout, name), { checksum, type: 'file' });
  });

  it('that is none is undefined', () => {
    for (const [fanout, name] of [
      ['aa', 'short.file'],
      ['aa', `${'a'.repeat(62)}.unknown`],
      ['aa', `${'A'.repeat(62)}.file`],
      ['aa', 'a'.repeat(62)],
    ] as const) {
      assert.equal(parseObjectName(fanout, name), undefined);
    }
  });
});
