import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { makeImage, makeIndex } from '../../../test/support/oci-image.ts';
import { scratch } from '../../../test/support/scratch.ts';
import {
  type Digest,
  digestOf,
  encodeManifest,
  hostPlatform,
  MEDIA,
  type RawManifest,
  rawManifest,
} from '../../oci/index.ts';
import { parseImageName } from '../image-name.ts';
import { openImages } from '../images.ts';
import type { ImageSource } from '../ports.ts';
import { copyImage, planCopy } from './copy.ts';
import { collectMembers } from './members.ts';
import type { CopyOptions } from './options.ts';

const signal = new AbortController().signal;
const PLATFORM = { os: 'linux', architecture: 'amd64' };
const OPTIONS: CopyOptions = {
  all: false,
  platform: hostPlatform(),
  preserveDigests: false,
  removeSignatures: false,
  admit: async () => undefined,
  onProgress: () => undefined,
  signal,
};

function open(t: TestContext) {
  const images = openImages({ http: { userAgent: 'tako/test', env: {} }, onNote: () => undefined, env: {}, uid: 0 });
  t.after(() => images.close());
  const source = (name: string) => images.source(parseImageName(name), signal);
  const destination = (name: string) => images.destination(parseImageName(name), signal);
  return {
    source,
    /** @returns what was stored, and which blobs were read for it */
    async copy(from: string, to: string, options: Partial<CopyOptions> = {}, work: typeof copyImage = copyImage) {
      const [here, there] = [await source(from), await destination(to)];
      const read: Digest[] = [];
      const readBlob: ImageSource['readBlob'] = (descriptor, ...rest) => {
        read.push(descriptor.digest);
        return here.readBlob(descriptor, ...rest);
      };
      const watched: ImageSource = {
        ...here,
        readManifest: (...words) => here.readManifest(...words),
        simpleSignatures: (...words) => here.simpleSignatures(...words),
        readBlob,
      };
      try {
        return { read, result: await work(watched, there, { ...OPTIONS, ...options }) };
      } finally {
        await there.close();
        await here.close();
      }
    },
  };
}

const isRefused = (code: string) => ({ name: 'ImagesError', code });

describe('a copy that has to keep digests', () => {
  for (const place of ['oci', 'dir'] as const) {
    it(`is not made from ${place}: to docker-archive:, and nothing is there`, async (t) => {
      const folder = scratch(t);
      const { copy } = open(t);
      await makeImage(join(folder, 'layout'), { tag: 'v1', packing: 'none', docker: true });
      const from = place === 'oci' ? `oci:${folder}/layout:v1` : `dir:${folder}/dir`;
      if (place === 'dir') await copy(`oci:${folder}/layout:v1`, from, { format: 'v2s2' });
      const before = readdirSync(folder);
      const to = `docker-archive:${folder}/to.tar:example.com/x:v1`;
      const asked = { preserveDigests: true, format: 'v2s2' } as const;
      await assert.rejects(copy(from, to, asked), isRefused('DIGEST_WOULD_CHANGE'));
      await assert.rejects(
        copy(from, to, asked, async (...words) => (await planCopy(...words)) as never),
        isRefused('DIGEST_WOULD_CHANGE'),
      );
      assert.deepEqual(readdirSync(folder), before);
    });
  }

  it('is made from one docker-archive: to another, for both have the manifest that is made up', async (t) => {
    const folder = scratch(t);
    const { copy } = open(t);
    await makeImage(join(folder, 'layout'), { tag: 'v1' });
    const [from, to] = [`docker-archive:${folder}/a.tar`, `docker-archive:${folder}/b.tar`];
    const first = await copy(`oci:${folder}/layout:v1`, from);
    const second = await copy(from, to, { preserveDigests: true });
    assert.equal(second.result.manifest.digest, first.result.manifest.digest);
  });

  it('is refused before a blob moves where only the index would change', async (t) => {
    const folder = scratch(t);
    const { copy } = open(t);
    await makeIndex(join(folder, 'layout'), [{ platform: PLATFORM, docker: true }], 'many');
    const asked = { all: true, preserveDigests: true, format: 'v2s2' } as const;
    await assert.rejects(
      copy(`oci:${folder}/layout:many`, `dir:${folder}/to`, asked),
      isRefused('DIGEST_WOULD_CHANGE'),
    );
    assert.deepEqual(readdirSync(folder), ['layout']);
  });
});

describe('a copy of an index', () => {
  it('packs a layer once that several of its images have', async (t) => {
    const folder = scratch(t);
    const { copy, source } = open(t);
    const members = ['amd64', 'arm64', 's390x'].map((architecture) => ({ platform: { os: 'linux', architecture } }));
    const index = await makeIndex(join(folder, 'layout'), members, 'many');
    const layers = index.members[0]?.layers.map(({ digest }) => digest) ?? [];
    assert.deepEqual(
      index.members[2]?.layers.map(({ digest }) => digest),
      layers,
      'the same in all of them',
    );
    const { read, result } = await copy(`oci:${folder}/layout:many`, `oci:${folder}/to:v1`, {
      all: true,
      packing: 'none',
    });
    for (const layer of layers) assert.equal(read.filter((digest) => digest === layer).length, 1, layer);
    const copied = await collectMembers(await source(`oci:${folder}/to:v1`), result.manifest, signal);
    assert.ok('members' in copied && copied.members.length === 3);
    assert.equal(result.blobsCopied, 3 + layers.length, 'a configuration each, and the layers');
  });

  it('takes the signatures of its images along, and those of itself', async (t) => {
    const folder = scratch(t);
    const { copy } = open(t);
    const index = await makeIndex(join(folder, 'layout'), [{ platform: PLATFORM }], 'many');
    const hex = index.members[0]?.raw.digest.slice(7);
    await copy(`oci:${folder}/layout:many`, `dir:${folder}/signed`, { all: true });
    writeFileSync(join(folder, 'signed', 'signature-1'), 'of the index');
    writeFileSync(join(folder, 'signed', `${hex}-signature-1`), 'of the image');
    await copy(`dir:${folder}/signed`, `dir:${folder}/to`, { all: true });
    assert.equal(readFileSync(join(folder, 'to', 'signature-1'), 'utf8'), 'of the index');
    assert.equal(readFileSync(join(folder, 'to', `${hex}-signature-1`), 'utf8'), 'of the image');
    const changed = { all: true, packing: 'none' } as const;
    await assert.rejects(copy(`dir:${folder}/signed`, `dir:${folder}/x`, changed), isRefused('DIGEST_WOULD_CHANGE'));
    await copy(`dir:${folder}/signed`, `dir:${folder}/x`, { ...changed, removeSignatures: true });
  });
});

describe('a copy of a signed image', () => {
  for (const place of ['oci', 'oci-archive', 'docker-archive'] as const) {
    it(`to ${place}:, which keeps no signatures, is refused before anything is there`, async (t) => {
      const folder = scratch(t);
      const { copy } = open(t);
      await makeImage(join(folder, 'layout'), { tag: 'v1', packing: 'none' });
      await copy(`oci:${folder}/layout:v1`, `dir:${folder}/signed`);
      writeFileSync(join(folder, 'signed', 'signature-1'), 'of the image');
      const to = `${place}:${folder}/to:${place === 'docker-archive' ? 'example.com/x:' : ''}v1`;
      await assert.rejects(copy(`dir:${folder}/signed`, to), isRefused('TRANSPORT_UNSUPPORTED'));
      assert.deepEqual(readdirSync(folder).sort(), ['layout', 'signed']);
      await copy(`dir:${folder}/signed`, to, { removeSignatures: true });
      assert.ok(existsSync(join(folder, 'to')));
    });
  }
});

describe('what an index leads to', () => {
  const describeRaw = ({ mediaType, digest, bytes }: RawManifest) => ({ mediaType, digest, size: bytes.length });
  const indexOf = (manifests: readonly RawManifest[]): RawManifest => {
    const common = { artifactType: undefined, subject: undefined, annotations: {} };
    const fields = { mediaType: MEDIA.ociIndex, manifests: manifests.map(describeRaw), ...common };
    return rawManifest(encodeManifest({ kind: 'index', ...fields }));
  };
  const image = (size: number, name: string): RawManifest => {
    const config = { mediaType: MEDIA.empty, digest: digestOf(Buffer.from('{}')), size: 2 };
    const annotations = { name, filling: 'x'.repeat(size) };
    const bytes = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociManifest, config, layers: [], annotations });
    return rawManifest(Buffer.from(bytes));
  };
  /** A source that counts what is read of it. */
  function sourceOf(...raws: readonly RawManifest[]) {
    const asked: string[] = [];
    const source = {
      name: parseImageName('docker://quay.io/x:1'),
      readManifest: async (digest: Digest | undefined) => {
        asked.push(String(digest));
        return raws.find((raw) => raw.digest === digest) ?? assert.fail(`nobody has ${digest}`);
      },
    } as unknown as ImageSource; // nothing else of it is asked
    return { asked, source };
  }

  it('is read once, however often it is named', async () => {
    const one = image(3 * 2 ** 20, 'one');
    const { asked, source } = sourceOf(one);
    const found = await collectMembers(source, indexOf(Array.from({ length: 900 }, () => one)), signal);
    assert.ok('members' in found && found.members.length === 900);
    assert.deepEqual(asked, [one.digest]);
  });

  it('is counted as often as it is named, so that indexes of one index do not grow without end', async () => {
    let index = indexOf([image(1, 'one')]);
    const all = [index, image(1, 'one')];
    for (let level = 0; level < 6; level++) {
      const below = index;
      index = indexOf(Array.from({ length: 20 }, () => below));
      all.push(index);
    }
    const { asked, source } = sourceOf(...all);
    await assert.rejects(collectMembers(source, index, signal), { code: 'TOO_LARGE' });
    assert.ok(asked.length < 10);
  });

  it('may not fill the memory', async () => {
    const all = Array.from({ length: 24 }, (_, i) => image(3 * 2 ** 20, `${i}`));
    const { asked, source } = sourceOf(...all);
    await assert.rejects(collectMembers(source, indexOf(all), signal), { code: 'TOO_LARGE' });
    assert.ok(asked.length < all.length);
  });
});
