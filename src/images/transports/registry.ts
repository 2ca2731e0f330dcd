/** Images in registries as source and destination. */
import { CodedError, codeOf, explain } from '../../base/error.ts';
import {
  artifactTypeOf,
  type Descriptor,
  type Digest,
  type NamedReference,
  parseManifest,
  type RawManifest,
  repositoryName,
} from '../../oci/index.ts';
import type { RegistryRepository } from '../../registry/index.ts';
import { ImagesError } from '../error.ts';
import { formatImageName, type ImageName } from '../image-name.ts';
import type { Lookaside } from '../lookaside.ts';
import type { BlobSource, ImageDestination, ImageSource } from '../ports.ts';

/** A repository that may hold the image: the one that was asked for, or a mirror of it. */
export interface Endpoint {
  /** Finds the credentials first: those of a mirror do not matter before it is its turn. */
  open(signal: AbortSignal): Promise<RegistryRepository>;
  /** What it is asked for there: a tag or a digest. */
  readonly reference: string;
  /** Any certificate will do there, or none. */
  readonly isInsecure: boolean;
}

/** An image by its full name, and where it may be fetched from. */
export interface Candidate {
  readonly identity: NamedReference;
  readonly endpoints: readonly Endpoint[];
}

export interface SourcePlace {
  readonly name: ImageName;
  readonly lookaside: Lookaside;
  readonly onNote: (text: string) => void;
}

/**
 * Not being there, not being well, or handing out something else makes the next mirror worth a try. The last place is
 * the one that the image is named after: what it says is the answer, and what the others said is told with it.
 */
export class RegistrySource implements ImageSource {
  readonly name: ImageName;
  readonly layers = 'exact';
  readonly #place: SourcePlace;
  readonly #candidates: readonly Candidate[];
  /** Where the manifest came from: tags of two mirrors may differ, so everything else has to come from there, too. */
  #chosen: Choice | undefined;

  constructor(place: SourcePlace, candidates: readonly Candidate[]) {
    this.name = place.name;
    this.#place = place;
    this.#candidates = candidates;
  }

  /** A bare name may mean several images, until one of them was found. */
  get identity(): NamedReference | undefined {
    return this.#chosen?.identity ?? (this.#candidates.length === 1 ? this.#candidates[0]?.identity : undefined);
  }

  get isUnverified(): boolean {
    const endpoint = this.#chosen?.endpoint ?? this.#candidates[0]?.endpoints[0];
    return this.identity?.digest === undefined && endpoint?.isInsecure === true;
  }

  async readManifest(digest: Digest | undefined, signal: AbortSignal): Promise<RawManifest> {
    if (this.#chosen !== undefined) return manifestAt(this.#chosen.endpoint, digest, signal);
    const places = this.#candidates.flatMap(({ identity, endpoints }) =>
      endpoints.map((endpoint) => ({ identity, endpoint })),
    );
    const failures: unknown[] = [];
    for (const place of places) {
      try {
        const raw = await manifestAt(place.endpoint, digest, signal);
        this.#chosen = place;
        return raw;
      } catch (error) {
        signal.throwIfAborted();
        failures.push(error);
        if (failures.length < places.length) this.#place.onNote(`${explain(error)}; trying the next place`);
      }
    }
    throw inNoPlace(this.name, failures);
  }

  async *readBlob(descriptor: Descriptor, from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    yield* (await this.#repository(signal)).readBlob(descriptor, from, signal);
  }

  async simpleSignatures(digest: Digest, signal: AbortSignal): Promise<readonly Uint8Array[]> {
    return this.identity === undefined ? [] : this.#place.lookaside.read(this.identity, digest, signal);
  }

  async sibling(tag: string, signal: AbortSignal): Promise<RawManifest | undefined> {
    const repository = await this.#repository(signal);
    return unlessMissing(() => repository.getManifest(tag, signal));
  }

  async referrers(digest: Digest, signal: AbortSignal): Promise<readonly Descriptor[]> {
    return (await this.#repository(signal)).referrers(digest, undefined, signal);
  }

  close(): void {
    // connections belong to the client
  }

  async #repository(signal: AbortSignal): Promise<RegistryRepository> {
    const endpoint = this.#chosen?.endpoint ?? this.#candidates[0]?.endpoints[0];
    if (endpoint === undefined) throw new Error('unreachable: a source without endpoints');
    return endpoint.open(signal);
  }
}

interface Choice {
  readonly identity: NamedReference;
  readonly endpoint: Endpoint;
}

async function manifestAt(endpoint: Endpoint, digest: Digest | undefined, signal: AbortSignal): Promise<RawManifest> {
  return (await endpoint.open(signal)).getManifest(digest ?? endpoint.reference, signal);
}

/** One failure is what it is; of several the last one gives the code, and each has its text. */
function inNoPlace(name: ImageName, failures: readonly unknown[]): unknown {
  const last = failures.at(-1);
  if (failures.length === 1 || !(last instanceof CodedError)) return last;
  const text = `${formatImageName(name)}: in no place: ${failures.map(explain).join('; ')}`;
  return new CodedError(last.code, text, { cause: last, hint: last.hint, subject: formatImageName(name) });
}

export interface RegistryPlace {
  readonly name: ImageName;
  readonly identity: NamedReference;
  readonly lookaside: () => Promise<Lookaside>;
}

export class RegistryDestination implements ImageDestination {
  readonly name: ImageName;
  readonly layers = 'exact';
  readonly holdsIndexes = true;
  readonly manifestTypes = undefined;
  readonly keepsSimpleSignatures = true;
  readonly identity: NamedReference;
  readonly #repository: (signal: AbortSignal) => Promise<RegistryRepository>;
  readonly #sourceOf: (from: ImageName) => NamedReference | undefined;
  readonly #lookaside: () => Promise<Lookaside>;

  /** @param sourceOf where an image lies, when it is in a registry */
  constructor(
    { name, identity, lookaside }: RegistryPlace,
    repository: (signal: AbortSignal) => Promise<RegistryRepository>,
    sourceOf: (from: ImageName) => NamedReference | undefined,
  ) {
    if (identity.digest !== undefined && identity.tag !== undefined) {
      throw new ImagesError('BAD_IMAGE_NAME', `${formatImageName(name)}: a destination has a tag or a digest`);
    }
    this.name = name;
    this.identity = identity;
    this.#repository = repository;
    this.#sourceOf = sourceOf;
    this.#lookaside = lookaside;
  }

  async hasBlob(descriptor: Descriptor, signal: AbortSignal): Promise<boolean> {
    const repository = await this.#repository(signal);
    return (await repository.hasBlob(descriptor.digest, signal)) !== undefined;
  }

  async borrowBlob(descriptor: Descriptor, from: ImageName, signal: AbortSignal): Promise<boolean> {
    const source = this.#sourceOf(from);
    if (source?.domain !== this.identity.domain || repositoryName(source) === repositoryName(this.identity))
      return false;
    return (await this.#repository(signal)).mountBlob(descriptor.digest, source.path, signal);
  }

  async putBlob(descriptor: Descriptor, source: BlobSource, signal: AbortSignal): Promise<void> {
    await (await this.#repository(signal)).putBlob(descriptor, source, signal);
  }

  async putManifest(raw: RawManifest, signal: AbortSignal): Promise<void> {
    await this.#put(raw, raw.digest, signal);
  }

  /** Beside the registry, as registries.d says. */
  async putSimpleSignatures(digest: Digest, signatures: readonly Uint8Array[]): Promise<void> {
    const lookaside = await this.#lookaside();
    for (const signature of signatures) await lookaside.add(this.identity, digest, signature);
  }

  async putReferrer(raw: RawManifest, signal: AbortSignal): Promise<void> {
    await this.#put(raw, raw.digest, signal);
  }

  async putSibling(tag: string, raw: RawManifest, signal: AbortSignal): Promise<void> {
    await this.#put(raw, tag, signal);
  }

  async finish(raw: RawManifest, signal: AbortSignal): Promise<void> {
    const { tag, digest } = this.identity;
    if (digest !== undefined && digest !== raw.digest) {
      throw new ImagesError(
        'DIGEST_WOULD_CHANGE',
        `${formatImageName(this.name)}: the image has the digest ${raw.digest}`,
      );
    }
    await this.#put(raw, tag ?? raw.digest, signal);
  }

  /** Registries without referrers of their own have them in a manifest that clients keep. */
  async #put(raw: RawManifest, reference: string, signal: AbortSignal): Promise<void> {
    const repository = await this.#repository(signal);
    await repository.putManifest(raw, reference, signal);
    const manifest = parseManifest(raw);
    const { subject, annotations } = manifest;
    if (subject === undefined) return;
    const { mediaType, digest, bytes } = raw;
    const referrer = { mediaType, digest, size: bytes.length, artifactType: artifactTypeOf(manifest), annotations };
    await repository.addReferrer(subject.digest, referrer, signal);
  }

  async close(): Promise<void> {
    // connections belong to the client
  }
}

async function unlessMissing<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (codeOf(error) === 'REGISTRY_NOT_FOUND') return undefined;
    throw error;
  }
}
