import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { entryOf, never, sha256 } from '../host.fixture.ts';
import { digest, entry } from '../manifest/manifest.fixture.ts';
import { assertSpace, hashChunks, hashFile, inspectImage, missingBytes, partName, sizeOf } from './images.ts';

const CONTENT = 'an image';
const HEX = sha256(CONTENT);
const ENTRY = entryOf('1.0', CONTENT);

function place(t: TestContext, content?: string): { readonly path: string; readonly store: Directory } {
  const root = scratch(t);
  if (content !== undefined) fs.writeFileSync(join(root, HEX), content);
  const store = openDirectory(root);
  t.after(() => store.close());
  return { path: join(root, HEX), store };
}

describe('an image in the store', () => {
  it('is whole when size and digest hold', async (t) => {
    assert.equal(await inspectImage(place(t, CONTENT).store, ENTRY, true, never), 'whole');
  });

  it('is absent when there is no file, or no store', async (t) => {
    assert.equal(await inspectImage(place(t).store, ENTRY, true, never), 'absent');
    assert.equal(await inspectImage(undefined, ENTRY, true, never), 'absent');
  });

  it('is damaged when the size is wrong, checked or not', async (t) => {
    for (const content of ['', 'an imag', 'an image!']) {
      const { store } = place(t, content);
      assert.deepEqual(
        [await inspectImage(store, ENTRY, true, never), await inspectImage(store, ENTRY, false, never)],
        ['damaged', 'damaged'],
      );
    }
  });

  it('is damaged when the digest is wrong, if that is checked', async (t) => {
    const { store } = place(t, 'AN IMAGE');
    assert.equal(await inspectImage(store, ENTRY, true, never), 'damaged');
    assert.equal(await inspectImage(store, ENTRY, false, never), 'whole');
  });

  it('is damaged when its name belongs to something else, whatever that leads to', async (t) => {
    for (const make of [
      (path: string) => void fs.mkdirSync(path),
      (path: string) => {
        fs.writeFileSync(`${path}.x`, CONTENT);
        fs.symlinkSync(`${path}.x`, path);
      },
    ]) {
      const { path, store } = place(t);
      make(path);
      assert.equal(await inspectImage(store, ENTRY, false, never), 'damaged');
    }
  });

  it('may be empty', async (t) => {
    const { path, store } = place(t);
    fs.writeFileSync(join(path, '..', sha256('')), '');
    assert.equal(await inspectImage(store, entryOf('1.0', ''), true, never), 'whole');
  });

  it('leaves no descriptor open', async (t) => {
    const { store } = place(t, CONTENT);
    const before = fs.readdirSync('/proc/self/fd').length;
    await inspectImage(store, ENTRY, true, never);
    assert.equal(fs.readdirSync('/proc/self/fd').length, before);
  });
});

describe('hashing', () => {
  it('a file goes from its first byte to its last, wherever the descriptor stands', async (t) => {
    const { path } = place(t, CONTENT);
    const fd = fs.openSync(path, 'r');
    fs.readSync(fd, Buffer.alloc(3));
    const hash = createHash('sha256');
    assert.equal(await hashFile(fd, hash, never), 8);
    fs.closeSync(fd);
    assert.equal(hash.digest('hex'), HEX);
  });

  it('several megabytes comes to the same as in one piece', async (t) => {
    const { path } = place(t);
    const bytes = Buffer.from(Uint32Array.from({ length: 700_001 }, (_, i) => Math.imul(i, 2654435761)).buffer);
    fs.writeFileSync(path, bytes);
    const fd = fs.openSync(path, 'r');
    const hash = createHash('sha256');
    assert.equal(await hashFile(fd, hash, never), bytes.length);
    fs.closeSync(fd);
    assert.equal(hash.digest('hex'), sha256(bytes));
  });

  it('stops at the signal after a few chunks', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let given = 0;
    function* chunks(): Generator<Uint8Array> {
      for (; given < 1000; given++) {
        if (given === 3) controller.abort(reason);
        yield Buffer.from('x');
      }
    }
    await assert.rejects(hashChunks(chunks(), createHash('sha256'), controller.signal), reason);
    assert.ok(given < 100, `${given} chunks`);
  });

  it('lets others have their turn meanwhile', async () => {
    let turns = 0;
    let isOver = false;
    setImmediate(function again() {
      turns++;
      if (!isOver) setImmediate(again);
    });
    await hashChunks(Array<Uint8Array>(200).fill(Buffer.from('x')), createHash('sha256'), never);
    isOver = true;
    assert.ok(turns >= 5, `${turns} turns`);
  });
});

describe('bytes that are missing of an image', () => {
  it('are all, or what a partial download has not brought', (t) => {
    const { path, store } = place(t);
    assert.deepEqual([missingBytes(store, ENTRY), missingBytes(undefined, ENTRY)], [8, 8]);
    const part = join(path, '..', partName(HEX));
    assert.ok(part.endsWith(`/.${HEX}.part`));
    fs.writeFileSync(part, 'an i');
    assert.equal(missingBytes(store, ENTRY), 4);
    fs.writeFileSync(part, CONTENT);
    assert.equal(missingBytes(store, ENTRY), 0);
  });

  it('are all when the partial download is too long to be one', (t) => {
    const { path, store } = place(t);
    fs.writeFileSync(join(path, '..', partName(HEX)), 'an image and more');
    assert.equal(missingBytes(store, ENTRY), 8);
    fs.rmSync(join(path, '..', partName(HEX)));
    fs.mkdirSync(join(path, '..', partName(HEX)));
    assert.equal(missingBytes(store, ENTRY), 8);
  });

  it('are a number as long as a file can have them', () => {
    assert.equal(sizeOf(entry('1.0', digest('a'), 2n ** 53n - 1n)), Number.MAX_SAFE_INTEGER);
    for (const size of [2n ** 53n, 2n ** 64n - 1n]) {
      assert.throws(() => sizeOf(entry('1.0', digest('a'), size)), { name: 'TakoError', code: 'INVALID_SIZE' });
    }
  });

  it('must be free before the first one is written', (t) => {
    const { store } = place(t);
    assertSpace(store, 0, 'image 1.0');
    assertSpace(store, 1, 'image 1.0');
    assert.throws(() => assertSpace(store, Number.MAX_SAFE_INTEGER, 'image 1.0'), {
      code: 'DISK_FULL',
      subject: store.path,
    });
  });
});
