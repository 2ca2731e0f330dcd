/** Manifests as they were received, and what they say. */
import { printable, quote } from '../base/text.ts';
import { type Descriptor, descriptorFields, present, readDescriptor } from './descriptor.ts';
import { assertDigest, type Digest, digestOf } from './digest.ts';
import { malformed, OciError } from './error.ts';
import { field, listOf, optional, readText, readTextMap, required } from './fields.ts';
import { encodeJson, isObject, type JsonObject, parseJson } from './json.ts';
import { ACCEPTED_MANIFESTS, isIndexType, MEDIA } from './media-types.ts';

/** The exact bytes, which alone have the digest. */
export interface RawManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly digest: Digest;
}

/** One image, or an artifact. OCI image manifest or Docker schema 2. */
export interface ImageManifest {
  readonly kind: 'image';
  readonly mediaType: string;
  readonly artifactType: string | undefined;
  readonly config: Descriptor;
  /** The lowest first. */
  readonly layers: readonly Descriptor[];
  readonly subject: Descriptor | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Several images: OCI index or Docker manifest list. Members may be indexes again. */
export interface ImageIndex {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly artifactType: string | undefined;
  readonly manifests: readonly Descriptor[];
  readonly subject: Descriptor | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

export type Manifest = ImageManifest | ImageIndex;

const SCHEMA_1: readonly string[] = [MEDIA.dockerSchema1, MEDIA.dockerSchema1Signed];
const KNOWN: readonly string[] = [...ACCEPTED_MANIFESTS, ...SCHEMA_1];

/**
 * Bytes and their type: the `mediaType` inside, else the one they were declared with, else guessed by their fields.
 * @param declaredType of a Content-Type or a descriptor; what is no type of a manifest (`application/json`) is ignored
 * @param expected checked before anything is read; without it the digest is the sha256 of the bytes
 * @throws OciError INVALID_DIGEST, TOO_LARGE, MANIFEST_MALFORMED, also where inside and outside name different types
 */
export function rawManifest(bytes: Uint8Array, declaredType?: string, expected?: Digest): RawManifest {
  if (expected !== undefined) assertDigest('manifest', bytes, expected);
  const object = parseJson(bytes, 'manifest');
  const inside = optional(object, 'mediaType', 'manifest', readText);
  const outside = declaredType?.split(';')[0]?.trim().toLowerCase();
  const declared = KNOWN.find((type) => type === outside);
  if (inside !== undefined && declared !== undefined && inside !== declared && !bothSchema1(inside, declared)) {
    throw malformed('manifest.mediaType', `${declared}, as it was declared`, quote(inside, 120));
  }
  return { bytes, mediaType: inside ?? declared ?? guessType(object), digest: expected ?? digestOf(bytes) };
}

function bothSchema1(...types: readonly string[]): boolean {
  return types.every((type) => SCHEMA_1.includes(type));
}

function guessType(object: JsonObject): string {
  if (field(object, 'schemaVersion') === 1) {
    return Object.hasOwn(object, 'signatures') ? MEDIA.dockerSchema1Signed : MEDIA.dockerSchema1;
  }
  if (Object.hasOwn(object, 'manifests')) {
    const members = field(object, 'manifests');
    const types = Array.isArray(members) ? members.map(innerType) : [];
    return types.length > 0 && types.every((type) => type === MEDIA.dockerManifest) ? MEDIA.dockerList : MEDIA.ociIndex;
  }
  return innerType(field(object, 'config')) === MEDIA.dockerConfig ? MEDIA.dockerManifest : MEDIA.ociManifest;
}

function innerType(value: unknown): unknown {
  return isObject(value) ? field(value, 'mediaType') : undefined;
}

/**
 * What a manifest says. Unknown fields are allowed; those of the other kind of manifest are not, for then two readers
 * could see two images (CVE-2021-41190).
 * @throws OciError MANIFEST_MALFORMED, TOO_LARGE, INVALID_DIGEST, INVALID_SIZE; MANIFEST_UNSUPPORTED naming the type
 */
export function parseManifest(raw: RawManifest): Manifest {
  const { bytes, mediaType } = raw;
  const object = parseJson(bytes, 'manifest');
  assertSupported(mediaType, object);
  const inside = optional(object, 'mediaType', 'manifest', readText);
  if (inside !== undefined && inside !== mediaType)
    throw malformed('manifest.mediaType', mediaType, quote(inside, 120));
  if (isIndexType(mediaType)) return parseIndex(object, mediaType);
  forbid(object, mediaType, ['manifests', 'fsLayers', 'history']);
  return {
    kind: 'image',
    mediaType,
    config: required(object, 'config', 'manifest', readDescriptor),
    layers: optional(object, 'layers', 'manifest', listOf(readDescriptor)) ?? [],
    ...common(object),
  };
}

function parseIndex(object: JsonObject, mediaType: string): ImageIndex {
  forbid(object, mediaType, ['config', 'layers', 'fsLayers', 'history']);
  const manifests = optional(object, 'manifests', 'index', listOf(readDescriptor)) ?? [];
  return { kind: 'index', mediaType, manifests, ...common(object) };
}

/** What a list of referrers calls it: an image without a type of its own goes by that of its configuration. */
export function artifactTypeOf(manifest: Manifest): string | undefined {
  return manifest.artifactType ?? (manifest.kind === 'image' ? manifest.config.mediaType : undefined);
}

function common(object: JsonObject) {
  return {
    artifactType: optional(object, 'artifactType', 'manifest', readText),
    subject: optional(object, 'subject', 'manifest', readDescriptor),
    annotations: optional(object, 'annotations', 'manifest', readTextMap) ?? {},
  };
}

function assertSupported(mediaType: string, object: JsonObject): void {
  const version = field(object, 'schemaVersion');
  if (version === 1 || SCHEMA_1.includes(mediaType)) {
    throw new OciError('MANIFEST_UNSUPPORTED', 'manifest: Docker schema 1 is not supported', {
      hint: 'pull the image with an older tool and push it again: that makes a schema 2 manifest of it',
      subject: mediaType,
    });
  }
  if (!ACCEPTED_MANIFESTS.includes(mediaType)) {
    const message = `manifest: media type ${quote(mediaType, 120)} is not supported`;
    throw new OciError('MANIFEST_UNSUPPORTED', message, { subject: printable(mediaType) });
  }
  if (version !== 2) throw malformed('manifest.schemaVersion', '2', JSON.stringify(version)?.slice(0, 40) ?? 'nothing');
}

function forbid(object: JsonObject, mediaType: string, names: readonly string[]): void {
  const found = names.find((name) => Object.hasOwn(object, name));
  if (found !== undefined) throw malformed('manifest', `the fields of ${mediaType}`, `also ${found}`);
}

/**
 * A manifest of our own: compact JSON that is the same for equal values. Docker's types have no `artifactType`,
 * `subject` and `annotations`.
 */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const { mediaType, artifactType, subject, annotations } = manifest;
  const content =
    manifest.kind === 'index'
      ? { manifests: manifest.manifests.map(descriptorFields) }
      : { config: descriptorFields(manifest.config), layers: manifest.layers.map(descriptorFields) };
  const isDocker = mediaType === MEDIA.dockerManifest || mediaType === MEDIA.dockerList;
  const oci = isDocker
    ? {}
    : {
        subject: subject === undefined ? undefined : descriptorFields(subject),
        annotations: Object.keys(annotations).length === 0 ? undefined : annotations,
      };
  return encodeJson(present({ schemaVersion: 2, mediaType, ...(!isDocker && { artifactType }), ...content, ...oci }));
}
