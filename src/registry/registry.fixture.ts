/** A registry in the process and a client that is in a hurry, for the tests of this folder. */
import type { TestContext } from 'node:test';
import { type FakeRegistry, type FakeRegistryOptions, startFakeRegistry } from '../../test/support/fake-registry.ts';
import { createHttpClient, type HttpClient, type HttpSettings } from '../http/index.ts';
import { type Descriptor, type DigestAlgorithm, digestOf, MEDIA } from '../oci/index.ts';
import { createRegistry, type Registry, type RegistryOptions, type RegistryRepository } from './index.ts';

export const never: AbortSignal = new AbortController().signal;

/** Bytes in which no two stretches are alike, so that wrongly joined parts show. */
export function noise(size: number): Buffer {
  const words = Uint32Array.from({ length: Math.ceil(size / 4) }, (_, i) => Math.imul(i + 1, 2654435761));
  return Buffer.from(words.buffer).subarray(0, size);
}

export function descriptorOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Descriptor {
  return { mediaType: MEDIA.ociLayer, digest: digestOf(bytes, algorithm), size: bytes.length };
}

/** A source as an upload wants it: small chunks in memory that is used again, and which bytes were asked for. */
export function sourceOf(bytes: Uint8Array, chunk = 10_000) {
  const asked: number[] = [];
  async function* source(from: number): AsyncGenerator<Uint8Array> {
    asked.push(from);
    const memory = Buffer.alloc(chunk);
    for (let at = from; at < bytes.length; at += chunk) {
      const length = Math.min(chunk, bytes.length - at);
      memory.set(bytes.subarray(at, at + length));
      yield memory.subarray(0, length);
      memory.fill(0xee); // whoever kept it has rubbish now
    }
  }
  return { asked, source };
}

/** All of a stream, each chunk copied while it is valid. */
export async function drained(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export interface Bench {
  readonly server: FakeRegistry;
  readonly registry: Registry;
  /** `team/app` */
  readonly repository: RegistryRepository;
  readonly notes: string[];
  readonly http: HttpClient;
}

export interface BenchOptions {
  readonly server?: FakeRegistryOptions;
  readonly client?: Partial<RegistryOptions>;
  readonly http?: Partial<HttpSettings>;
}

export async function bench(test: TestContext, options: BenchOptions = {}): Promise<Bench> {
  const server = await startFakeRegistry(options.server);
  const notes: string[] = [];
  const http = createHttpClient({
    userAgent: 'tako/test',
    env: {},
    retryDelayMs: 1,
    retries: 2,
    minRateWindowMs: 200,
    ...options.http,
  });
  test.after(async () => {
    await http.close();
    await server.close();
  });
  const registry = createRegistry({
    host: server.host,
    scheme: 'http',
    insecure: true,
    http,
    uploadRetry: { retries: 3, delayMs: 1 },
    onNote: (text) => void notes.push(text),
    ...options.client,
  });
  return { server, registry, repository: registry.repository('team/app'), notes, http };
}
