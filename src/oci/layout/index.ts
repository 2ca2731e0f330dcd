/** Image layouts in directories. */
export { Layout, openLayout } from './layout.ts';
export { REF_NAME } from './layout-index.ts';
export {
  assertLayoutPlace,
  changeLayout,
  createLayout,
  LayoutWriter,
  type LayoutWriterOptions,
} from './layout-writer.ts';
export type { BlobSource } from './stage-blob.ts';
