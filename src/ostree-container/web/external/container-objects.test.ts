import assert from 'node:assert/strict';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../../test/support/scratch.ts';
import { objectsOf } from '../../../ostree/index.ts';
import { get, madeRepository, serve } from '../web.fixture.ts';
import { openContainerObjects } from './container-objects.ts';

const { signal } = new AbortController();
const SMALL = 'hello\n';
/** More than is kept in memory, and not to be compressed. */
const LARGE = Buffer.from(Array.from({ length: 700_000 }, (_, i) => (i * i * 7919) >> 5));

/** A container whose repository lacks all content: it lies in its files, and a map says which is which. */
async function container(t: TestContext) {
  const files = { 'usr/small': SMALL, 'usr/large': LARGE, 'usr/empty': '' };
  const made = await madeRepository(t, { files });
  const root = scratch(t);
  const reader = objectsOf(made.repository);
  const { rootTree } = reader.commit(made.commit);
  const usr = reader.dirTree(rootTree).directories[0];
  assert.ok(usr);
  const lines = reader.dirTree(usr.tree).files.map(({ name, checksum }) => {
    const stored = reader.file(checksum);
    stored.close();
    const { uid, gid, mode } = stored.header;
    return { path: `/usr/${name}`, object: checksum, size: stored.size, external: true, uid, gid, mode, xattrs: [] };
  });
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(dirname(join(root, name)), { recursive: true });
    fs.writeFileSync(join(root, name), content);
  }
  const map = join(scratch(t), 'object-map');
  const write = (entries: readonly object[]) =>
    fs.writeFileSync(
      map,
      [{ format: 'ostree-object-map', version: 1, commit: made.commit }, ...entries]
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(''),
    );
  write(lines);
  const notes: string[] = [];
  const open = () => openContainerObjects({ root, map, onNote: (text) => notes.push(text) });
  const objectOf = (name: string) => lines.find(({ path }) => path === `/usr/${name}`)?.object ?? '';
  return { ...made, root, map, lines, write, notes, open, objectOf };
}

const targetOf = (checksum: string) => `/repo/objects/${checksum.slice(0, 2)}/${checksum.slice(2)}.filez`;

describe('content that lies in the files of a container', () => {
  it('is served as an object that everybody accepts, whole and in parts, each time the same', async (t) => {
    const made = await container(t);
    const external = await made.open();
    assert.ok(external);
    for (const name of ['small', 'large', 'empty']) {
      const checksum = made.objectOf(name);
      const path = join(made.path, 'objects', checksum.slice(0, 2), `${checksum.slice(2)}.filez`);
      fs.unlinkSync(path);
      const { port } = await serve(t, made.repository, { external });
      const whole = await get(port, targetOf(checksum));
      assert.deepEqual([whole.status, whole.headers.get('content-length')], [200, String(whole.body.length)], name);
      const part = await get(port, targetOf(checksum), { Range: 'bytes=20-' });
      assert.deepEqual([part.status, part.body.equals(whole.body.subarray(20))], [206, true], name);
      assert.equal(
        (await get(port, targetOf(checksum), { method: 'HEAD' })).headers.get('content-length'),
        String(whole.body.length),
      );
      fs.writeFileSync(path, whole.body);
      const stored = objectsOf(made.repository).file(checksum);
      const chunks: Buffer[] = [];
      for await (const chunk of stored.chunks()) chunks.push(Buffer.from(chunk));
      stored.close();
      assert.ok(Buffer.concat(chunks).equals(fs.readFileSync(join(made.root, 'usr', name))), name);
    }
    assert.deepEqual(made.notes, []);
  });

  it('is not served when the file was changed, is gone, or lies behind a link; that is noted', async (t) => {
    const made = await container(t);
    const external = await made.open();
    assert.ok(external);
    const ask = async (name: string) => (await external.rebuild(made.objectOf(name), signal))?.size;
    assert.ok(((await ask('large')) ?? 0) > 0); // it is remembered as good
    fs.writeFileSync(
      join(made.root, 'usr/large'),
      LARGE.map((byte) => byte ^ 1),
    );
    fs.appendFileSync(join(made.root, 'usr/small'), 'more');
    fs.unlinkSync(join(made.root, 'usr/empty'));
    assert.deepEqual([await ask('large'), await ask('small'), await ask('empty')], [undefined, undefined, undefined]);
    fs.writeFileSync(join(made.root, 'usr/other'), SMALL);
    fs.unlinkSync(join(made.root, 'usr/small'));
    fs.symlinkSync('other', join(made.root, 'usr/small'));
    assert.equal(await ask('small'), undefined);
    assert.equal(made.notes.length, 4);
    assert.equal(await external.rebuild('0'.repeat(64), signal), undefined);
  });

  it('may have another owner on the disk: the map says whose it is', async (t) => {
    const made = await container(t);
    fs.chmodSync(join(made.root, 'usr/small'), 0o600);
    const external = await made.open();
    assert.ok(await external?.rebuild(made.objectOf('small'), signal));
    made.write(made.lines.map((line) => ({ ...line, uid: line.uid + 1 })));
    const wrong = await made.open();
    assert.equal(await wrong?.rebuild(made.objectOf('small'), signal), undefined);
  });

  it('is never outside of the container, whatever the map says', async (t) => {
    const made = await container(t);
    fs.writeFileSync(join(dirname(made.root), 'outside'), SMALL);
    t.after(() => fs.rmSync(join(dirname(made.root), 'outside')));
    made.write(made.lines.map((line) => ({ ...line, path: '/../outside' })));
    const external = await made.open();
    assert.equal(await external?.rebuild(made.objectOf('small'), signal), undefined);
  });

  it('leaves no descriptor behind', async (t) => {
    const made = await container(t);
    const external = await made.open();
    const before = fs.readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 3; i++) {
      const rebuilt = await external?.rebuild(made.objectOf('large'), signal);
      for await (const chunk of rebuilt?.chunks(0, 10) ?? []) assert.equal(chunk.length, 10);
      rebuilt?.close();
      (await external?.rebuild(made.objectOf('small'), signal))?.close();
    }
    assert.equal(fs.readdirSync('/proc/self/fd').length, before);
  });

  it('is nothing without a map, or when the map names none; a damaged map is an error', async (t) => {
    const made = await container(t);
    made.write(made.lines.map(({ path, object, size }) => ({ path, object, size })));
    assert.equal(await made.open(), undefined);
    fs.writeFileSync(made.map, 'no map\n');
    await assert.rejects(made.open(), { code: 'SEED_MALFORMED' });
    fs.unlinkSync(made.map);
    assert.equal(await made.open(), undefined);
  });
});
