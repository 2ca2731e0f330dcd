/** What a stored image is made of, layer by layer. */
import { type Descriptor, parseConfig } from '../../../oci/index.ts';
import type { StoredImage } from '../records/index.ts';

export interface HistoryRow {
  /** Undefined for a step that made no layer. */
  readonly layer: Descriptor | undefined;
  readonly createdBy: string;
  readonly created: string | undefined;
}

/** Newest last, as the configuration has it. Layers that it says nothing about come at the end. */
export function imageHistory({ image, config }: StoredImage): HistoryRow[] {
  const left = [...image.layers];
  const entries = config.length === 0 ? [] : (parseConfig(config).history ?? []);
  const rows = entries.map(({ created_by: createdBy = '', created, empty_layer: isEmpty }): HistoryRow => {
    return { layer: isEmpty === true ? undefined : left.shift(), createdBy, created };
  });
  return [...rows, ...left.map((layer) => ({ layer, createdBy: '', created: undefined }))];
}
