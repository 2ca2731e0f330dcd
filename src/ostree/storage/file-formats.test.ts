import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import { needs } from '../../../test/support/needs.ts';
import { verifyObject } from '../jobs/verify-objects.ts';
import { decodeArchiveHeader, type FileHeader } from '../objects/file-header.ts';
import type { RepositoryMode } from '../repository/config.ts';
import { newRepository } from '../repository/repository.fixture.ts';
import { objectsOf } from './object-reader.ts';
import {
  content,
  file,
  inTransaction,
  link,
  namesBelow,
  openDescriptors,
  putInPieces,
  readBack,
  xattr,
} from './storage.fixture.ts';
import { CHUNK, WHOLE_LIMIT } from './stored-file.ts';

const needsRoot = { skip: needs('root') };
const MODES = ['archive', 'bare', 'bare-user', 'bare-user-only'] satisfies RepositoryMode[];
const SIZES = [0, 1, 65_535, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, WHOLE_LIMIT, WHOLE_LIMIT + 1];
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');

/** What every mode can hold. */
const PLAIN: readonly (readonly [name: string, header: FileHeader])[] = [
  ['an executable file', file({ mode: 0o100755 })],
  ['a file that nobody may read', file({ mode: 0o100000 })],
  ['a link', link('a/b')],
  ['a link to a name that is not ASCII', link('zażółć/漢字 𝒳\n')],
  ['a link as long as Linux makes them', link('x'.repeat(4095))],
];

/** What takes a mode that keeps owners and attributes. */
const RICH: readonly (readonly [name: string, header: FileHeader])[] = [
  ['a file of somebody else', file({ uid: 1000, gid: 2 ** 31 })],
  ['a setuid file', file({ uid: 5, gid: 6, mode: 0o106755 })],
  ['a sticky world-writable file', file({ mode: 0o101777 })],
  ['a file with attributes', file({ xattrs: [xattr('trusted.a', 'x'), xattr('user.b', 'y'.repeat(300))] })],
  ['a file with a capability', file({ uid: 7, mode: 0o100755, xattrs: [xattr('security.capability', CAPABILITY)] })],
  ['a link of somebody else with an attribute', link('x', { uid: 8, gid: 9, xattrs: [xattr('trusted.l', 'v')] })],
];

describe('a content object', needsRoot, () => {
  for (const mode of MODES) {
    it(`in ${mode} comes back, whatever its size, in one piece or in many`, async (t) => {
      const repository = newRepository(t, mode);
      const descriptors = openDescriptors();
      for (const size of SIZES) {
        const bytes = content(size);
        const header = file({ mode: 0o100640 });
        const checksums = await inTransaction(repository, ({ writer }) => {
          const pieces = putInPieces(writer, header, bytes);
          const whole = writer.putFile(header, bytes);
          assert.deepEqual([pieces.isNew, whole.isNew, pieces.size], [true, false, size]);
          const other = writer.putFile(file({ mode: 0o100600 }), bytes);
          assert.equal(other.isNew, true);
          return [pieces, whole, other].map(({ checksum }) => checksum);
        });
        assert.equal(checksums[0], checksums[1]);
        const reader = objectsOf(repository);
        for (const [checksum = '', mode] of [
          [checksums[0], 0o100640],
          [checksums[2], 0o100600],
        ] as const) {
          const found = await readBack(reader.file(checksum));
          assert.deepEqual(found.header, file({ mode }));
          assert.ok(found.bytes.equals(bytes) && found.size === size);
          assert.equal(await verifyObject(reader, { checksum, type: 'file' }), size);
          const stored = reader.file(checksum);
          if (size <= WHOLE_LIMIT) assert.ok(bytes.equals(stored.bytes()));
          else assert.throws(() => stored.bytes(), { code: 'TOO_LARGE' });
          stored.close();
        }
      }
      assert.equal(openDescriptors(), descriptors);
    });

    for (const [name, header] of mode === 'bare-user-only' ? PLAIN : [...PLAIN, ...RICH]) {
      it(`in ${mode}, ${name}, comes back`, async (t) => {
        const repository = newRepository(t, mode);
        const bytes = header.target === undefined ? content(1000) : new Uint8Array();
        const { checksum } = await inTransaction(repository, ({ writer }) => writer.putFile(header, bytes));
        const reader = objectsOf(repository);
        const found = await readBack(reader.file(checksum));
        const named = {
          ...found.header,
          xattrs: found.header.xattrs.map(([key, value]) => xattr(String(Buffer.from(key)), value)),
        };
        assert.deepEqual(named, header);
        assert.ok(found.bytes.equals(bytes));
        const stored = reader.file(checksum);
        assert.ok(Buffer.from(bytes).equals(stored.bytes()));
        stored.close();
        assert.equal(await verifyObject(reader, { checksum, type: 'file' }), bytes.length);
      });
    }
  }

  it('of 20 MiB in an archive is one deflate stream, read with bounded memory', async (t) => {
    const repository = newRepository(t);
    const bytes = content(20 * 2 ** 20 + 3);
    const { checksum, storedSize } = await inTransaction(repository, ({ writer }) =>
      putInPieces(writer, file(), bytes),
    );
    const path = join(repository.path, 'objects', checksum.slice(0, 2), `${checksum.slice(2)}.filez`);
    const object = fs.readFileSync(path);
    assert.equal(object.length, storedSize);
    assert.ok(storedSize < 0.6 * bytes.length);
    const { contentOffset, size } = decodeArchiveHeader(object, 'object');
    assert.equal(size, bytes.length);
    assert.ok(inflateRawSync(object.subarray(contentOffset)).equals(bytes));
    assert.ok((await readBack(objectsOf(repository).file(checksum))).bytes.equals(bytes));
  });

  it('in an archive takes the level of the config', async (t) => {
    const sizes: number[] = [];
    for (const level of ['1', '9']) {
      const repository = newRepository(t);
      repository.updateConfig((keys) => keys.set('archive', 'zlib-level', level));
      const text = Buffer.from(Array.from({ length: 60_000 }, (_, i) => `${i * i} `).join(''));
      sizes.push((await inTransaction(repository, ({ writer }) => writer.putFile(file(), text))).storedSize);
    }
    assert.ok((sizes[1] ?? 0) < (sizes[0] ?? 0), String(sizes));
  });

  for (const mode of [0o104755, 0o102755, 0o101755, 0o100777, 0o100666, 0o100002]) {
    it(`of mode ${mode.toString(8)} is unsuitable for bare-user-only, and leaves nothing`, async (t) => {
      const repository = newRepository(t, 'bare-user-only');
      const descriptors = openDescriptors();
      await inTransaction(repository, ({ writer, place }) => {
        const staging = place.places[0]?.path ?? '';
        assert.throws(() => writer.putFile(file({ mode }), content(10)), { code: 'OBJECT_UNSUITABLE' });
        assert.throws(() => writer.beginFile(file({ mode }), 10), { code: 'OBJECT_UNSUITABLE' });
        assert.deepEqual(
          namesBelow(staging).filter((name) => name.includes('.')),
          [],
        );
        assert.ok(writer.putFile(file({ mode: mode & 0o100775 }), content(10)).isNew);
      });
      assert.equal(openDescriptors(), descriptors);
    });
  }

  it('cannot be written into bare-split-xattrs', async (t) => {
    const repository = newRepository(t, 'bare');
    repository.updateConfig((keys) => keys.set('core', 'mode', 'bare-split-xattrs'));
    await assert.rejects(
      inTransaction(repository, () => undefined),
      { code: 'REPOSITORY_READ_ONLY' },
    );
  });
});
