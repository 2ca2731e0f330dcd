/** Images as `docker save` writes them. */
export type { ArchivedImage } from './archived-images.ts';
export { type DockerArchive, openDockerArchive } from './docker-archive.ts';
export {
  assertNewArchive,
  type DockerArchiveWriter,
  writeDockerArchive,
} from './docker-archive-writer.ts';
