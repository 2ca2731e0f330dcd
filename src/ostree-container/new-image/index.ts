/** An image in the making, into any place that holds images. */
export type { OtherImage } from './image-layers.ts';
export {
  type LayerOfOther,
  type NewImage,
  type NewImageConfig,
  type NewImageOptions,
  type NewImageParts,
  type NewLayer,
  openNewImage,
  PACKING_LEVEL,
} from './new-image.ts';
