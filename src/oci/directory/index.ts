/** One image, or an index with its images, in a directory of plain files, as skopeo writes them. */
export { DirectoryImage, openDirectoryImage } from './directory-image.ts';
export { assertReplaceable, createDirectoryImage, type DirectoryWriter } from './directory-writer.ts';
