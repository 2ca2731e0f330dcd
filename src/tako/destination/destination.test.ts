import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { digest } from '../manifest/manifest.fixture.ts';
import { MANIFEST_LIMIT } from '../manifest/manifest.ts';
import { type Destination, openDestination } from './destination.ts';
import { EMPTY_STATE, encodeState, STATE_LIMIT, type State } from './state.ts';

const never = new AbortController().signal;
const quietly = { timeoutMs: 0, onWait: () => undefined };
const A = digest('a');

/** Opened for changes, and closed when the test is over. */
function open(t: TestContext, path: string): Destination {
  const destination = openDestination(path, 'refuse');
  t.after(() => destination.close());
  return destination;
}
function place(t: TestContext): { readonly root: string; readonly destination: Destination } {
  const root = scratch(t);
  return { root, destination: open(t, root) };
}
function withOwn(t: TestContext): string {
  const root = scratch(t);
  fs.mkdirSync(join(root, '.tako'));
  return root;
}
const silence = (): void => undefined;

describe('opening a destination', () => {
  it('writes nothing', (t) => {
    const { root, destination } = place(t);
    assert.deepEqual([fs.readdirSync(root), destination.store, destination.path], [[], undefined, root]);
  });

  it('takes slashes at the end of the path for nothing', (t) => {
    const root = scratch(t);
    assert.equal(open(t, `${root}//`).path, root);
  });

  it('that does not exist fails with what would make it', (t) => {
    const path = join(scratch(t), 'none');
    assert.throws(() => openDestination(path, 'refuse'), { code: 'NO_DIRECTORY', subject: path, hint: /^mkdir/ });
  });

  it('that is a file is refused', (t) => {
    const path = join(scratch(t), 'file');
    fs.writeFileSync(path, '');
    assert.throws(() => openDestination(path, 'refuse'), { code: 'NOT_A_DIRECTORY' });
  });

  for (const name of ['.', 'store', '.tako']) {
    it(`of which ${name} may be written by everybody is refused, or only warned about`, (t) => {
      const root = scratch(t);
      fs.mkdirSync(join(root, name), { recursive: true });
      fs.chmodSync(join(root, name), 0o777);
      assert.throws(() => openDestination(root, 'refuse'), { code: 'UNSAFE_OWNER' });
      const warnings: string[] = [];
      openDestination(root, (text) => warnings.push(text)).close();
      assert.equal(warnings.length, 1);
    });

    it(`of which ${name} belongs to another user is refused`, { skip: needs('root') }, (t) => {
      const root = scratch(t);
      fs.mkdirSync(join(root, name), { recursive: true });
      fs.chownSync(join(root, name), 65534, 65534);
      assert.throws(() => openDestination(root, 'refuse'), { code: 'UNSAFE_OWNER' });
    });

    it(`of which ${name} may be written by a group is refused for root`, { skip: needs('root') }, (t) => {
      const root = scratch(t);
      fs.mkdirSync(join(root, name), { recursive: true });
      fs.chmodSync(join(root, name), 0o775);
      assert.throws(() => openDestination(root, 'refuse'), { code: 'UNSAFE_OWNER' });
    });
  }

  for (const name of ['store', '.tako']) {
    it(`of which ${name} is a link or a file is refused, for reading too`, (t) => {
      for (const make of [
        (path: string) => fs.symlinkSync('/tmp', path),
        (path: string) => fs.writeFileSync(path, ''),
      ]) {
        const root = scratch(t);
        make(join(root, name));
        assert.throws(() => openDestination(root, 'refuse'), { code: 'NOT_A_DIRECTORY' });
        assert.throws(() => openDestination(root, silence), { code: 'NOT_A_DIRECTORY' });
      }
    });
  }

  it('by another path tells that it is the same', (t) => {
    const { root, destination } = place(t);
    fs.symlinkSync(root, `${root}-link`);
    t.after(() => fs.rmSync(`${root}-link`));
    assert.equal(open(t, `${root}/../${root.split('/').at(-1)}`).identity, destination.identity);
    assert.notEqual(open(t, scratch(t)).identity, destination.identity);
  });

  it('leaves no descriptor open when it is refused', (t) => {
    const root = scratch(t);
    fs.mkdirSync(join(root, 'store'));
    fs.mkdirSync(join(root, '.tako'));
    fs.chmodSync(join(root, '.tako'), 0o777);
    const before = fs.readdirSync('/proc/self/fd').length;
    assert.throws(() => openDestination(root, 'refuse'), { code: 'UNSAFE_OWNER' });
    assert.equal(fs.readdirSync('/proc/self/fd').length, before);
  });

  it('is not led astray when the path is given to another directory afterwards', (t) => {
    const parent = scratch(t);
    fs.mkdirSync(join(parent, 'host'));
    const destination = open(t, join(parent, 'host'));
    fs.renameSync(join(parent, 'host'), join(parent, 'moved'));
    fs.mkdirSync(join(parent, 'host'));
    destination.writeManifest(Buffer.from('x'));
    assert.deepEqual([fs.readdirSync(join(parent, 'host')), fs.existsSync(join(parent, 'moved/manifest'))], [[], true]);
  });
});

describe('the manifest of a destination', () => {
  it('is absent at first, and then what was written, read-only', (t) => {
    const { root, destination } = place(t);
    assert.equal(destination.readManifest(), undefined);
    destination.writeManifest(Buffer.from('one'));
    assert.equal(fs.statSync(join(root, 'manifest')).mode & 0o7777, 0o444);
    assert.equal(Buffer.from(destination.readManifest()?.bytes ?? []).toString(), 'one');
  });

  it('is replaced as a whole, past a leftover that is read-only', (t) => {
    const root = withOwn(t);
    fs.writeFileSync(join(root, '.tako/manifest.tmp'), 'leftover', { mode: 0o444 });
    const destination = open(t, root);
    destination.writeManifest(Buffer.from('one'));
    const { ino } = fs.statSync(join(root, 'manifest'));
    destination.writeManifest(Buffer.from('two'));
    assert.notEqual(fs.statSync(join(root, 'manifest')).ino, ino);
    assert.deepEqual(fs.readdirSync(join(root, '.tako')), []);
  });

  it('knows when it was written', (t) => {
    const { root, destination } = place(t);
    destination.writeManifest(Buffer.from('one'));
    fs.utimesSync(join(root, 'manifest'), 1000, 1000);
    assert.equal(destination.readManifest()?.modifiedMs, 1_000_000);
  });

  it('beyond the limit is refused, and so is what is no file', (t) => {
    const { root, destination } = place(t);
    const path = join(root, 'manifest');
    fs.writeFileSync(path, '');
    fs.truncateSync(path, MANIFEST_LIMIT);
    assert.equal(destination.readManifest()?.bytes.length, MANIFEST_LIMIT);
    fs.truncateSync(path, MANIFEST_LIMIT + 1);
    assert.throws(() => destination.readManifest(), { code: 'TOO_LARGE' });
    fs.rmSync(path);
    fs.symlinkSync('elsewhere', path);
    assert.throws(() => destination.readManifest(), { code: 'NOT_A_REGULAR_FILE' });
    fs.rmSync(path);
    fs.mkdirSync(path);
    assert.throws(() => destination.readManifest(), { code: 'NOT_A_REGULAR_FILE' });
  });
});

describe('the link to the current image', () => {
  it('is absent at first, and then a relative link', (t) => {
    const { root, destination } = place(t);
    assert.equal(destination.readLatest(), undefined);
    destination.switchLatest(A);
    assert.equal(fs.readlinkSync(join(root, 'latest')), `store/${A}`);
    assert.equal(destination.readLatest(), A);
  });

  it('is replaced, past a leftover', (t) => {
    const root = withOwn(t);
    fs.symlinkSync('x', join(root, '.tako/latest.tmp'));
    fs.symlinkSync('dangling', join(root, 'latest'));
    const destination = open(t, root);
    destination.switchLatest(A);
    assert.deepEqual([destination.readLatest(), fs.readdirSync(join(root, '.tako'))], [A, []]);
  });

  for (const text of [
    'store',
    'store/',
    `store/${A}/`,
    `store/${A}/x`,
    `./store/${A}`,
    `store//${A}`,
    `/store/${A}`,
    `other/${A}`,
    `../host/store/${A}`,
    `store/${'A'.repeat(64)}`,
    `store/${'a'.repeat(63)}`,
    `store/${'a'.repeat(65)}`,
    `store/${'a'.repeat(63)}\n`,
    `store/.${A}.part`,
    A,
  ]) {
    it(`names no image as ${JSON.stringify(text)}`, (t) => {
      const { root, destination } = place(t);
      fs.symlinkSync(text, join(root, 'latest'));
      assert.equal(destination.readLatest(), undefined);
    });
  }

  it('is never a file or a directory', (t) => {
    for (const make of [(path: string) => fs.writeFileSync(path, ''), (path: string) => void fs.mkdirSync(path)]) {
      const { root, destination } = place(t);
      make(join(root, 'latest'));
      assert.throws(() => destination.readLatest(), { code: 'LATEST_NOT_A_LINK' });
    }
  });
});

describe('the memory of a destination', () => {
  const FULL: State = { ...EMPTY_STATE, etag: '"x"', previous: A, uncheckedLast: ['y'] };

  /** The state and what was warned about. */
  async function read(destination: Destination) {
    const warnings: string[] = [];
    const state = await destination.readState((text) => warnings.push(text));
    return { state, warnings: warnings.length };
  }
  function remembering(t: TestContext, text: string | Uint8Array): { root: string; destination: Destination } {
    const root = withOwn(t);
    fs.writeFileSync(join(root, '.tako/state.json'), text);
    return { root, destination: open(t, root) };
  }

  it('is empty at first, without a warning', async (t) => {
    assert.deepEqual(await read(place(t).destination), { state: EMPTY_STATE, warnings: 0 });
    assert.deepEqual(await read(open(t, withOwn(t))), { state: EMPTY_STATE, warnings: 0 });
  });

  it('comes back as it was written, into a file that everybody may read', async (t) => {
    const { root, destination } = place(t);
    await destination.writeState(FULL);
    assert.deepEqual(await read(destination), { state: FULL, warnings: 0 });
    assert.equal(fs.statSync(join(root, '.tako/state.json')).mode & 0o7777, 0o644);
    assert.equal(fs.statSync(join(root, '.tako')).mode & 0o022, 0);
    assert.deepEqual(fs.readdirSync(join(root, '.tako')), ['state.json']);
  });

  it('is not written again when nothing changed', async (t) => {
    const { root, destination } = place(t);
    await destination.writeState(FULL);
    const { ino, mtimeMs } = fs.statSync(join(root, '.tako/state.json'));
    await destination.writeState({ ...FULL });
    const after = fs.statSync(join(root, '.tako/state.json'));
    assert.deepEqual([after.ino, after.mtimeMs], [ino, mtimeMs]);
    await destination.writeState({ ...FULL, etag: null });
    assert.notEqual(fs.statSync(join(root, '.tako/state.json')).ino, ino);
  });

  for (const [what, text] of [
    ['damaged', '{"schema":'],
    ['empty', ''],
    ['of a newer program', '{"schema":"tako.state/2","hold":"new"}'],
  ] as const) {
    it(`when it is ${what} is as if empty, with a warning, and is kept beside when written over`, async (t) => {
      const { root, destination } = remembering(t, text);
      assert.deepEqual(await read(destination), { state: EMPTY_STATE, warnings: 1 });
      assert.equal(fs.readFileSync(join(root, '.tako/state.json'), 'utf8'), text);
      await destination.writeState(FULL);
      assert.deepEqual(await read(destination), { state: FULL, warnings: 0 });
      assert.equal(fs.readFileSync(join(root, '.tako/state.json.unread'), 'utf8'), text);
    });
  }

  it('when it is larger than any is as if empty, with a warning, and no obstacle to writing it anew', async (t) => {
    const { destination } = remembering(t, Buffer.alloc(STATE_LIMIT + 1, ' '));
    assert.deepEqual(await read(destination), { state: EMPTY_STATE, warnings: 1 });
    await destination.writeState(FULL);
    assert.deepEqual(await read(destination), { state: FULL, warnings: 0 });
  });

  it('that was good is not kept beside', async (t) => {
    const { root, destination } = remembering(t, encodeState(FULL));
    await destination.writeState(EMPTY_STATE);
    assert.deepEqual(fs.readdirSync(join(root, '.tako')), ['state.json']);
  });
});

describe('the lock of a destination', () => {
  it('keeps a second one out until it is released, and is a private file', async (t) => {
    const { root, destination } = place(t);
    const first = await destination.lock(quietly, never);
    const second = open(t, root);
    await assert.rejects(second.lock(quietly, never), { code: 'LOCK_TIMEOUT' });
    assert.equal(fs.statSync(join(root, '.tako/lock')).mode & 0o7777, 0o600);
    first.release();
    (await second.lock(quietly, never)).release();
  });

  it('is waited for, and that is said once', async (t) => {
    const { root, destination } = place(t);
    const first = await destination.lock(quietly, never);
    let said = 0;
    const waiting = open(t, root).lock({ timeoutMs: 10_000, onWait: () => void said++ }, never);
    setTimeout(() => first.release(), 60);
    (await waiting).release();
    assert.equal(said, 1);
  });
});

describe('leftovers in the root of a destination', () => {
  it('of ours go, and of the original program when they are stale', (t) => {
    const root = withOwn(t);
    for (const name of ['manifest.tmp', 'latest.tmp', 'state.json.tmp', 'state.json', 'lock'])
      fs.writeFileSync(join(root, '.tako', name), '');
    fs.writeFileSync(join(root, 'manifest.new'), '');
    const destination = open(t, root);
    destination.removeTemporaries(() => false);
    assert.deepEqual(fs.readdirSync(join(root, '.tako')).sort(), ['lock', 'state.json']);
    assert.ok(fs.existsSync(join(root, 'manifest.new')));
    destination.removeTemporaries(() => true);
    assert.ok(!fs.existsSync(join(root, 'manifest.new')));
  });

  it('do not include what only has their name', (t) => {
    const { root, destination } = place(t);
    fs.mkdirSync(join(root, 'manifest.new'));
    destination.removeTemporaries(() => true);
    assert.ok(fs.existsSync(join(root, 'manifest.new')));
  });
});
