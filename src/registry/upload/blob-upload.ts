/** Sending one blob: distribution specification 1.1, "Pushing blobs". */

import { decodeDecimal } from '../../base/decode.ts';
import { explain } from '../../base/error.ts';
import { type HttpResponse, isTemporary } from '../../http/index.ts';
import { type Descriptor, type Digest, isDigest, OciError, splitDigest } from '../../oci/index.ts';
import { repositoryScope, type Scopes } from '../auth/scope.ts';
import { hasBlob } from '../blobs/has-blob.ts';
import { type Asked, nonsense, RegistryError } from '../error.ts';
import type { Ask, Session } from '../session/session.ts';
import { isSuccess } from '../session/statuses.ts';
import { Attempts, type RetryPolicy } from './attempts.ts';
import { type BlobSource, Bodies } from './body.ts';
import { locationOf, receivedBytes, withDigest } from './location.ts';

/** What turned out about the registry while uploading. */
export interface Habits {
  /** It takes whole blobs only. */
  wholeOnly: boolean;
}

export interface UploadOptions {
  readonly session: Session;
  readonly repository: string;
  readonly descriptor: Descriptor;
  readonly source: BlobSource;
  /** An upload that was begun already, by a mount that could not be done. */
  readonly begun: URL | undefined;
  /** Bytes of one request; what is lost when a registry forgets an unfinished one. */
  readonly chunk: number;
  readonly policy: RetryPolicy;
  readonly habits: Habits;
  readonly onNote: (text: string) => void;
}

/** Up to here one request more costs more than sending it again. */
const SMALL = 2 ** 20;
const LARGEST_CHUNK = 2 ** 32;

type Step = 'begin' | 'chunk' | 'finish';

export class BlobUpload {
  readonly #options: UploadOptions;
  readonly #asked: Asked;
  readonly #scopes: Scopes;
  readonly #bodies: Bodies;
  readonly #attempts: Attempts;
  readonly #signal: AbortSignal;
  #place: URL | undefined;
  #chunk: number;
  #step: Step = 'begin';
  /** So many bytes are there. */
  #arrived = 0;

  constructor(options: UploadOptions, signal: AbortSignal) {
    const { session, repository, descriptor, source } = options;
    this.#options = options;
    this.#asked = session.asked(`upload of blob ${descriptor.digest} to ${repository}`);
    this.#scopes = repositoryScope(repository, 'pull', 'push');
    this.#bodies = new Bodies(descriptor, source);
    this.#attempts = new Attempts(options.policy);
    this.#signal = signal;
    this.#place = options.begun;
    this.#chunk = options.chunk;
  }

  async run(): Promise<void> {
    try {
      for (;;) {
        try {
          return await this.#send();
        } catch (error) {
          this.#bodies.assertSource();
          await this.#recover(error);
          if (await this.#isThere()) return;
        }
      }
    } finally {
      await this.#bodies.close();
    }
  }

  async #send(): Promise<void> {
    const { size } = this.#options.descriptor;
    const place = this.#place ?? (await this.#begin());
    this.#place = place;
    if (this.#options.habits.wholeOnly || (size <= SMALL && this.#arrived === 0)) return this.#finish(place, 0);
    let next = place;
    while (this.#arrived < size) next = await this.#sendChunk(next);
    return this.#finish(next, size);
  }

  async #begin(): Promise<URL> {
    this.#step = 'begin';
    this.#arrived = 0;
    const at = `/v2/${this.#options.repository}/blobs/uploads/`;
    const response = await this.#ask({ method: 'POST', at, retry: true });
    const least = decodeDecimal(response.headers.get('oci-chunk-min-length') ?? '');
    if (least !== undefined) this.#chunk = Math.min(LARGEST_CHUNK, Math.max(this.#chunk, least));
    const place = this.#locationOf(response);
    if (place === undefined) throw nonsense(this.#asked, 'a Location to send the blob to', 'none');
    return place;
  }

  async #sendChunk(place: URL): Promise<URL> {
    this.#step = 'chunk';
    const from = this.#arrived;
    const to = Math.min(this.#options.descriptor.size, from + this.#chunk);
    const headers = { ...stream(to - from), 'content-range': `${from}-${to - 1}` };
    const response = await this.#ask({ method: 'PATCH', at: place, headers, body: this.#bodies.between(from, to) });
    this.#place = this.#locationOf(response) ?? place;
    const arrived = receivedBytes(response) ?? to; // some say nothing
    if (arrived <= from || arrived > to) throw nonsense(this.#asked, `a Range up to ${to - 1}`, `${arrived - 1}`);
    this.#arrived = arrived;
    return this.#place;
  }

  /** @param from everything from there on goes along with the last request */
  async #finish(place: URL, from: number): Promise<void> {
    this.#step = 'finish';
    const { digest, size } = this.#options.descriptor;
    const at = withDigest(place, digest);
    const isWhole = from === size;
    const body = isWhole ? new Uint8Array() : this.#bodies.between(from, size);
    const headers = isWhole ? { 'content-type': OCTETS } : stream(size - from);
    const response = await this.#ask({ method: 'PUT', at, headers, body, retry: false });
    assertSameDigest(this.#asked, response, digest);
  }

  /** Returns when it is worth another try, from where the registry says. */
  async #recover(error: unknown): Promise<void> {
    const { habits, onNote } = this.#options;
    const status = error instanceof RegistryError ? error.status : undefined;
    const isPassing = isTemporary(error) || status === 429 || (status !== undefined && status >= 500);
    const isAstray = status !== undefined && ASTRAY[this.#step].has(status);
    if (!isPassing && !isAstray) throw error;
    await this.#attempts.after(error, this.#arrived, this.#signal);
    const isRefusal = this.#step === 'chunk' && !isPassing && status !== 404 && this.#arrived === 0;
    if (isRefusal) habits.wholeOnly = true;
    const before = this.#arrived;
    await this.#resynchronize(isRefusal || habits.wholeOnly);
    onNote(`${explain(error)}; going on at byte ${this.#arrived} instead of ${before}`);
  }

  async #resynchronize(anew: boolean): Promise<void> {
    const place = this.#place;
    this.#place = undefined;
    this.#arrived = 0;
    if (anew || place === undefined) return;
    const answers = (status: number): boolean => status !== 401 && status !== 403;
    const response = await this.#ask({ at: place, answers });
    const arrived = isSuccess(response.status) ? receivedBytes(response) : undefined;
    if (arrived === undefined || arrived > this.#options.descriptor.size) return;
    this.#arrived = arrived;
    this.#place = this.#locationOf(response) ?? place;
  }

  /** The last answer may have been lost. */
  async #isThere(): Promise<boolean> {
    if (this.#place !== undefined) return false;
    const { session, repository, descriptor } = this.#options;
    const size = await hasBlob(session, repository, descriptor.digest, ['pull', 'push'], this.#signal);
    return size === descriptor.size;
  }

  #ask(ask: Omit<Ask, 'what' | 'scopes'>): Promise<HttpResponse> {
    return this.#options.session.ask({ what: this.#asked.what, scopes: this.#scopes, ...ask }, this.#signal);
  }

  #locationOf(response: HttpResponse): URL | undefined {
    return locationOf(this.#asked, response, this.#options.session.insecure);
  }
}

const OCTETS = 'application/octet-stream';
/** Refusals of one way to send, or of a place that is gone, rather than of the blob. */
const ASTRAY: Readonly<Record<Step, ReadonlySet<number>>> = {
  begin: new Set(),
  chunk: new Set([400, 404, 405, 411, 413, 415, 416]),
  finish: new Set([404, 416]),
};

function stream(length: number): Readonly<Record<string, string>> {
  return { 'content-type': OCTETS, 'content-length': String(length) };
}

/** @throws OciError INVALID_DIGEST when the registry has stored something else */
export function assertSameDigest({ host, what }: Asked, { headers }: HttpResponse, digest: Digest): void {
  const stored = headers.get('docker-content-digest');
  if (stored === undefined || stored === digest || !isDigest(stored)) return;
  if (splitDigest(stored).algorithm !== splitDigest(digest).algorithm) return; // its own name for the same bytes
  throw new OciError('INVALID_DIGEST', `${host}: ${what}: expected ${digest}, found ${stored}`, { subject: digest });
}
