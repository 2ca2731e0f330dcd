import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commitTreeOf, newRepository, treeOf } from '../packing.fixture.ts';
import { DatabaseFiles, linesOf } from './database-text.ts';

describe('the files of a package database', () => {
  const TREE = treeOf({ a: '12345', b: '67890', 'in/link': { target: '../a' }, bom: '\ufefftext' });

  it('are whole, or not there', async (t) => {
    const files = new DatabaseFiles(await commitTreeOf(newRepository(t), TREE));
    assert.equal(await files.text('/in/link', 5), '12345');
    assert.equal(await files.text('/c', 5), undefined);
    assert.equal(await files.text('/bom', 10), '\ufefftext');
  });

  it('have a limit each', async (t) => {
    const files = new DatabaseFiles(await commitTreeOf(newRepository(t), TREE));
    await assert.rejects(files.bytes('/a', 4), { code: 'TOO_LARGE' });
  });

  it('have a limit together', async (t) => {
    const files = new DatabaseFiles(await commitTreeOf(newRepository(t), TREE), 9);
    assert.equal((await files.bytes('/a', 5))?.length, 5);
    await assert.rejects(files.bytes('/b', 5), { code: 'TOO_LARGE' });
  });
});

describe('the lines of a text', () => {
  it('are those between its line breaks', () => {
    for (const text of ['', 'a', 'a\n', '\n', 'a\n\nb', '\n\na\n']) {
      assert.deepEqual([...linesOf(text)], text.split('\n'), JSON.stringify(text));
    }
  });
});
