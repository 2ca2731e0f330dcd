import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { type Descriptor, digestOf, encodeManifest, MEDIA, rawManifest } from '../../oci/index.ts';
import { parseImageName } from '../image-name.ts';
import type { BlobSource } from '../ports.ts';
import { directoryDestination } from './directory.ts';

const signal = new AbortController().signal;
const LAYER = Buffer.from('layer');
const CONFIG = Buffer.from('{}');
const describeBlob = (bytes: Buffer): Descriptor => ({
  mediaType: MEDIA.ociLayer,
  digest: digestOf(bytes),
  size: bytes.length,
});
const raw = rawManifest(
  encodeManifest({
    kind: 'image',
    mediaType: MEDIA.ociManifest,
    artifactType: undefined,
    config: describeBlob(CONFIG),
    layers: [describeBlob(LAYER)],
    subject: undefined,
    annotations: {},
  }),
);

/** What a copy does. @returns the blobs that were sent */
async function send(path: string): Promise<string[]> {
  const sent: string[] = [];
  const destination = directoryDestination(parseImageName(`dir:${path}`));
  for (const bytes of [CONFIG, LAYER]) {
    const source: BlobSource = async function* (from) {
      sent.push(bytes.toString());
      yield bytes.subarray(from);
    };
    const descriptor = describeBlob(bytes);
    if (!(await destination.hasBlob(descriptor, signal))) await destination.putBlob(descriptor, source, signal);
  }
  await destination.finish(raw, signal);
  await destination.close();
  return sent;
}

describe('a directory as destination', () => {
  it('is sent only the blobs that the image before it has not, or has damaged', async (t) => {
    const path = join(scratch(t), 'image');
    assert.deepEqual(await send(path), ['{}', 'layer']);
    assert.deepEqual(await send(path), []);
    const layer = join(path, digestOf(LAYER).slice(7));
    writeFileSync(layer, 'wrong');
    assert.deepEqual(await send(path), ['layer']);
    assert.equal(readFileSync(layer, 'utf8'), 'layer');
    assert.equal(readdirSync(path).length, 4);
  });

  it('is not touched by a question', async (t) => {
    const dir = scratch(t);
    const destination = directoryDestination(parseImageName(`dir:${join(dir, 'image')}`));
    assert.equal(await destination.hasBlob(describeBlob(LAYER), signal), false);
    await destination.close();
    assert.deepEqual(readdirSync(dir), []);
  });
});
