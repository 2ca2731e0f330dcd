/** Which layers share a transaction. */

/** Packed. No more than about so much is lost when the power fails; to write it takes far longer than one flush. */
const BATCH_BYTES = 64 * 2 ** 20;

/** In their order; a layer that is larger than a batch is one by itself. */
export function batchesOf<Layer extends { readonly descriptor: { readonly size: number } }>(
  layers: readonly Layer[],
  limit = BATCH_BYTES,
): Layer[][] {
  const batches: Layer[][] = [];
  let bytes = limit;
  for (const layer of layers) {
    bytes += layer.descriptor.size;
    const last = batches.at(-1);
    if (last !== undefined && bytes <= limit) last.push(layer);
    else {
      batches.push([layer]);
      bytes = layer.descriptor.size;
    }
  }
  return batches;
}
