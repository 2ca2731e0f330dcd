/** The connections of one client: direct ones, and those through each proxy; made at the first use. */
import type { SecureContext } from 'node:tls';
import type { Dispatcher } from 'undici';
import { closedError } from '../exchange/sleep.ts';
import type { ResolvedSettings } from '../settings.ts';
import { createConnector, tlsOptions } from './connect.ts';
import { type ProxyServer, proxyFor } from './proxy.ts';
import { loadTrust } from './trust-store.ts';

export interface Transport {
  dispatcherFor(url: URL): Promise<Dispatcher>;
  /** Ends all connections at once; whatever is still under way fails. */
  close(): Promise<void>;
}

/** Time without bytes is watched by `StallWatch`, in which our own pauses do not count. */
const NO_TIMEOUTS = { headersTimeout: 0, bodyTimeout: 0 };

export function createTransport(settings: ResolvedSettings): Transport {
  const dispatchers = new Map<string, Promise<Dispatcher>>();
  let trust: Promise<SecureContext> | undefined;
  let context: SecureContext | undefined;
  let closed = false;

  const secure = async (): Promise<void> => {
    trust ??= loadTrust(settings);
    context = await trust;
  };

  const direct = async (): Promise<Dispatcher> => {
    const [{ default: Agent }, { default: build }] = await Promise.all([
      import('undici/lib/dispatcher/agent.js'),
      import('undici/lib/core/connect.js'),
    ]);
    return new Agent({ ...NO_TIMEOUTS, connect: createConnector({ settings, build, trust: () => context }) });
  };

  const through = async (proxy: ProxyServer): Promise<Dispatcher> => {
    const [{ default: ProxyAgent }, { default: Pool }, { default: connect }] = await Promise.all([
      import('undici/lib/dispatcher/proxy-agent.js'),
      import('undici/lib/dispatcher/pool.js'),
      import('undici/lib/api/api-connect.js'),
    ]);
    const tls = tlsOptions(settings, context);
    return new ProxyAgent({
      ...NO_TIMEOUTS,
      uri: proxy.url.href,
      ...(proxy.authorization === undefined ? {} : { token: proxy.authorization }),
      clientFactory: (origin, options) => Object.assign(new Pool(origin, options), { connect }),
      proxyTunnel: false, // plain http goes through as an absolute URI; https always takes CONNECT
      requestTls: tls,
      proxyTls: tls,
    });
  };

  return {
    async dispatcherFor(url) {
      const proxy = proxyFor(url, settings.env);
      const isSecure = url.protocol === 'https:' || proxy?.url.protocol === 'https:';
      if (isSecure) await secure();
      if (closed) throw closedError();
      // A proxy's agent takes its certificates when it is made, so there is one for http and one for https URLs.
      const key = proxy === undefined ? '' : `${isSecure} ${proxy.authorization ?? ''} ${proxy.url.href}`;
      const known = dispatchers.get(key) ?? (proxy === undefined ? direct() : through(proxy));
      dispatchers.set(key, known);
      return known;
    },
    async close() {
      closed = true;
      await Promise.all([...dispatchers.values()].map(async (dispatcher) => (await dispatcher).destroy()));
    },
  };
}
