/** Format v0, which nobody writes any more (spec ostree-container 2.2). */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { encodeXattrs, sha256 } from '../../../ostree/index.ts';
import { REPO } from '../layout.ts';
import { commitTree, exported, type MadeTree, newRepository } from '../stream.fixture.ts';
import {
  contentsOf,
  endsWith,
  importInto,
  isUntouched,
  type Piece,
  piecesOf,
  withEntry,
  written,
} from '../tampering.fixture.ts';

const TREE: MadeTree = {
  usr: {
    inside: {
      a: { content: 'a', mode: 0o4755, xattrs: [['user.note', 'x']] },
      b: { target: 'a' },
      c: { content: 'c' },
    },
  },
};
const EMPTY = sha256(encodeXattrs([]));

async function madeStream(t: TestContext) {
  const repository = newRepository(t);
  const commit = await commitTree(repository, TREE);
  return { repository, commit, pieces: await piecesOf(await exported(repository, commit)) };
}

/** Lists in a folder of their own, none for files without attributes, another name for links, the config elsewhere. */
function old(piece: Piece): readonly Piece[] {
  const { path, linkTarget = '' } = piece.entry;
  if (path.includes(EMPTY.slice(2)) || linkTarget.includes(EMPTY.slice(2))) return [];
  if (path === `${REPO}/config`) return [withEntry(piece, { path: 'sysroot/config' })];
  if (endsWith('.file-xattrs')(piece)) return [withEntry(piece, { path: oldList(path) })];
  if (!endsWith('.file-xattrs-link')(piece)) return [piece];
  return [
    withEntry(piece, { path: path.replace('.file-xattrs-link', '.file.xattrs'), linkTarget: oldList(linkTarget) }),
  ];
}

function oldList(path: string): string {
  const [, fanout = '', rest = ''] = /objects\/(..)\/([0-9a-f]{62})\./.exec(path) ?? [];
  return `${REPO}/xattrs/${fanout}${rest}`;
}

/** The kind of a file in the mode, as tar has no use for it. The sum of the header is that of its bytes. */
function withFileTypes(archive: Buffer): Buffer {
  const bytes = Buffer.from(archive);
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (bytes.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
    const type = { '0': 0o100000, '2': 0o120000, '5': 0o40000 }[String.fromCharCode(bytes[at + 156] ?? 0)] ?? 0;
    const mode = Number.parseInt(bytes.toString('latin1', at + 100, at + 107), 8) | type;
    bytes.write(`${mode.toString(8).padStart(7, '0')}\0`, at + 100, 'latin1');
    bytes.fill(' ', at + 148, at + 156);
    const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  }
  return bytes;
}

const directory = (path: string): Piece => ({
  entry: { path, type: 'directory', mode: 0o755, uid: 0, gid: 0, linkTarget: undefined, xattrs: [] },
  data: Buffer.alloc(0),
});

describe('a stream of format v0', () => {
  const variants: readonly (readonly [string, (pieces: readonly Piece[]) => readonly Piece[]])[] = [
    ['is read', (pieces) => pieces],
    ['is read without any configuration', (pieces) => pieces.filter(({ entry }) => entry.path !== 'sysroot/config')],
    [
      'is read with a list for files without attributes',
      (pieces) => pieces.flatMap((piece) => (endsWith('.commit')(piece) ? [piece, emptyList()] : piece)),
    ],
    [
      'is read as the oldest programs wrote it, with the directories 0x00 to 0xfe, and none of the tree',
      (pieces) => [
        ...Array.from({ length: 255 }, (_, i) => directory(`${REPO}/objects/0x${i.toString(16).padStart(2, '0')}`)),
        ...pieces.filter(({ entry }) => entry.type !== 'directory').map((piece) => withEntry(piece, dotted(piece))),
      ],
    ],
  ];
  for (const [title, change] of variants) {
    it(title, async (t) => {
      const { repository: from, commit, pieces } = await madeStream(t);
      const repository = newRepository(t);
      const stream = withFileTypes(await written(change(pieces.flatMap(old))));
      assert.equal((await importInto(repository, stream)).commit, commit);
      assert.deepEqual(contentsOf(repository), contentsOf(from));
    });
  }

  it('is refused when it has objects of format v1, too', async (t) => {
    const { pieces } = await madeStream(t);
    const repository = newRepository(t);
    let links = 0;
    const mixed = pieces.flatMap((piece) => (endsWith('-link')(piece) && links++ > 0 ? [piece] : old(piece)));
    await assert.rejects(importInto(repository, await written(mixed)), { code: 'STREAM_MALFORMED' });
    assert.ok(isUntouched(repository));
  });

  it('is refused when a file lacks the attributes that it has', async (t) => {
    const { pieces } = await madeStream(t);
    const repository = newRepository(t);
    const less = pieces.flatMap(old).filter((piece) => !endsWith('.file.xattrs')(piece));
    await assert.rejects(importInto(repository, await written(less)), { code: 'OBJECT_CORRUPT' });
    assert.ok(isUntouched(repository));
  });

  it('is refused when a list was altered, or has a name that is none', async (t) => {
    const { pieces } = await madeStream(t);
    const repository = newRepository(t);
    const isList = ({ entry }: Piece): boolean => entry.path.startsWith(`${REPO}/xattrs/`);
    const altered = pieces.flatMap(old).map((piece) => (isList(piece) ? { ...piece, data: Buffer.alloc(0) } : piece));
    await assert.rejects(importInto(repository, await written(altered)), { code: 'XATTRS_CORRUPT' });
    const renamed = pieces
      .flatMap(old)
      .map((piece) => (isList(piece) ? withEntry(piece, { path: `${REPO}/xattrs/name` }) : piece));
    await assert.rejects(importInto(repository, await written(renamed)), { code: 'STREAM_MALFORMED' });
    assert.ok(isUntouched(repository));
  });
});

function emptyList(): Piece {
  return { ...withEntry(directory(`${REPO}/xattrs/${EMPTY}`), { type: 'file' }), data: Buffer.alloc(0) };
}

function dotted({ entry: { path } }: Piece): Partial<Piece['entry']> {
  return path.startsWith('sysroot') ? {} : { path: `./${path}` };
}
