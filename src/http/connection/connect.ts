/** How direct connections are made: plain ones with read buffers of our own, TLS by undici. */
import { connect as connectTcp, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { buildConnector } from 'undici';
import { HttpError } from '../error.ts';
import type { ResolvedSettings } from '../settings.ts';
import { createReadBuffers, plainSizes, TLS_SIZES } from './read-buffers.ts';

export interface ConnectOptions {
  readonly settings: ResolvedSettings;
  /** Makes a connector for https; only called when there is a context. */
  readonly build: typeof buildConnector;
  /** Present as soon as the first https URL has been seen. */
  readonly trust: () => SecureContext | undefined;
}

export function createConnector({ settings, build, trust }: ConnectOptions): buildConnector.connector {
  const sessions = new Map<string, Buffer>();
  return (options, callback) => {
    if (options.protocol !== 'https:') return connectPlain(options, settings, callback);
    let socket: Socket | undefined;
    // undici's connector is made anew for each connection, because its options are shared and the buffers are not.
    const wanted = {
      ...tlsOptions(settings, trust()),
      session: sessions.get(options.hostname),
      highWaterMark: TLS_SIZES.highWaterMark,
      onread: createReadBuffers(TLS_SIZES, () => socket),
    };
    build(wanted)(options, (...[error, connected]) => {
      if (error !== null) return callback(error, null);
      socket = connected;
      connected.on('session', (session) => sessions.set(options.hostname, session));
      callback(null, connected);
    });
  };
}

/** Options for `tls.connect`, for undici's connector. */
export function tlsOptions(settings: ResolvedSettings, trust: SecureContext | undefined): buildConnector.BuildOptions {
  return {
    timeout: settings.connectTimeoutMs,
    rejectUnauthorized: !settings.anyCertificate,
    ...(trust === undefined ? {} : { secureContext: trust }),
  };
}

function connectPlain(
  { hostname, port }: buildConnector.Options,
  { connectTimeoutMs, limitRate }: ResolvedSettings,
  callback: buildConnector.Callback,
): void {
  const sizes = plainSizes(limitRate);
  const options = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 80),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
    highWaterMark: sizes.highWaterMark,
    onread: createReadBuffers(sizes, () => socket),
  };
  const socket: Socket = connectTcp(options);
  const timer = setTimeout(() => socket.destroy(connectTimeout(connectTimeoutMs)), connectTimeoutMs);
  let open = true;
  const settle = (answer: () => void): void => {
    clearTimeout(timer);
    if (open) answer();
    open = false;
  };
  socket.once('connect', () => settle(() => callback(null, socket)));
  socket.on('error', (error) => settle(() => callback(error, null)));
}

export function connectTimeout(ms: number): HttpError {
  return new HttpError('HTTP_UNREACHABLE', `no connection within ${ms / 1000} s`);
}
