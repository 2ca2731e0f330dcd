/** What an image is and what it asks for, before anything of it is installed. */
export { describeImage, type ImageDescription, sizeOf } from './describe-image.ts';
