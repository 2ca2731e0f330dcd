import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { systemCalls } from '../../linux/calls/ffi.ts';
import { directoryTree } from './directory-tree.ts';

function make(t: TestContext): { path: string; tree: ReturnType<typeof directoryTree> } {
  const path = scratch(t);
  mkdirSync(join(path, 'exports/b'), { recursive: true, mode: 0o755 });
  writeFileSync(join(path, 'exports/file'), 'content', { mode: 0o640 });
  symlinkSync('../..', join(path, 'exports/up'));
  symlinkSync('b', join(path, 'exports/folder'));
  writeFileSync(join(path, 'exports/b/inner'), 'inner');
  return { path, tree: directoryTree(path, 'an image') };
}

describe('a directory as an image tree', () => {
  it('tells of files, directories and links', (t) => {
    const { tree } = make(t);
    const file = tree.look('exports/file');
    assert.deepEqual([file?.type, file?.mode, file?.size, file?.target], ['file', 0o640, 7, undefined]);
    assert.deepEqual([tree.look('')?.type, tree.look('exports')?.type], ['directory', 'directory']);
    assert.deepEqual([tree.look('exports/up')?.type, tree.look('exports/up')?.target], ['symlink', '../..']);
    assert.equal(tree.look('none'), undefined);
  });
  it('lists names by their bytes, and nothing for what is no directory', (t) => {
    const { path, tree } = make(t);
    for (const name of ['é', 'z', 'Z', '\u{1f600}', '\uff5e']) writeFileSync(join(path, 'exports/b', name), '');
    assert.deepEqual(tree.list('exports/b'), ['Z', 'inner', 'z', 'é', '\uff5e', '\u{1f600}']);
    assert.deepEqual([tree.list('exports/file'), tree.list('none'), tree.list('exports/folder')], [[], [], []]);
    assert.deepEqual(tree.list(''), ['exports']);
  });
  it('follows no link, wherever it stands', (t) => {
    const { tree } = make(t);
    assert.equal(tree.look('exports/folder/inner'), undefined);
    assert.equal(tree.look('exports/up/etc'), undefined);
    assert.throws(() => tree.read('exports/folder/inner', 100), { code: 'BAD_STORED_IMAGE' });
    assert.throws(() => tree.read('exports/up', 100), { code: 'NOT_A_REGULAR_FILE' });
    assert.throws(() => tree.look('../x'), { code: 'BAD_NAME' });
  });
  it('reads files up to a limit, or in pieces', async (t) => {
    const { path, tree } = make(t);
    assert.equal(Buffer.from(tree.read('exports/file', 7)).toString(), 'content');
    assert.throws(() => tree.read('exports/file', 6), { code: 'TOO_LARGE' });
    assert.equal(
      tree.withPlainFile?.('exports/file', (fd) => readFileSync(fd, 'utf8')),
      'content',
    );
    assert.throws(() => tree.withPlainFile?.('none', () => assert.fail()), { code: 'BAD_STORED_IMAGE' });
    const large = Buffer.alloc(3 * 2 ** 20 + 5, 'large');
    writeFileSync(join(path, 'large'), large);
    const pieces: Buffer[] = [];
    for await (const piece of tree.chunks('large')) pieces.push(Buffer.from(piece));
    assert.ok(pieces.length > 1 && Buffer.concat(pieces).equals(large));
    await assert.rejects(
      async () => {
        for await (const _ of tree.chunks('none')) assert.fail('nothing is there');
      },
      { code: 'BAD_STORED_IMAGE' },
    );
  });
  it('has no devices, sockets and pipes', (t) => {
    const { path, tree } = make(t);
    execFileSync('mkfifo', [join(path, 'fifo')]);
    assert.equal(tree.look('fifo'), undefined);
  });
  it('tells of capabilities', { skip: needs('root') }, (t) => {
    const { path, tree } = make(t);
    const value = Buffer.from('0000000200040000000000000000000000000000', 'hex'); // CAP_NET_BIND_SERVICE, permitted
    systemCalls()?.lsetxattr(join(path, 'exports/file'), 'security.capability', value);
    assert.equal(tree.look('exports/file')?.hasCapabilities, true);
    assert.equal(tree.look('exports/b/inner')?.hasCapabilities, false);
  });
});
