import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { addArtifact, makeImage } from '../../../test/support/oci-image.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { createLayout, type Descriptor } from '../../oci/index.ts';
import { parseImageName } from '../image-name.ts';
import { archiveDestination, layoutDestination, layoutSource } from './layout.ts';

const signal = new AbortController().signal;
const TYPE = 'application/vnd.example.statement';

/** A layout with an image, and what says something about it in another one. */
async function setting(t: Parameters<typeof scratch>[0], tag: string | undefined) {
  const folder = scratch(t);
  const { raw, descriptor } = await makeImage(join(folder, 'layout'), { tag });
  const elsewhere = await createLayout(join(folder, 'elsewhere'));
  const about: Descriptor = { mediaType: raw.mediaType, digest: raw.digest, size: raw.bytes.length };
  const referrer = await addArtifact(elsewhere, { artifactType: TYPE, subject: about, content: Buffer.from('true') });
  elsewhere.close();
  const name = (selector = '') => parseImageName(`oci:${folder}/layout${selector}`);
  return { folder, raw, descriptor, referrer, name };
}

describe('a referrer in a layout', () => {
  it('is listed in its index without a name, and found again, once', async (t) => {
    const { folder, raw, referrer, name } = await setting(t, 'v1');
    for (let i = 0; i < 2; i++) {
      const destination = layoutDestination(name(':v1'), {});
      await destination.putReferrer?.(referrer.raw, signal);
      await destination.close();
    }
    const { manifests } = JSON.parse(readFileSync(join(folder, 'layout', 'index.json'), 'utf8'));
    assert.equal(manifests.length, 2);
    assert.deepEqual(manifests[1], { ...referrer.descriptor, artifactType: TYPE });
    const source = await layoutSource(name(':v1'), signal);
    t.after(() => source.close());
    assert.deepEqual(await source.referrers(raw.digest, signal), [{ ...referrer.descriptor, artifactType: TYPE }]);
    assert.deepEqual(await source.referrers(referrer.raw.digest, signal), []);
  });

  it('does not make it unclear which image is meant where there is only one', async (t) => {
    const { raw, referrer, name } = await setting(t, undefined);
    const destination = layoutDestination(name(), {});
    await destination.putReferrer?.(referrer.raw, signal);
    await destination.putSibling(`${raw.digest.replace(':', '-')}.sig`, referrer.raw, signal);
    await destination.close();
    const source = await layoutSource(name(), signal);
    t.after(() => source.close());
    assert.equal((await source.readManifest(undefined, signal)).digest, raw.digest);
  });

  it('is found beside manifests that cannot be read, and with the type of its configuration', async (t) => {
    const { folder, raw, referrer, name } = await setting(t, 'v1');
    const destination = layoutDestination(name(':v1'), {});
    await destination.putReferrer?.(referrer.raw, signal);
    await destination.close();
    const other = await makeImage(join(folder, 'layout'), { tag: 'other', layers: [] });
    rmSync(join(folder, 'layout', 'blobs', ...other.raw.digest.split(':')));
    const path = join(folder, 'layout', 'index.json');
    const index = JSON.parse(readFileSync(path, 'utf8'));
    for (const each of index.manifests) delete each.artifactType; // as older tools list it
    writeFileSync(path, JSON.stringify(index));
    const source = await layoutSource(name(':v1'), signal);
    t.after(() => source.close());
    const found = await source.referrers(raw.digest, signal);
    assert.deepEqual(
      found.map(({ digest, artifactType }) => [digest, artifactType]),
      [[referrer.raw.digest, TYPE]],
    );
  });

  it('has no place in an archive, which is written as a whole', (t) => {
    const destination = archiveDestination(parseImageName(`oci-archive:${scratch(t)}/a.tar`), {});
    assert.equal(destination.putReferrer, undefined);
  });
});

describe('a place for a layout', () => {
  it('that is full of something else is refused before anything is made for it', async (t) => {
    const folder = scratch(t);
    writeFileSync(join(folder, 'file'), 'x');
    assert.throws(() => layoutDestination(parseImageName(`oci:${folder}`), {}), { code: 'NOT_A_LAYOUT' });
  });

  it('may be one that a killed run has begun', async (t) => {
    const folder = scratch(t);
    mkdirSync(join(folder, '.partial'));
    const destination = layoutDestination(parseImageName(`oci:${folder}`), {});
    assert.equal(
      await destination.hasBlob({ mediaType: TYPE, digest: `sha256:${'a'.repeat(64)}`, size: 1 }, signal),
      false,
    );
    await destination.close();
  });
});
