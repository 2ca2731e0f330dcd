import assert from 'node:assert/strict';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { mutate, seededRandom } from '../../../test/support/mutate.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { CodedError } from '../../base/error.ts';
import { systemCalls } from '../../linux/calls/ffi.ts';
import { SystemError } from '../../linux/calls/system-error.ts';
import { type Digest, digestOf } from '../digest.ts';
import { blob, whole } from '../docker-archive/docker-archive.fixture.ts';
import { parseManifest } from '../manifest.ts';
import { MEDIA } from '../media-types.ts';
import { openStoredImage } from './open-image.ts';
import { type MadeStorage, makeStorage, NAME, put, splitTar } from './storage.fixture.ts';
import type { StoredImage } from './stored-image.ts';

const SEED = Number(process.env['SEED'] ?? 20261121);
const INTERESTING = Buffer.from('{}[]",:\\/@.-_0129eE nulltrue\0\xff', 'latin1');
const signal = new AbortController().signal;
const OPTIONS = { env: {}, uid: 0, signal };
const spec = ({ root, driver }: MadeStorage, image = NAME): string => `[${driver}@${root}+/run/none]${image}`;

async function open(t: TestContext, storage: MadeStorage, image = NAME): Promise<StoredImage> {
  const opened = await openStoredImage(spec(storage, image), OPTIONS);
  t.after(() => opened.close());
  return opened;
}

const tarDigest = ({ tars }: MadeStorage, i: number): Digest => digestOf(tars[i] ?? Buffer.alloc(0));
const read = (image: StoredImage, digest: Digest, from = 0) => whole(image.readBlob(blob(digest), from, signal));

describe('an image in the storage of podman', () => {
  for (const driver of ['overlay', 'vfs'] as const) {
    it(`of the driver ${driver} has the tars of its layers under their diff ids`, async (t) => {
      const storage = await makeStorage(scratch(t), driver);
      const image = await open(t, storage);
      const raw = await image.readManifest(undefined, signal);
      const manifest = parseManifest(raw);
      assert.ok(manifest.kind === 'image');
      assert.deepEqual(manifest.annotations, { kept: 'yes' });
      assert.deepEqual(
        manifest.layers,
        storage.tars.map((tar) => ({ mediaType: MEDIA.ociLayer, digest: digestOf(tar), size: tar.length })),
      );
      assert.deepEqual(await read(image, manifest.config.digest), storage.config);
      for (const [i, tar] of storage.tars.entries()) {
        for (const from of [0, 1, 512, 1100, tar.length - 1, tar.length]) {
          assert.deepEqual(digestOf(await read(image, tarDigest(storage, i), from)), digestOf(tar.subarray(from)));
        }
      }
      await assert.rejects(read(image, digestOf(Buffer.from('x'))), { code: 'BLOB_MISSING' });
      assert.equal((await image.readManifest(raw.digest, signal)).digest, raw.digest);
      await assert.rejects(image.readManifest(manifest.config.digest, signal), { code: 'IMAGE_MISSING' });
    });
  }

  it('is found by name, by id, by the beginning of an id, and by the digest of its manifest', async (t) => {
    const storage = await makeStorage(scratch(t));
    const { id, digest } = storage;
    for (const name of [NAME, `@${id}`, `@${id.slice(0, 3)}`, `localhost/app@${id}`, `localhost/app@${digest}`]) {
      assert.ok((await open(t, storage, name)) !== undefined, name);
    }
    const absent = ['localhost/app', 'app:v1', `@${'0'.repeat(64)}`, `other@${id}`, `other@${digest}`];
    for (const name of absent) await assert.rejects(open(t, storage, name), { code: 'IMAGE_MISSING' }, name);
  });

  it('is not guessed when several ids begin alike', async (t) => {
    const storage = await makeStorage(scratch(t));
    storage.writeImages(['1', '2'].map((end) => ({ id: `${'c'.repeat(63)}${end}` })));
    await assert.rejects(open(t, storage, '@cccc'), { code: 'TAG_AMBIGUOUS' });
  });

  it('may lie in an additional store, and its layers in another', async (t) => {
    const storage = await makeStorage(join(scratch(t), 'far'));
    const near = scratch(t);
    mkdirSync(join(near, 'overlay-images'));
    const name = `[overlay@${near}:overlay.imagestore=${storage.root},additionalimagestore=/nonexistent]${NAME}`;
    const image = await openStoredImage(name, OPTIONS);
    t.after(() => image.close());
    assert.equal(digestOf(await read(image, tarDigest(storage, 0))), tarDigest(storage, 0));
  });

  it('is measured where the storage does not say how large a layer is', async (t) => {
    const storage = await makeStorage(scratch(t));
    storage.writeLayers(storage.layers.map((id, i) => ({ id, parent: storage.layers[i - 1] })));
    const manifest = parseManifest(await (await open(t, storage)).readManifest(undefined, signal));
    assert.ok(manifest.kind === 'image');
    assert.deepEqual(
      manifest.layers.map(({ size }) => size),
      storage.tars.map(({ length }) => length),
    );
  });

  it('has files under names that are no text', async (t) => {
    const storage = await makeStorage(scratch(t));
    const name = Buffer.from([0x75, 0x73, 0x72, 0x2f, 0xe9]);
    const line = { type: 1, name: 'usr/\ufffd', name_raw: name.toString('base64'), size: 3 };
    put(storage.tarSplit(1), gzipSync(JSON.stringify(line)));
    writeFileSync(Buffer.concat([Buffer.from(`${storage.files(1)}/`), name]), 'yes');
    assert.equal(String(await read(await open(t, storage), tarDigest(storage, 1))), 'yes');
  });

  it('waits for a program that is changing the storage', { skip: systemCalls() === undefined }, async (t) => {
    const storage = await makeStorage(scratch(t));
    const fd = openSync(join(storage.root, 'overlay-images/images.lock'), 'r+');
    assert.ok(systemCalls()?.ofdLock(fd, 'exclusive'));
    let isOpen = false;
    const opening = open(t, storage).then(() => {
      isOpen = true;
    });
    await sleep(100);
    assert.ok(!isOpen);
    const stopped = openStoredImage(spec(storage), { ...OPTIONS, signal: AbortSignal.timeout(20) });
    await assert.rejects(stopped, { name: 'TimeoutError' });
    closeSync(fd);
    await opening;
    assert.ok(isOpen);
  });
});

describe('a damaged storage', () => {
  const damages: Readonly<Record<string, (storage: MadeStorage) => void>> = {
    'a missing file': ({ files }) => rmSync(join(files(0), 'usr/small')),
    'a file of another size': ({ files }) => truncateSync(join(files(0), 'usr/large'), 5),
    'a link in place of a file': ({ files }) => {
      rmSync(join(files(0), 'usr/small'));
      symlinkSync('/etc/hostname', join(files(0), 'usr/small'));
    },
    'a link that leads out of the layer in place of a folder': ({ files, root }) => {
      renameSync(join(files(0), 'usr'), join(root, 'outside'));
      symlinkSync('../../../outside', join(files(0), 'usr'));
    },
    'links in a circle': ({ files }) => {
      rmSync(join(files(0), 'usr'), { recursive: true });
      symlinkSync('usr', join(files(0), 'usr'));
    },
    'no files at all': ({ files }) => rmSync(files(0), { recursive: true }),
    'a record that is no JSON': ({ tarSplit }) => put(tarSplit(0), gzipSync('{"type":1,')),
    'a record of unknown type': ({ tarSplit }) => put(tarSplit(0), gzipSync('{"type":3}')),
    'a record that is no base64': ({ tarSplit }) => put(tarSplit(0), gzipSync('{"type":2,"payload":"*"}')),
    'a record with a name of dots': ({ tarSplit }) => put(tarSplit(0), gzipSync('{"type":1,"name":"..","size":1}')),
  };
  for (const [what, damage] of Object.entries(damages)) {
    it(`is named, not read: ${what}`, async (t) => {
      const storage = await makeStorage(scratch(t));
      damage(storage);
      const image = await open(t, storage);
      await assert.rejects(read(image, tarDigest(storage, 0)), (error: unknown) => {
        assert.ok(error instanceof CodedError, String(error));
        assert.match(error.code, /^(?:STORAGE|MANIFEST)_MALFORMED$/);
        return true;
      });
    });
  }

  it('is one whose layers are not those of the configuration, are missing, or form a circle', async (t) => {
    const storage = await makeStorage(scratch(t));
    const [first, second] = storage.layers;
    for (const layers of [
      [{ id: second }],
      [{ id: second, parent: first }],
      [
        { id: first, parent: second },
        { id: second, parent: first },
      ],
      [
        { id: first, 'diff-digest': digestOf(Buffer.from('x')) },
        { id: second, parent: first },
      ],
      'no list',
    ]) {
      storage.writeLayers(layers);
      const reading = open(t, storage).then((image) => image.readManifest(undefined, signal));
      await assert.rejects(reading, { code: 'STORAGE_MALFORMED' }, JSON.stringify(layers));
    }
  });

  it('is not one whose links lead elsewhere within the layer', async (t) => {
    const storage = await makeStorage(scratch(t));
    renameSync(join(storage.files(0), 'usr'), join(storage.files(0), 'real'));
    symlinkSync('../../../../real', join(storage.files(0), 'usr'));
    const image = await open(t, storage);
    assert.equal(digestOf(await read(image, tarDigest(storage, 0))), tarDigest(storage, 0));
  });

  it('cannot give layers that did not come as tars', async (t) => {
    const storage = await makeStorage(scratch(t));
    rmSync(storage.tarSplit(0));
    const image = await open(t, storage);
    await assert.rejects(read(image, tarDigest(storage, 0)), { code: 'STORAGE_UNSUPPORTED' });
  });

  it('gives a value or a coded error, whatever is changed in its files', async (t) => {
    const storage = await makeStorage(scratch(t));
    const record = Buffer.from(splitTar(storage.tars[1] ?? Buffer.alloc(0)));
    const images = join(storage.root, 'overlay-images/images.json');
    const layers = join(storage.root, 'overlay-layers/layers.json');
    const subjects: readonly (readonly [original: Buffer, write: (bytes: Buffer) => void])[] = [
      [record, (bytes) => put(storage.tarSplit(1), gzipSync(bytes, { level: 1 }))],
      [readFileSync(images), (bytes) => put(images, bytes)],
      [readFileSync(layers), (bytes) => put(layers, bytes)],
    ];
    const random = seededRandom(SEED);
    let [values, refused] = [0, 0];
    for (const [original, write] of subjects) {
      for (let round = 0; round < 150; round++) {
        write(mutate(original, random, INTERESTING));
        try {
          const image = await open(t, storage);
          await read(image, tarDigest(storage, 1));
          values++;
        } catch (error) {
          assert.ok(error instanceof CodedError || error instanceof SystemError, `seed ${SEED}: ${String(error)}`);
          refused++;
        }
      }
      write(original);
    }
    assert.ok(values > 0 && refused > 0, `${values} values, ${refused} errors`);
  });
});
