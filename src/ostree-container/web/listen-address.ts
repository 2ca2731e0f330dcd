/** Where to listen: `127.0.0.1:8080`, `[::]:8080`. Only numbers: names mean different things on different machines. */
import { isIP, isIPv6 } from 'node:net';
import { decodeDecimal } from '../../base/decode.ts';

export interface ListenAddress {
  readonly kind: 'address';
  /** IPv4 or IPv6, without brackets. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Where the system has no such addresses at all, do without: IPv6 is not everywhere. */
  readonly isOptional?: boolean;
}

/** A socket that listens already: of systemd, from descriptor 3 on. */
export interface ListenDescriptor {
  readonly kind: 'descriptor';
  readonly fd: number;
}

export type Listen = ListenAddress | ListenDescriptor;

/** Undefined for anything else. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const [, bracketed, plain, digits = ''] = /^(?:\[([^[\]]*)\]|([^:]*)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? '';
  const port = parsePort(digits);
  const isAddress = bracketed === undefined ? isIP(host) === 4 : isIPv6(host);
  return port === undefined || !isAddress ? undefined : { kind: 'address', host, port };
}

/** 0 to 65535 in decimal digits. */
export function parsePort(text: string): number | undefined {
  const port = decodeDecimal(text);
  return port !== undefined && port <= 65_535 ? port : undefined;
}

export function formatHostPort(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** The sockets that systemd has opened for this very process. Source: sd_listen_fds(3). */
export function inheritedSockets(env: NodeJS.ProcessEnv, pid: number): readonly ListenDescriptor[] {
  const count = decodeDecimal(env['LISTEN_FDS'] ?? '') ?? 0;
  if (env['LISTEN_PID'] !== String(pid) || count < 1 || count > 64) return [];
  return Array.from({ length: count }, (_, i) => ({ kind: 'descriptor', fd: 3 + i }));
}
