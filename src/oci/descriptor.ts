/** A descriptor: what is somewhere else, by media type, digest and size (OCI image specification, descriptor.md). */
import { decodeBase64 } from '../base/decode.ts';
import { assertDigest, type Digest, digestOf, parseDigest } from './digest.ts';
import { malformed } from './error.ts';
import { optional, type Reader, readObject, readSize, readText, readTextMap, readTexts, required } from './fields.ts';
import type { JsonObject } from './json.ts';
import { MEDIA } from './media-types.ts';
import { type Platform, platformFields, readPlatform } from './platform.ts';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes of the blob as it is stored. */
  readonly size: number;
  readonly urls?: readonly string[] | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** The content itself, in base64; verified like any other. */
  readonly data?: string | undefined;
  /** In an index only. */
  readonly platform?: Platform | undefined;
  readonly artifactType?: string | undefined;
}

/** The content `{}`, which stands for "no config" and "no layer" of an artifact. */
export const EMPTY_JSON: Uint8Array = Buffer.from('{}');
export const EMPTY_DESCRIPTOR: Descriptor = {
  mediaType: MEDIA.empty,
  digest: digestOf(EMPTY_JSON),
  size: EMPTY_JSON.length,
};

/** Places of a foreign layer; each is tried in turn, so there must not be many. */
const URLS_LIMIT = 32;
const URL_LIMIT = 4096;

/**
 * Every field by its type; `data` must be what digest and size say. What a descriptor has besides is not kept.
 * @throws OciError MANIFEST_MALFORMED, INVALID_DIGEST, INVALID_SIZE
 */
export const readDescriptor: Reader<Descriptor> = (value, what) => {
  const object = readObject(value, what);
  const fixed = {
    mediaType: required(object, 'mediaType', what, readMediaType),
    digest: parseDigest(required(object, 'digest', what, readText), `${what}.digest`),
    size: required(object, 'size', what, readSize),
  };
  const data = optional(object, 'data', what, readText);
  if (data !== undefined) assertData(data, fixed, `${what}.data`);
  return present({
    ...fixed,
    urls: optional(object, 'urls', what, readUrls),
    annotations: optional(object, 'annotations', what, readTextMap),
    data,
    platform: optional(object, 'platform', what, readPlatform),
    artifactType: optional(object, 'artifactType', what, readText),
  });
};

/** For a JSON document, in the order of the Go tools. */
export function descriptorFields(descriptor: Descriptor): JsonObject {
  const { mediaType, digest, size, urls, annotations, data, platform, artifactType } = descriptor;
  const shown = platform === undefined ? undefined : platformFields(platform);
  return present({ mediaType, digest, size, urls, annotations, data, platform: shown, artifactType });
}

/** The content that a descriptor carries in itself, if any. */
export function embeddedData(descriptor: Descriptor): Uint8Array | undefined {
  return descriptor.data === undefined ? undefined : decodeBase64(descriptor.data);
}

/** Without the fields that are undefined. */
export function present<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

const readMediaType: Reader<string> = (value, what) => {
  const text = readText(value, what);
  if (text === '') throw malformed(what, 'a media type', 'an empty string');
  return text;
};

const readUrls: Reader<readonly string[]> = (value, what) => {
  const urls = readTexts(value, what);
  if (urls.length > URLS_LIMIT) throw malformed(what, `at most ${URLS_LIMIT} of them`, `${urls.length}`);
  if (urls.some((url) => url.length > URL_LIMIT)) throw malformed(what, `at most ${URL_LIMIT} characters each`, 'more');
  return urls;
};

function assertData(data: string, { digest, size }: { digest: Digest; size: number }, what: string): void {
  const bytes = decodeBase64(data);
  if (bytes === undefined) throw malformed(what, 'base64', 'something else');
  assertDigest(what, bytes, digest, size);
}
