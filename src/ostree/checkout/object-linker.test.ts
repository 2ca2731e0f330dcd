import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { systemCalls } from '../../linux/calls/ffi.ts';
import { encodeCommit } from '../objects/commit.ts';
import { encodeDirMeta } from '../objects/dirmeta.ts';
import { encodeDirTree } from '../objects/dirtree.ts';
import { objectPath } from '../objects/object-type.ts';
import { NO_XATTRS, type Xattrs } from '../objects/xattrs.ts';
import type { RepositoryMode } from '../repository/config.ts';
import { newRepository, SIGNAL } from '../repository/repository.fixture.ts';
import type { Repository } from '../repository/repository.ts';
import { withTransaction } from '../storage/transaction.ts';
import { checkout } from './checkout.ts';
import { CHECKOUT_DEFAULTS } from './options.ts';

interface Made {
  readonly repository: Repository;
  readonly commit: string;
  /** Of the file `text`. */
  readonly text: string;
}

/** `text`, `empty`, `link` and the directory `sub`, below a directory with these attributes. */
async function make(t: TestContext, mode: RepositoryMode, xattrs: Xattrs = NO_XATTRS): Promise<Made> {
  const repository = newRepository(t, mode);
  return withTransaction(repository, { signal: SIGNAL, fsync: false }, async ({ writer }) => {
    const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
    const file = (content: string): string => {
      const header = { uid, gid, mode: 0o100644, target: undefined, xattrs: NO_XATTRS };
      return writer.putFile(header, Buffer.from(content)).checksum;
    };
    const [text, empty] = [file('text'), file('')];
    const header = { uid, gid, mode: 0o120777, target: 'text', xattrs: NO_XATTRS };
    const link = writer.putFile(header, new Uint8Array()).checksum;
    const meta = (attributes: Xattrs) =>
      writer.putMetadata('dirmeta', encodeDirMeta({ uid, gid, mode: 0o40755, xattrs: attributes })).checksum;
    const inner = writer.putMetadata('dirtree', encodeDirTree({ files: [], directories: [] })).checksum;
    const files = Object.entries({ text, empty, link }).map(([name, checksum]) => ({ name, checksum }));
    const directories = [{ name: 'sub', tree: inner, meta: meta(NO_XATTRS) }];
    const rootTree = writer.putMetadata('dirtree', encodeDirTree({ files, directories })).checksum;
    const object = encodeCommit({
      metadata: [],
      parent: undefined,
      related: [],
      subject: 's',
      body: '',
      timestamp: 0,
      rootTree,
      rootMeta: meta(xattrs),
    });
    return { repository, commit: writer.putMetadata('commit', object).checksum, text };
  });
}

function objectOf({ repository, text }: Made): string {
  return join(repository.path, 'objects', objectPath(text, 'file'));
}

describe('hard links to objects', () => {
  it('are what a checkout makes of files that are not empty', async (t) => {
    const made = await make(t, 'bare-user-only');
    const target = join(scratch(t), 'out');
    const options = { ...CHECKOUT_DEFAULTS, links: 'require', fsync: false } as const;
    const result = await checkout(made.repository, made.commit, target, options, SIGNAL);
    assert.deepEqual(result, { directories: 2, linked: 1, copied: 2, bytes: 0 });
    assert.equal(statSync(join(target, 'text')).ino, statSync(objectOf(made)).ino);
    assert.equal(statSync(join(target, 'empty')).nlink, 1);
  });

  it('in the mode of users leave symbolic links to be made anew', async (t) => {
    const made = await make(t, 'bare-user');
    const target = join(scratch(t), 'out');
    const options = { ...CHECKOUT_DEFAULTS, userMode: true, links: 'require', fsync: false } as const;
    const result = await checkout(made.repository, made.commit, target, options, SIGNAL);
    assert.deepEqual(result, { directories: 2, linked: 1, copied: 2, bytes: 0 });
    assert.equal(statSync(join(target, 'link')).ino, statSync(objectOf(made)).ino);
  });

  it('lead into the parent repository where the object is there', async (t) => {
    const made = await make(t, 'bare-user-only');
    const child = newRepository(t, 'bare-user-only');
    child.updateConfig((file) => file.set('core', 'parent', made.repository.path));
    const { openRepository } = await import('../repository/repository.ts');
    const repository = openRepository(child.path);
    t.after(() => repository.close());
    const target = join(scratch(t), 'out');
    const { linked } = await checkout(repository, made.commit, target, { ...CHECKOUT_DEFAULTS, fsync: false }, SIGNAL);
    assert.deepEqual([linked, statSync(join(target, 'text')).ino], [1, statSync(objectOf(made)).ino]);
  });

  it('to an object that is missing, or over a name that is there, are refused by name', async (t) => {
    const made = await make(t, 'bare-user-only');
    const folder = scratch(t);
    const options = { ...CHECKOUT_DEFAULTS, fsync: false };
    mkdirSync(join(folder, 'out/text'), { recursive: true });
    const over = checkout(
      made.repository,
      made.commit,
      join(folder, 'out'),
      { ...options, existing: 'replace' },
      SIGNAL,
    );
    await assert.rejects(over, { code: 'TARGET_EXISTS', subject: '/text' });
    renameSync(objectOf(made), `${objectOf(made)}.away`);
    const missing = checkout(made.repository, made.commit, join(folder, 'new'), options, SIGNAL);
    await assert.rejects(missing, { code: 'OBJECT_MISSING', subject: made.text });
    assert.equal(existsSync(join(folder, 'new')), false);
    assert.deepEqual(readdirSync(folder), ['out']);
  });
});

describe('the attributes of a directory', () => {
  it('that cannot be set are an error naming it, and nothing is left', async (t) => {
    const made = await make(t, 'bare', [[Buffer.from('nowhere.a'), Buffer.from('value')]]);
    const folder = scratch(t);
    const options = { ...CHECKOUT_DEFAULTS, fsync: false };
    const failing = checkout(made.repository, made.commit, join(folder, 'out'), options, SIGNAL);
    await assert.rejects(failing, { code: 'ENOTSUP', path: '/' });
    assert.deepEqual(readdirSync(folder), []);
  });

  it('are set when it is full: nothing in it inherits a default ACL', { skip: needs('root') }, async (t) => {
    // version 2; tag, permissions and id of: owner, user 1234, group, mask, others
    const entries = [
      [1, 7, -1],
      [2, 7, 1234],
      [4, 5, -1],
      [16, 7, -1],
      [32, 5, -1],
    ] as const;
    const acl = Buffer.alloc(4 + 8 * entries.length);
    acl.writeUInt32LE(2);
    for (const [i, [tag, permissions, id]] of entries.entries()) {
      acl.writeUInt16LE(tag, 4 + 8 * i);
      acl.writeUInt16LE(permissions, 6 + 8 * i);
      acl.writeInt32LE(id, 8 + 8 * i);
    }
    const made = await make(t, 'bare', [[Buffer.from('system.posix_acl_default'), acl]]);
    const target = join(scratch(t), 'out');
    await checkout(made.repository, made.commit, target, { ...CHECKOUT_DEFAULTS, fsync: false }, SIGNAL);
    const attributes = (path: string) =>
      systemCalls()
        ?.llistxattr(path)
        .map((name) => Buffer.from(name).toString());
    assert.deepEqual(attributes(target), ['system.posix_acl_default']);
    for (const name of ['empty', 'sub', 'text']) assert.deepEqual(attributes(join(target, name)), [], name);
  });
});
