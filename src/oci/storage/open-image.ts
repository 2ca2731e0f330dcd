/** From a name to an image in the storage. */
import { damaged, StorageError } from './error.ts';
import { findImage } from './find-image.ts';
import type { ImageRecord } from './records.ts';
import { configuredPlace, type StorageCaller, type StoragePlace, withOptions } from './storage-conf.ts';
import { parseStorageName, type StorageName } from './storage-name.ts';
import { Store } from './store.ts';
import { type FoundLayer, StoredImage, type StoredName } from './stored-image.ts';

export interface StorageOptions extends StorageCaller {
  readonly signal: AbortSignal;
}

/** More than any driver can stack; parents of a damaged storage may form a circle. */
const LAYERS_LIMIT = 1000;

/**
 * @param text what follows `containers-storage:`
 * @throws StorageError STORAGE_MISSING, STORAGE_MALFORMED, STORAGE_UNSUPPORTED, BAD_STORAGE_NAME, BAD_STORAGE_CONF;
 *   OciError IMAGE_MISSING, TAG_AMBIGUOUS, BAD_REFERENCE; CodedError LOCK_TIMEOUT, UNSAFE_LINK
 */
export async function openStoredImage(text: string, options: StorageOptions): Promise<StoredImage> {
  const name = parseStorageName(text);
  const stores = openStores(await placeOf(name, options));
  const close = () => {
    for (const store of stores) store.close();
  };
  try {
    const { store, record } = await locate(stores, name, options.signal);
    const layers = await layersOf(record, stores, options.signal);
    return new StoredImage({ name: storedName(name, record, stores), store, record, layers }, close);
  } catch (error) {
    close();
    throw error;
  }
}

function storedName({ named, id }: StorageName, record: ImageRecord, [first]: readonly Store[]): StoredName {
  if (first === undefined) throw new Error('unreachable: the first storage has been opened');
  return { driver: first.driver, root: first.path, named, id: id === undefined ? undefined : record.id };
}

async function placeOf({ store }: StorageName, options: StorageOptions): Promise<StoragePlace> {
  if (store === undefined) return configuredPlace(options);
  const { root, driver, options: more } = store;
  return withOptions({ root, driver, additional: [] }, more);
}

/** The first one has to be there, the additional ones need not. */
function openStores({ root, driver, additional }: StoragePlace): readonly Store[] {
  const first = Store.open(root, driver);
  const stores = [first];
  try {
    for (const path of additional) stores.push(...optionalStore(path, first.driver));
    return stores;
  } catch (error) {
    for (const store of stores) store.close();
    throw error;
  }
}

function optionalStore(path: string, driver: string): readonly Store[] {
  try {
    return [Store.open(path, driver)];
  } catch (error) {
    if (error instanceof StorageError && error.code === 'STORAGE_MISSING') return [];
    throw error;
  }
}

async function locate(
  stores: readonly Store[],
  name: StorageName,
  signal: AbortSignal,
): Promise<{ readonly store: Store; readonly record: ImageRecord }> {
  const places = new Map<ImageRecord, Store>();
  for (const store of stores) for (const image of await store.images(signal)) places.set(image, store);
  const record = findImage([...places.keys()], name, stores[0]?.path ?? '');
  const store = places.get(record);
  if (store === undefined) throw new Error('unreachable: the image is one of them');
  return { store, record };
}

async function layersOf(image: ImageRecord, stores: readonly Store[], signal: AbortSignal): Promise<FoundLayer[]> {
  const known = new Map<string, FoundLayer>();
  for (const store of [...stores].reverse()) {
    for (const record of await store.layers(signal)) known.set(record.id, { store, record });
  }
  const layers: FoundLayer[] = [];
  for (let id = image.layer; id !== undefined; ) {
    const layer = known.get(id);
    const where = stores[0]?.path ?? '';
    if (layer === undefined) throw damaged(where, `layer ${id} of image ${image.id} is missing`);
    if (layers.length >= LAYERS_LIMIT) throw damaged(where, `image ${image.id} has more than ${LAYERS_LIMIT} layers`);
    layers.push(layer);
    id = layer.record.parent;
  }
  return layers.reverse();
}
