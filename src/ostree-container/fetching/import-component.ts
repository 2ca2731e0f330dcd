/** One layer of contents into a transaction that other layers may be written into at the same time. */
import type { Pool, Transaction } from '../../ostree/index.ts';
import type { Layer } from '../labels/index.ts';
import { type ImportedObjects, importObjects, ObjectStream } from '../stream/index.ts';
import type { Fetching } from './fetching.ts';
import type { LayerRecords } from './layer-records.ts';

export interface ComponentMeans {
  readonly fetching: Fetching;
  readonly records: LayerRecords;
  readonly pool: Pool;
  readonly signal: AbortSignal;
}

/**
 * What was finished is remembered, and not fetched again by the next run when this one is ended before its transaction.
 * @throws StreamError; OstreeError OBJECT_*; TarError; OciError INVALID_DIGEST, INVALID_SIZE ...
 */
export function importComponent(
  transaction: Transaction,
  layer: Layer,
  { fetching, records, pool, signal }: ComponentMeans,
): Promise<ImportedObjects> {
  return fetching.read(layer, signal, async (tar) => {
    const stream = new ObjectStream(tar);
    try {
      const imported = await importObjects(transaction, stream, { layer: 'component', pool, signal });
      records.write(transaction.repository, layer, imported.contents);
      return imported;
    } finally {
      await stream.close();
    }
  });
}
