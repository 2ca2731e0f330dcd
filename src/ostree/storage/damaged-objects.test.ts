/** Whatever somebody put in the place of an object: it is malformed or corrupt, soon, and a walk over all goes on. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { fsckObjects } from '../jobs/fsck-objects.ts';
import { objectPath } from '../objects/object-type.ts';
import type { RepositoryMode } from '../repository/config.ts';
import { emptyCommit, newRepository } from '../repository/repository.fixture.ts';
import type { Repository } from '../repository/repository.ts';
import { formatOf } from './file-format.ts';
import { type ObjectReader, objectsOf } from './object-reader.ts';
import { content, file, inTransaction, link, openDescriptors, readBack } from './storage.fixture.ts';

const MODES = ['archive', 'bare', 'bare-user', 'bare-user-only'] satisfies RepositoryMode[];
const needsRoot = { skip: needs('root', 'setfattr') };

interface Objects {
  readonly repository: Repository;
  readonly reader: ObjectReader;
  readonly names: Readonly<Record<'commit' | 'dirtree' | 'dirmeta' | 'file', string>>;
  pathOf(type: keyof Objects['names']): string;
}

async function objects(t: TestContext, mode: RepositoryMode, header = file()): Promise<Objects> {
  const repository = newRepository(t, mode);
  const commit = await emptyCommit(repository, 'x');
  const bytes = header.target === undefined ? content(5000) : new Uint8Array();
  const { checksum } = await inTransaction(repository, ({ writer }) => writer.putFile(header, bytes));
  const reader = objectsOf(repository);
  const { rootTree, rootMeta } = reader.commit(commit);
  const names = { commit, dirtree: rootTree, dirmeta: rootMeta, file: checksum };
  const { extension } = formatOf(mode);
  const pathOf = (type: keyof typeof names): string =>
    join(repository.path, 'objects', objectPath(names[type], type === 'file' ? extension : type));
  return { repository, reader, names, pathOf };
}

async function findingsOf({ reader, names }: Objects): Promise<string[]> {
  const all = Object.entries(names).map(([type, checksum]) => ({ type: type as keyof typeof names, checksum }));
  const { found } = await fsckObjects({ reader, writer: undefined }, { objects: all });
  return found.map(({ type, kind }) => `${type} ${kind}`);
}

const REPLACEMENTS: Readonly<Record<string, (path: string) => void>> = {
  'a directory': (path) => fs.mkdirSync(path),
  'a link to itself': (path) => fs.symlinkSync(path, path),
  'a link to a file': (path) => fs.symlinkSync('/etc/hostname', path),
  'a FIFO': (path) => spawnSync('mkfifo', [path]),
  'an empty file': (path) => fs.writeFileSync(path, ''),
  'a file of noise': (path) => fs.writeFileSync(path, content(300, 9)),
  'a sparse file of 5 GiB': (path) => {
    fs.writeFileSync(path, '');
    fs.truncateSync(path, 5 * 2 ** 30);
  },
};

describe('a metadata object', () => {
  for (const [what, replace] of Object.entries(REPLACEMENTS)) {
    it(`in the place of which is ${what} is corrupt`, async (t) => {
      const made = await objects(t, 'archive');
      const { pathOf, reader, names } = made;
      const descriptors = openDescriptors();
      for (const type of ['commit', 'dirtree', 'dirmeta'] as const) {
        fs.rmSync(pathOf(type));
        replace(pathOf(type));
      }
      assert.deepEqual(await findingsOf(made), ['commit corrupt', 'dirtree corrupt', 'dirmeta corrupt']);
      assert.throws(() => reader.commit(names.commit), { name: 'OstreeError' });
      assert.throws(() => reader.dirTree(names.dirtree), { name: 'OstreeError' });
      assert.throws(() => reader.dirMeta(names.dirmeta), { name: 'OstreeError' });
      assert.equal(openDescriptors(), descriptors);
    });
  }

  it('that is absent is missing', async (t) => {
    const made = await objects(t, 'bare-user-only');
    for (const type of ['commit', 'dirtree', 'dirmeta', 'file'] as const) fs.rmSync(made.pathOf(type));
    assert.deepEqual(await findingsOf(made), ['commit missing', 'dirtree missing', 'dirmeta missing', 'file missing']);
    assert.throws(() => made.reader.commit(made.names.commit), { code: 'OBJECT_MISSING', subject: made.names.commit });
    assert.throws(() => made.reader.file(made.names.file), { code: 'OBJECT_MISSING' });
  });

  it('is missing where the directory of its digits is a file', async (t) => {
    const made = await objects(t, 'archive');
    const folder = join(made.repository.path, 'objects');
    for (const fanout of fs.readdirSync(folder)) {
      fs.rmSync(join(folder, fanout), { recursive: true });
      fs.writeFileSync(join(folder, fanout), '');
    }
    assert.deepEqual(await findingsOf(made), ['commit missing', 'dirtree missing', 'dirmeta missing', 'file missing']);
    assert.equal(made.reader.has(made.names.file, 'file'), false);
  });
});

describe('a content object', needsRoot, () => {
  for (const mode of MODES) {
    for (const [what, replace] of Object.entries(REPLACEMENTS)) {
      if (what.includes('sparse') && mode !== 'archive') continue; // 5 GiB would be read, and rightly
      it(`of ${mode} in the place of which is ${what} is corrupt`, async (t) => {
        const made = await objects(t, mode);
        const descriptors = openDescriptors();
        fs.rmSync(made.pathOf('file'));
        replace(made.pathOf('file'));
        assert.deepEqual(await findingsOf(made), ['file corrupt']);
        assert.equal(openDescriptors(), descriptors);
      });
    }

    it(`of ${mode} that was changed, cut short or made longer is corrupt`, async (t) => {
      const made = await objects(t, mode);
      const path = made.pathOf('file');
      const whole = fs.readFileSync(path);
      const flipped = Buffer.from(whole);
      flipped[whole.length - 30] = (flipped[whole.length - 30] ?? 0) ^ 1;
      const changes = [flipped, whole.subarray(0, -1), whole.subarray(0, 20)];
      if (mode !== 'archive') changes.push(Buffer.concat([whole, Buffer.from('x')]));
      for (const bytes of changes) {
        fs.writeFileSync(path, bytes);
        assert.deepEqual(await findingsOf(made), ['file corrupt']);
      }
      fs.writeFileSync(path, whole);
      assert.deepEqual(await findingsOf(made), []);
      if (mode === 'archive') return;
      fs.chmodSync(path, 0o750);
      assert.deepEqual(await findingsOf(made), [mode === 'bare-user' ? 'file attributes' : 'file corrupt']);
    });
  }

  it('of an archive with a size it does not have is malformed', async (t) => {
    const made = await objects(t, 'archive');
    const path = made.pathOf('file');
    const whole = fs.readFileSync(path);
    for (const size of [0, 4999, 5001, 2 ** 30, Number.MAX_SAFE_INTEGER]) {
      const bytes = Buffer.from(whole);
      bytes.writeBigUInt64BE(BigInt(size), 8);
      fs.writeFileSync(path, bytes);
      assert.deepEqual(await findingsOf(made), ['file corrupt'], `${size}`);
      await assert.rejects(async () => readBack(made.reader.file(made.names.file)), { name: 'OstreeError' }, `${size}`);
    }
  });

  it('of an archive whose header is large or says nonsense is malformed', async (t) => {
    const made = await objects(t, 'archive');
    const path = made.pathOf('file');
    const whole = fs.readFileSync(path);
    const broken = (at: number, value: number): void => {
      const bytes = Buffer.from(whole);
      bytes.writeUInt32BE(value, at);
      fs.writeFileSync(path, bytes);
      assert.throws(() => made.reader.file(made.names.file), { code: 'OBJECT_MALFORMED' }, `${at}: ${value}`);
    };
    for (const length of [0, 1, 0x7fffffff, 0xffffffff, 100_000]) broken(0, length);
    broken(4, 1);
    broken(24, 0o060644);
    broken(28, 1);
  });

  it('of bare-user needs its attribute, and link targets are of a size that Linux knows', async (t) => {
    const made = await objects(t, 'bare-user', link('target'));
    const path = made.pathOf('file');
    assert.equal(fs.readFileSync(path, 'latin1'), 'target\0');
    fs.appendFileSync(path, 'ignored');
    assert.deepEqual(await findingsOf(made), []);
    for (const bytes of [Buffer.from('\xff\0', 'latin1'), Buffer.alloc(5000, 'x')]) {
      fs.writeFileSync(path, bytes);
      assert.deepEqual(await findingsOf(made), ['file corrupt']);
    }
    fs.writeFileSync(path, 'target\0');
    spawnSync('setfattr', ['-x', 'user.ostreemeta', path]);
    assert.deepEqual(await findingsOf(made), ['file corrupt']);
  });

  it('of bare-split-xattrs needs the attributes beside it', async (t) => {
    const made = await objects(t, 'bare');
    made.repository.updateConfig((keys) => keys.set('core', 'mode', 'bare-split-xattrs'));
    const split = { ...made, reader: objectsOf(made.repository) };
    const beside = made.pathOf('file').replace(/file$/, 'file-xattrs-link');
    assert.deepEqual(await findingsOf(split), ['file corrupt']);
    fs.writeFileSync(beside, '');
    assert.deepEqual(await findingsOf(split), []);
    for (const [what, replace] of Object.entries(REPLACEMENTS)) {
      if (what === 'an empty file') continue;
      fs.rmSync(beside);
      replace(beside);
      assert.deepEqual(await findingsOf(split), ['file corrupt'], what);
      fs.rmSync(beside, { recursive: true });
      fs.writeFileSync(beside, '');
    }
  });

  it('that is a socket is malformed', async (t) => {
    const made = await objects(t, 'archive');
    fs.rmSync(made.pathOf('file'));
    const short = join(made.repository.path, 's'); // the name of a socket has to be short
    const server = net.createServer().listen(short);
    await new Promise((resolve) => server.once('listening', resolve));
    fs.renameSync(short, made.pathOf('file'));
    t.after(() => server.close());
    assert.deepEqual(await findingsOf(made), ['file corrupt']);
  });
});
