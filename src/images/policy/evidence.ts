/** What requirements are judged by: the image and its signatures. */
import type { NamedReference, RawManifest } from '../../oci/index.ts';
import type { ImageSource } from '../ports.ts';
import { findSigstore, type KeptSignature, readKeptSignature, type SigstoreSignature } from '../signatures/index.ts';

/** What the requirements are about. */
export interface Subject {
  /** For messages. */
  readonly image: string;
  readonly scope: string;
  readonly identity: NamedReference | undefined;
  readonly raw: RawManifest;
  readonly now: Date;
}

/** The signatures of one image, fetched when a requirement first asks for them, and only once. */
export class Evidence {
  readonly #source: ImageSource;
  readonly #raw: RawManifest;
  readonly #signal: AbortSignal;
  #kept: Promise<readonly KeptSignature[]> | undefined;
  readonly #attached: (SigstoreSignature | string)[] = [];
  #rest: AsyncGenerator<SigstoreSignature | string> | undefined;

  constructor(source: ImageSource, raw: RawManifest, signal: AbortSignal) {
    this.#source = source;
    this.#raw = raw;
    this.#signal = signal;
  }

  /** Of simple signing. A text says why something that lies there is none. */
  async simple(): Promise<readonly (Uint8Array | string)[]> {
    const kept = await this.#keptSignatures();
    return kept.flatMap((each): readonly (Uint8Array | string)[] =>
      each.kind === 'simple' ? [each.blob] : each.kind === 'unknown' ? [each.why] : [],
    );
  }

  /** cosign's: those in files, then those attached to the image, of which no more are fetched than are looked at. */
  async *sigstore(): AsyncGenerator<SigstoreSignature | string> {
    for (const each of await this.#keptSignatures()) if (each.kind === 'sigstore') yield each.signature;
    yield* this.#attached;
    this.#rest ??= findSigstore(this.#source, this.#raw.digest, this.#signal);
    for (;;) {
      const next = await this.#rest.next(); // not for-of, which would end it with the caller's loop
      if (next.done === true) return;
      this.#attached.push(next.value);
      yield next.value;
    }
  }

  #keptSignatures(): Promise<readonly KeptSignature[]> {
    this.#kept ??= this.#source
      .simpleSignatures(this.#raw.digest, this.#signal)
      .then((blobs) => blobs.map(readKeptSignature));
    return this.#kept;
  }
}
