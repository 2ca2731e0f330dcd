/** The finished image as a source to copy from: its blobs lie where they were made, or still in other images. */
import type { ImageDestination, ImageName, ImageSource } from '../../images/index.ts';
import type { Digest, RawManifest } from '../../oci/index.ts';
import { type PlacedLayer, readLayer } from './image-layers.ts';

export interface FinishedImage {
  readonly raw: RawManifest;
  readonly config: { readonly digest: Digest; readonly bytes: Uint8Array };
  readonly layers: readonly PlacedLayer[];
}

export function sourceOf({ raw, config, layers }: FinishedImage, name: ImageName): ImageSource {
  const byDigest = layersByDigest(layers);
  return {
    name,
    layers: 'exact',
    identity: undefined,
    readManifest: () => Promise.resolve(raw),
    readBlob: ({ digest }, from, signal) => {
      const layer = byDigest.get(digest);
      return layer === undefined ? whole(config.bytes.subarray(from)) : readLayer(layer, from, signal);
    },
    simpleSignatures: () => Promise.resolve([]),
    sibling: () => Promise.resolve(undefined),
    referrers: () => Promise.resolve([]),
    close: () => undefined,
  };
}

/** The destination, which may have seen layers of other images in its own place. */
export function borrowing(destination: ImageDestination, layers: readonly PlacedLayer[]): ImageDestination {
  const byDigest = layersByDigest(layers);
  const borrowBlob: ImageDestination['borrowBlob'] = async (descriptor, _from, signal) => {
    const content = byDigest.get(descriptor.digest)?.content;
    const name = content !== undefined && 'other' in content ? content.other.name : undefined;
    return name !== undefined && (await destination.borrowBlob(descriptor, name, signal));
  };
  return new Proxy(destination, {
    get(target, property) {
      if (property === 'borrowBlob') return borrowBlob;
      const value: unknown = Reflect.get(target, property, target); // of classes with private fields, too
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function layersByDigest(layers: readonly PlacedLayer[]): ReadonlyMap<string, PlacedLayer> {
  return new Map(layers.map((layer) => [layer.descriptor.digest, layer]));
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
