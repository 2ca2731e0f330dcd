/** Layers of format v1 on their way into a repository. */
export { Fetching } from './fetching.ts';
export { importComponent } from './import-component.ts';
export { LANES } from './lanes.ts';
export { openLayerPool } from './layer-pool.ts';
export { LayerRecords } from './layer-records.ts';
