import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { rawManifest } from '../manifest.ts';
import { openLayout } from './layout.ts';
import { changeLayout, createLayout, type LayoutWriterOptions } from './layout-writer.ts';

async function writer(t: TestContext, directory: string, options: LayoutWriterOptions = {}) {
  const layout = await createLayout(directory, options);
  t.after(() => layout.close());
  return layout;
}

interface Sample {
  readonly raw: ReturnType<typeof rawManifest>;
  readonly short: string;
  readonly descriptor: { readonly mediaType: string; readonly digest: `sha256:${string}`; readonly size: number };
}

describe('a tag', () => {
  const tags = (directory: string) => {
    const layout = openLayout(directory);
    try {
      return layout.index().manifests.map(({ digest, annotations }) => [digest.slice(7, 11), annotations ?? null]);
    } finally {
      layout.close();
    }
  };
  const named = (tag: string) => ({ 'org.opencontainers.image.ref.name': tag });
  const manifest = (text: string) => rawManifest(Buffer.from(JSON.stringify({ schemaVersion: 2, text })));
  const [A, B] = [manifest('a'), manifest('b')].map((raw) => ({
    raw,
    short: raw.digest.slice(7, 11),
    descriptor: { mediaType: raw.mediaType, digest: raw.digest, size: raw.bytes.length },
  })) as [Sample, Sample];

  async function set(directory: string, ...changes: readonly (readonly [Sample, string | undefined])[]) {
    const layout = await createLayout(directory);
    for (const [image, tag] of changes) {
      layout.writeManifest(image.raw);
      layout.setTag(image.descriptor, tag);
    }
    layout.flush();
    layout.close();
  }

  it('is an annotation of an entry', async (t) => {
    const directory = scratch(t);
    await set(directory, [A, '1.0'], [B, 'docker.io/library/busybox:latest']);
    assert.deepEqual(tags(directory), [
      [A.short, named('1.0')],
      [B.short, named('docker.io/library/busybox:latest')],
    ]);
  });

  it('that is set again moves, and the entry stays in its place', async (t) => {
    const directory = scratch(t);
    await set(directory, [A, 'x'], [A, 'y'], [B, 'x']);
    assert.deepEqual(tags(directory), [
      [B.short, named('x')],
      [A.short, named('y')],
    ]);
  });

  it('takes the place of the same image without one', async (t) => {
    const directory = scratch(t);
    await set(directory, [A, undefined], [A, 'x']);
    assert.deepEqual(tags(directory), [[A.short, named('x')]]);
  });

  it('is missing: then the image is the only one', async (t) => {
    const directory = scratch(t);
    await set(directory, [A, 'x'], [A, 'y'], [B, undefined]);
    assert.deepEqual(tags(directory), [[B.short, null]]);
  });

  it('is removed from the index, and the image stays among the blobs', async (t) => {
    const directory = scratch(t);
    await set(directory, [A, 'x'], [B, 'y']);
    const layout = await changeLayout(directory);
    assert.throws(() => layout.removeTag('z'), { code: 'IMAGE_MISSING' });
    layout.removeTag('x');
    layout.flush();
    layout.close();
    assert.deepEqual(tags(directory), [[B.short, named('y')]]);
    assert.ok(fs.existsSync(join(directory, 'blobs/sha256', A.raw.digest.slice(7))));
  });

  for (const tag of ['', '@x', 'a b', 'a\n', '-a', 'a-', 'a..b', '/a', 'a/', 'a//b', 'ä', 'x'.repeat(2000)]) {
    it(`is not ${JSON.stringify(tag.slice(0, 10))}`, async (t) => {
      const layout = await writer(t, scratch(t));
      assert.throws(() => layout.setTag(A.descriptor, tag), { name: 'OciError', code: 'BAD_REFERENCE' });
    });
  }

  it('leaves what others wrote into the index', async (t) => {
    const directory = scratch(t);
    await set(directory, [A, 'x']);
    const path = join(directory, 'index.json');
    const index = JSON.parse(fs.readFileSync(path, 'utf8'));
    index.mediaType = 'application/vnd.oci.image.index.v1+json';
    index.annotations = { by: 'others' };
    index.manifests[0].unknown = [1];
    fs.writeFileSync(path, JSON.stringify(index));
    await set(directory, [B, 'y']);
    const after = JSON.parse(fs.readFileSync(path, 'utf8'));
    assert.deepEqual(
      [after.mediaType, after.annotations, after.manifests[0]],
      [index.mediaType, { by: 'others' }, index.manifests[0]],
    );
    assert.equal(after.manifests.length, 2);
  });
});
