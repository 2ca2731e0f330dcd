/** A container beside what an update would make of it. */
export {
  type ChangedValue,
  type ContainerDifference,
  type DifferenceRequest,
  diffContainer,
  type HostFileDifference,
  type LayerDifference,
} from './difference.ts';
export type { ChangedFile } from './generated-files.ts';
