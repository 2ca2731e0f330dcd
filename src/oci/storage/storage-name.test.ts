import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf } from '../digest.ts';
import { bigDataFile } from './records.ts';
import { parseStorageName } from './storage-name.ts';

const named = { domain: 'docker.io', path: 'library/app', tag: 'latest' };
const id = 'a'.repeat(64);
const digest = digestOf(Buffer.from('x'));

describe('a name in the storage of podman', () => {
  it('is that of an image, with the rules of registries', () => {
    assert.deepEqual(parseStorageName('app'), { store: undefined, named, id: undefined });
    assert.deepEqual(parseStorageName(`app@${digest}`).named, { domain: 'docker.io', path: 'library/app', digest });
  });

  it('may be an id, with and without a name', () => {
    assert.deepEqual(parseStorageName(`@${id}`), { store: undefined, named: undefined, id });
    assert.deepEqual(parseStorageName('app@abc'), { store: undefined, named, id: 'abc' });
  });

  it('may say which storage', () => {
    const store = (text: string) => parseStorageName(`[${text}]app`).store;
    assert.deepEqual(store('/srv'), { driver: undefined, root: '/srv', options: [] });
    assert.deepEqual(store('vfs@/srv+/run/x'), { driver: 'vfs', root: '/srv', options: [] });
    assert.deepEqual(store('overlay@/srv:a=b,c=@d'), { driver: 'overlay', root: '/srv', options: ['a=b', 'c=@d'] });
    assert.equal(store(''), undefined);
  });

  for (const text of [
    '',
    '[/srv',
    '[/srv]',
    '[@/srv]app',
    '[srv]app',
    '[overlay@]app',
    '[/a+b]app',
    '@ab',
    '@xyz',
    'app@',
  ]) {
    it(`is refused: ${text}`, () => assert.throws(() => parseStorageName(text), { code: 'BAD_STORAGE_NAME' }));
  }

  it('is refused where it is no name of an image', () => {
    assert.throws(() => parseStorageName('App'), { code: 'BAD_REFERENCE' });
  });
});

describe('an item of big data', () => {
  it('has a file of its own name only where that is plain', () => {
    assert.equal(bigDataFile('manifest'), 'manifest');
    assert.equal(bigDataFile('sha256:00'), '=c2hhMjU2OjAw');
    assert.equal(bigDataFile('manifest-x'), '=bWFuaWZlc3QteA==');
  });
});
