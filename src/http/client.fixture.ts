/** A client for the tests of this folder: impatient, without proxies, against a hostile server of its own. */
import { after, afterEach, before } from 'node:test';
import {
  type HostileServer,
  type HostileServerOptions,
  startHostileServer,
} from '../../test/support/hostile-server.ts';
import { createHttpClient, type HttpClient, type HttpSettings } from './index.ts';

export const never: AbortSignal = new AbortController().signal;

/** 300 000 bytes in which no two stretches are alike, so that wrongly joined halves show. */
export const IMAGE = Buffer.from(Uint32Array.from({ length: 75_000 }, (_, i) => Math.imul(i, 2654435761)).buffer);

export const FILES: ReadonlyMap<string, Uint8Array | string> = new Map<string, Uint8Array | string>([
  ['/manifest', 'Tako Manifest 1\n'],
  ['/image', IMAGE],
]);

export interface Bench {
  readonly server: HostileServer;
  readonly notes: string[];
  client(settings?: Partial<HttpSettings>): HttpClient;
}

/** Call inside `describe`: one server for its tests, clients closed after each. */
export function bench(options: HostileServerOptions = { files: FILES }): Bench {
  let server: HostileServer | undefined;
  const clients: HttpClient[] = [];
  const notes: string[] = [];
  before(async () => {
    server = await startHostileServer(options);
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    notes.length = 0;
  });
  after(() => server?.close());
  return {
    get server() {
      if (server === undefined) throw new Error('the server runs only while tests do');
      return server;
    },
    notes,
    client(settings = {}) {
      const impatient = {
        retryDelayMs: 1,
        retries: 2,
        minRateWindowMs: 200,
        onNote: (text: string) => void notes.push(text),
      };
      const client = createHttpClient({ userAgent: 'tako/test', env: {}, ...impatient, ...settings });
      clients.push(client);
      return client;
    },
  };
}

/** A file that a download writes to: what is in it, and how often it had to begin again. */
export function sink(present = Buffer.alloc(0)) {
  let parts: Buffer[] = [present];
  const state = {
    restarts: 0,
    onChunk: (chunk: Uint8Array): void => void parts.push(Buffer.from(chunk)),
    onRestart: (): void => {
      state.restarts++;
      parts = [];
    },
    content: (): Buffer => Buffer.concat(parts),
  };
  return state;
}
