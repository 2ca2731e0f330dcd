/** Image layouts in one tar file. */
export { openOciArchive } from './oci-archive.ts';
export { ArchiveWriter, type ArchiveWriterOptions, writeOciArchive } from './oci-archive-writer.ts';
