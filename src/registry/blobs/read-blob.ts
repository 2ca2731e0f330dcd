/** Blobs as they come in. */
import { HttpError } from '../../http/index.ts';
import { type Descriptor, embeddedData, OciError } from '../../oci/index.ts';
import { repositoryScope } from '../auth/scope.ts';
import { explained } from '../error.ts';
import type { Session } from '../session/session.ts';
import { foreignUrls } from './foreign.ts';
import { handover } from './handover.ts';

export interface BlobRead {
  readonly session: Session;
  readonly repository: string;
  readonly descriptor: Descriptor;
  /** The first byte that is wanted. */
  readonly from: number;
  /** Layers that the registry does not have may be fetched from where their descriptors point. */
  readonly foreign: boolean;
}

type Take = (chunk: Uint8Array) => Promise<void>;

/** Not verified, but never more bytes than the descriptor promises. Carried on after resets, stalls and expired tokens. */
export async function* readBlob(read: BlobRead, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const { descriptor, from } = read;
  const data = embeddedData(descriptor);
  if (data !== undefined) {
    if (from < data.length) yield data.subarray(from);
    return;
  }
  yield* handover((take, own) => fetchBlob(new Progress(from, take), read, own), signal);
}

async function fetchBlob(progress: Progress, read: BlobRead, signal: AbortSignal): Promise<void> {
  const places = read.foreign ? foreignUrls(read.descriptor, read.session.insecure) : [];
  try {
    return await fromRegistry(progress, read, signal);
  } catch (error) {
    if (!isMissing(error) || places.length === 0) throw error;
  }
  for (const [i, place] of places.entries()) {
    try {
      return await transfer(progress, read, place, {}, signal);
    } catch (error) {
      if (!(error instanceof HttpError) || i === places.length - 1) throw error;
    }
  }
}

/** A token may expire in the middle of a long blob: whenever there was progress, it is worth a new one. */
async function fromRegistry(progress: Progress, read: BlobRead, signal: AbortSignal): Promise<void> {
  const { session, repository, descriptor } = read;
  const at = `/v2/${repository}/blobs/${descriptor.digest}`;
  const scopes = repositoryScope(repository, 'pull');
  const what = `blob ${descriptor.digest} of ${repository}`;
  let deniedAt: number | undefined;
  for (;;) {
    try {
      const url = await session.urlOf(at, signal);
      return await transfer(progress, read, url, await session.proof(url, scopes, signal), signal);
    } catch (error) {
      const isDenied = error instanceof HttpError && error.status === 401;
      if (!isDenied || deniedAt === progress.position) throw explained(session.asked(what), error);
      deniedAt = progress.position;
      await session.ask({ what, method: 'HEAD', at, scopes, answers: (status) => status !== 401 }, signal);
    }
  }
}

/** @throws OciError INVALID_SIZE for another length than the descriptor has, as for any other place of images */
async function transfer(
  progress: Progress,
  { session, descriptor }: BlobRead,
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const { digest, size } = descriptor;
  try {
    await session.http.download(url, {
      size,
      offset: progress.begin(),
      immutable: true,
      headers,
      onChunk: (chunk) => progress.take(chunk),
      onRestart: () => progress.restart(),
      signal,
    });
  } catch (error) {
    if (!(error instanceof HttpError) || error.code !== 'HTTP_LENGTH') throw error;
    throw new OciError('INVALID_SIZE', `blob ${digest}: expected ${size} bytes`, { cause: error, subject: digest });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'status' in error && error.status === 404;
}

/** Which bytes have been handed out, and which ones come in: a server that cannot do ranges sends all of them again. */
class Progress {
  readonly #take: Take;
  #position: number;
  #incoming = 0;

  constructor(from: number, take: Take) {
    this.#position = from;
    this.#take = take;
  }

  get position(): number {
    return this.#position;
  }

  begin(): number {
    this.#incoming = this.#position;
    return this.#position;
  }

  restart(): void {
    this.#incoming = 0;
  }

  take(chunk: Uint8Array): Promise<void> | undefined {
    const known = Math.min(chunk.length, this.#position - this.#incoming);
    this.#incoming += chunk.length;
    if (known === chunk.length) return undefined;
    this.#position = this.#incoming;
    return this.#take(chunk.subarray(known));
  }
}
