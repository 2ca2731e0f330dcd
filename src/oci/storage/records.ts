/** `images.json` and `layers.json`: what the storage has. Fields that are about containers are not looked at. */
import { encodeBase64 } from '../../base/decode.ts';
import { explain } from '../../base/error.ts';
import { type Digest, isDigest } from '../digest.ts';
import {
  listOf,
  optional,
  type Reader,
  readObject,
  readSize,
  readText,
  readTextMap,
  readTexts,
  required,
} from '../fields.ts';
import { parseJsonValue } from '../json.ts';
import { damaged } from './error.ts';

export interface ImageRecord {
  readonly id: string;
  /** Of its manifest. */
  readonly digest: Digest | undefined;
  readonly names: readonly string[];
  /** The highest; undefined for an image without layers. */
  readonly layer: string | undefined;
  readonly bigDataNames: readonly string[];
  readonly bigDataDigests: Readonly<Record<string, string>>;
}

export interface LayerRecord {
  readonly id: string;
  readonly parent: string | undefined;
  /** Diff id and size of the tar; absent where the layer did not come as one. */
  readonly diffDigest: Digest | undefined;
  readonly diffSize: number | undefined;
}

/** Bytes of one file: some hundred thousand layers. */
export const RECORDS_LIMIT = 256 * 2 ** 20;

const readImage: Reader<ImageRecord> = (value, what) => {
  const object = readObject(value, what);
  return {
    id: required(object, 'id', what, readText),
    digest: digestIn(optional(object, 'digest', what, readText)),
    names: optional(object, 'names', what, readTexts) ?? [],
    layer: optional(object, 'layer', what, readText) || undefined,
    bigDataNames: optional(object, 'big-data-names', what, readTexts) ?? [],
    bigDataDigests: optional(object, 'big-data-digests', what, readTextMap) ?? {},
  };
};

const readLayer: Reader<LayerRecord> = (value, what) => {
  const object = readObject(value, what);
  return {
    id: required(object, 'id', what, readText),
    parent: optional(object, 'parent', what, readText) || undefined,
    diffDigest: digestIn(optional(object, 'diff-digest', what, readText)),
    diffSize: optional(object, 'diff-size', what, readSize),
  };
};

/** @throws StorageError STORAGE_MALFORMED */
export function parseImages(bytes: Uint8Array, path: string): readonly ImageRecord[] {
  return parse(bytes, path, readImage);
}

/** @throws StorageError STORAGE_MALFORMED */
export function parseLayers(bytes: Uint8Array, path: string): readonly LayerRecord[] {
  return parse(bytes, path, readLayer);
}

function parse<T>(bytes: Uint8Array, path: string, read: Reader<T>): readonly T[] {
  try {
    const value = parseJsonValue(bytes, 'records', RECORDS_LIMIT);
    return value === null ? [] : listOf(read)(value, 'records'); // Go writes an empty list so
  } catch (error) {
    throw damaged(path, explain(error), error);
  }
}

function digestIn(text: string | undefined): Digest | undefined {
  return text !== undefined && isDigest(text) ? text : undefined;
}

/** The file of an item of big data: its key, or base64 of one that has more than small letters, digits and dots. */
export function bigDataFile(key: string): string {
  return /^[a-z0-9.]*$/.test(key) ? key : `=${encodeBase64(Buffer.from(key))}`;
}
