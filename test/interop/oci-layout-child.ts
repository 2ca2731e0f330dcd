/** The process that the crash test of layouts kills: `layout DIRECTORY` or `archive FILE`. */
import { openLayout, writeOciArchive } from '../../src/oci/index.ts';
import { makeImage } from '../support/oci-image.ts';
import { NEW_IMAGE } from './oci-layout-images.ts';

const [, , kind = '', path = ''] = process.argv;
const signal = new AbortController().signal;

async function packed(): Promise<void> {
  const source = openLayout(`${path}.source`);
  const archive = await writeOciArchive(path);
  const image = source.find();
  const raw = source.readManifest(image.digest);
  const { config, layers } = JSON.parse(Buffer.from(raw.bytes).toString());
  for (const blob of [config, ...layers]) {
    await archive.writeBlob(blob, (from) => source.readBlob(blob.digest, from), signal);
  }
  archive.writeManifest(raw);
  archive.setTag(image, 'one');
  await archive.finish(signal);
}

if (kind === 'archive') await packed();
else await makeImage(path, NEW_IMAGE);
