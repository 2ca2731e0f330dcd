/**
 * `index.json` of an image layout: an index whose entries carry a tag in an annotation. What it has besides the fields
 * that are known here stays when it is written again.
 */
import { quote } from '../../base/text.ts';
import { type Descriptor, descriptorFields, readDescriptor } from '../descriptor.ts';
import { OciError } from '../error.ts';
import { field, listOf, optional, readObject, readText, readTextMap } from '../fields.ts';
import { encodeJson, type JsonObject, parseJson } from '../json.ts';
import type { ImageIndex } from '../manifest.ts';
import { MEDIA } from '../media-types.ts';

export const REF_NAME = 'org.opencontainers.image.ref.name';

/** As annotations.md of the specification has it; a whole `docker.io/library/busybox:latest` is one. */
const TAG = /^[A-Za-z0-9]+(?:(?:--|[-._:@+])[A-Za-z0-9]+)*(?:\/[A-Za-z0-9]+(?:(?:--|[-._:@+])[A-Za-z0-9]+)*)*$/;
const TAG_LIMIT = 1024;

interface Entry {
  readonly descriptor: Descriptor;
  /** As it stands in the document. */
  readonly fields: JsonObject;
}

export class LayoutIndex {
  readonly #fields: JsonObject;
  #entries: readonly Entry[];

  private constructor(fields: JsonObject, entries: readonly Entry[]) {
    this.#fields = fields;
    this.#entries = entries;
  }

  static empty(): LayoutIndex {
    return new LayoutIndex({ schemaVersion: 2 }, []);
  }

  /** @throws OciError MANIFEST_MALFORMED, INVALID_DIGEST, INVALID_SIZE, TOO_LARGE */
  static parse(bytes: Uint8Array): LayoutIndex {
    const fields = parseJson(bytes, 'index.json');
    const version = field(fields, 'schemaVersion');
    if (version !== 2) throw new OciError('MANIFEST_MALFORMED', 'index.json: expected schemaVersion 2');
    const listed = optional(fields, 'manifests', 'index.json', listOf(readObject)) ?? [];
    const descriptors = optional(fields, 'manifests', 'index.json', listOf(readDescriptor)) ?? [];
    const entries = descriptors.map((descriptor, i) => ({ descriptor, fields: listed[i] ?? {} }));
    return new LayoutIndex(fields, entries);
  }

  get value(): ImageIndex {
    const fields = this.#fields;
    return {
      kind: 'index',
      mediaType: MEDIA.ociIndex,
      artifactType: optional(fields, 'artifactType', 'index.json', readText),
      manifests: this.#entries.map(({ descriptor }) => descriptor),
      subject: optional(fields, 'subject', 'index.json', readDescriptor),
      annotations: optional(fields, 'annotations', 'index.json', readTextMap) ?? {},
    };
  }

  /** Tags, each once, in the order of the document. */
  get tags(): readonly string[] {
    return [...new Set(this.#entries.flatMap(({ descriptor }) => tagOf(descriptor) ?? []))];
  }

  /**
   * What can be meant where nothing is named: not what lies beside an image and says something about it, as signatures
   * do; unless there is nothing else.
   */
  get images(): readonly Descriptor[] {
    const all = this.#entries.map(({ descriptor }) => descriptor);
    const images = all.filter((descriptor) => !isCompanion(descriptor));
    return images.length === 0 ? all : images;
  }

  /** Entries of a tag. */
  tagged(tag: string): readonly Descriptor[] {
    return this.#entries.map(({ descriptor }) => descriptor).filter((descriptor) => tagOf(descriptor) === tag);
  }

  /**
   * Give an image a tag: another that had it loses its entry. Without a tag the image becomes the only one.
   * @throws OciError BAD_REFERENCE
   */
  set(descriptor: Descriptor, tag: string | undefined): void {
    const entry = entryOf(descriptor, tag);
    if (tag === undefined) {
      this.#entries = [entry];
      return;
    }
    assertTag(tag);
    // The same image without a name is this one: it would only make the layout ambiguous.
    const isReplaced = ({ descriptor: { digest, annotations } }: Entry): boolean =>
      annotations?.[REF_NAME] === tag || (digest === descriptor.digest && annotations?.[REF_NAME] === undefined);
    const at = this.#entries.findIndex(isReplaced);
    const others = (entries: readonly Entry[]) => entries.filter((other) => !isReplaced(other));
    this.#entries =
      at < 0
        ? [...this.#entries, entry]
        : [...others(this.#entries.slice(0, at)), entry, ...others(this.#entries.slice(at))];
  }

  /** An entry without a tag beside the others, so that it is found again. */
  add(descriptor: Descriptor): void {
    if (this.#entries.some((known) => known.descriptor.digest === descriptor.digest)) return;
    this.#entries = [...this.#entries, entryOf(descriptor, undefined)];
  }

  /** False when nothing has the tag. */
  remove(tag: string): boolean {
    const before = this.#entries.length;
    this.#entries = this.#entries.filter(({ descriptor }) => tagOf(descriptor) !== tag);
    return this.#entries.length < before;
  }

  /** Compact, as other tools write it. */
  encode(): Uint8Array {
    return encodeJson({ ...this.#fields, manifests: this.#entries.map(({ fields }) => fields) });
  }
}

/** @throws OciError BAD_REFERENCE */
export function assertTag(tag: string): void {
  if (tag.length <= TAG_LIMIT && TAG.test(tag)) return;
  throw new OciError(
    'BAD_REFERENCE',
    `tag ${quote(tag)}: expected letters and digits, with - . _ : @ + / between them`,
    {
      subject: tag.slice(0, TAG_LIMIT),
    },
  );
}

function tagOf({ annotations }: Descriptor): string | undefined {
  return annotations !== undefined && Object.hasOwn(annotations, REF_NAME) ? annotations[REF_NAME] : undefined;
}

/** Tags that cosign makes out of the digest of an image. */
const BESIDE = /^sha(?:256|512)-[0-9a-f]+\.(?:sig|att|sbom)$/;

function isCompanion(descriptor: Descriptor): boolean {
  const tag = tagOf(descriptor);
  return tag === undefined ? descriptor.artifactType !== undefined : BESIDE.test(tag);
}

function entryOf(descriptor: Descriptor, tag: string | undefined): Entry {
  const { [REF_NAME]: _, ...others } = descriptor.annotations ?? {};
  const annotations = tag === undefined ? others : { ...others, [REF_NAME]: tag };
  const named = { ...descriptor, annotations: Object.keys(annotations).length === 0 ? undefined : annotations };
  return { descriptor: named, fields: descriptorFields(named) };
}
