import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertRefused, blocks, END, GNU, header, onlyEntry, read, scan } from './archive.fixture.ts';

describe('a GNU long name', () => {
  const long = (type: string, text: string | Buffer): Buffer =>
    Buffer.concat([header({ name: '././@LongLink', type, magic: GNU, size: text.length }), blocks(text)]);

  it('counts in place of the name and the target of the next entry', async () => {
    const archive = Buffer.concat([
      long('K', `${'t'.repeat(600)}\0`),
      long('L', `${'n'.repeat(700)}\0`),
      header({ type: '2', link: 'short', magic: GNU }),
      header({ name: 'next', magic: GNU }),
      END,
    ]);
    const [first, second] = scan(archive);
    assert.deepEqual([first?.path, first?.linkTarget, second?.path], ['n'.repeat(700), 't'.repeat(600), 'next']);
    assert.deepEqual(
      (await read(archive, 100)).map(({ entry }) => entry),
      scan(archive),
    );
  });

  it('ends at its first NUL or without any', async () => {
    for (const text of ['abc', 'abc\0', 'abc\0def']) {
      assert.equal((await onlyEntry(Buffer.concat([long('L', text), header({ magic: GNU }), END]))).path, 'abc');
    }
  });

  it('that is empty, not UTF-8 or without an entry is refused', async () => {
    await assertRefused(Buffer.concat([long('L', '\0'), header(), END]), 'TAR_NAME');
    await assertRefused(Buffer.concat([long('L', Buffer.from([0xff])), header(), END]), 'TAR_NAME');
    await assertRefused(Buffer.concat([long('L', 'abc'), END]), 'TAR_TRUNCATED');
  });
});
