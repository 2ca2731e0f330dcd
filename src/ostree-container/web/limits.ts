/** What one client can take of the server. */
import type { SendLimits } from './send.ts';

export interface ServerLimits extends SendLimits {
  /** Of the request line and all headers. */
  readonly maxHeaderBytes: number;
  /** From the opening of a connection, or the first byte of a further request, to the end of its headers. */
  readonly headersTimeoutMs: number;
  /** The same to the end of the whole request. */
  readonly requestTimeoutMs: number;
  /** Between two requests. */
  readonly keepAliveMs: number;
  /** More are closed at once, for each address that is listened on. */
  readonly maxConnections: number;
}

export const DEFAULT_LIMITS: ServerLimits = {
  maxHeaderBytes: 16 * 1024,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 30_000,
  keepAliveMs: 15_000,
  maxConnections: 1024,
  stallMs: 60_000,
};
