/** `docker-archive:` as source and destination. It keeps no manifests: only configurations and layers. */
import { quote } from '../../base/text.ts';
import {
  assertNewArchive,
  type DockerArchiveWriter,
  type NamedReference,
  openDockerArchive,
  parseNamed,
  writeDockerArchive,
} from '../../oci/index.ts';
import { ImagesError } from '../error.ts';
import { formatImageName, type ImageName } from '../image-name.ts';
import type { ImageDestination, ImageSource } from '../ports.ts';
import { fileDestination, fileSource } from './files.ts';
import type { LayoutSettings } from './layout.ts';

/** @throws OciError NOT_A_LAYOUT, IMAGE_MISSING, TAG_AMBIGUOUS, BAD_REFERENCE */
export async function dockerArchiveSource(name: ImageName, signal: AbortSignal): Promise<ImageSource> {
  const archive = await openDockerArchive(name.location, signal);
  try {
    const image = archive.image(name.selector);
    const reader = {
      readManifest: image.readManifest.bind(image),
      readBlob: image.readBlob.bind(image),
      close: () => archive.close(),
    };
    return fileSource(name, reader, 'tars');
  } catch (error) {
    archive.close();
    throw error;
  }
}

/** Nothing is made before the first blob is written. @throws OciError ARCHIVE_EXISTS; ImagesError BAD_IMAGE_NAME */
export function dockerArchiveDestination(name: ImageName, settings: LayoutSettings = {}): ImageDestination {
  const repoTags = repoTagsOf(name);
  assertNewArchive(name.location);
  let writer: Promise<DockerArchiveWriter> | undefined;
  const open = (signal?: AbortSignal): Promise<DockerArchiveWriter> => {
    writer ??= writeDockerArchive(name.location, { ...settings, signal });
    return writer;
  };
  return fileDestination(
    name,
    {
      hasBlob: () => false, // what a killed run has staged is found by `writeBlob`, which then asks for nothing
      writeBlob: async (descriptor, source, signal) => (await open(signal)).writeBlob(descriptor, source, signal),
      writeManifest: () => {
        throw new ImagesError('IMAGE_UNSUITABLE', `${formatImageName(name)}: cannot hold an index`);
      },
      finish: async (raw, signal) => {
        const archive = await open(signal);
        archive.addImage(raw, repoTags);
        await archive.finish(signal);
      },
      close: async () => (await writer?.catch(() => undefined))?.close(), // who opened it has heard of the failure
    },
    { layers: 'tars', holdsIndexes: false },
  );
}

function repoTagsOf({ selector }: ImageName): readonly NamedReference[] {
  if (selector === undefined) return [];
  const bad = (why: string) => new ImagesError('BAD_IMAGE_NAME', `image name ${quote(selector)}: ${why}`);
  if (selector.startsWith('@')) throw bad('a new image has a name and no number');
  const named = parseNamed(selector);
  if (named.digest !== undefined) throw bad('an archive of Docker keeps no digests');
  return [named];
}
