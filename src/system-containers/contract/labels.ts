/** Labels of an image that tell how it is meant to be used (spec system-containers 9). */
import type { ImageConfig } from '../../oci/index.ts';

export interface ImageLabels {
  /** `atomic.type=system`: its author made it for this. */
  readonly isSystemContainer: boolean;
  /** `atomic.run=once`: to be run once and removed. */
  readonly runsOnce: boolean;
  /** All of them, in the order of the image. */
  readonly all: ReadonlyMap<string, string>;
}

export function labelsOf(config: ImageConfig | undefined): ImageLabels {
  const all = new Map(Object.entries(config?.config?.Labels ?? {}));
  return {
    isSystemContainer: all.get('atomic.type') === 'system',
    runsOnce: all.get('atomic.run') === 'once',
    all,
  };
}
