/** One client per run: its connections, its rate limit and its settings are shared by all requests. */

import { createTransport } from './connection/transport.ts';
import { createRateLimit } from './exchange/rate-limit.ts';
import { createSleeper } from './exchange/sleep.ts';
import { type DocumentOptions, type DocumentResult, getDocument } from './requests/document.ts';
import { type DownloadOptions, download } from './requests/download.ts';
import { type HttpResponse, type RequestOptions, request } from './requests/request.ts';
import type { Session } from './session.ts';
import { type HttpSettings, resolveSettings } from './settings.ts';

export interface HttpClient {
  /** Small documents: the whole body in memory, bounded; repeated as a whole; conditional on `etag`. */
  getDocument(url: URL | string, options: DocumentOptions): Promise<DocumentResult>;
  /** A body of known size, chunk by chunk, resumed after resets and stalls in this call and (`offset`) across calls. */
  download(url: URL | string, options: DownloadOptions): Promise<void>;
  /** Everything else: any method, a body to send, other statuses than 200. */
  request(url: URL | string, options: RequestOptions): Promise<HttpResponse>;
  /** Ends all connections; what is still under way is rejected with `HTTP_CLOSED`. */
  close(): Promise<void>;
}

export function createHttpClient(given: HttpSettings): HttpClient {
  const settings = resolveSettings(given);
  const transport = createTransport(settings);
  const sleeper = createSleeper();
  const session: Session = { settings, transport, rate: createRateLimit(settings.limitRate), sleep: sleeper.sleep };
  return {
    getDocument: (url, options) => getDocument(session, url, options),
    download: (url, options) => download(session, url, options),
    request: (url, options) => request(session, url, options),
    async close() {
      sleeper.close();
      await transport.close();
    },
  };
}
