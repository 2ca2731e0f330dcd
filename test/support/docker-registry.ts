/** Debian's docker-registry (the reference implementation of the protocol), with its storage in a directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './nginx.ts';
import { makeScratch, removeTree } from './scratch.ts';

/** The one account of a registry with `htpasswd`. */
export const ACCOUNT = { username: 'joe', password: 'open sesame' } as const;
const HTPASSWD = 'joe:$2b$05$d0zwQaBqEZKbyB6GPmXzy.AdOYKX5rBw50u5qGiq2MmTxsff3Jo.K\n';

export interface DockerRegistryOptions {
  /** Paths of PEM files: https only. With `clientCa` a client certificate of that authority is demanded. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string } | undefined;
  /** Basic authentication; `ACCOUNT` alone gets in, for reading, too. */
  readonly htpasswd?: boolean | undefined;
  /** Bearer authentication, see `startTokenServer`. Not together with `htpasswd`. */
  readonly token?: TokenAuthority | undefined;
  /** Let manifests and blobs be deleted; off by default, as there. */
  readonly delete?: boolean | undefined;
  /** Answer reads from this registry (`https://...`), a pull-through cache. */
  readonly proxyOf?: string | undefined;
  /** Its storage is somewhere below; default: with the temporary files. */
  readonly below?: string | undefined;
}

/** Whose tokens are taken. */
export interface TokenAuthority {
  /** Where clients are sent for one. */
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** A PEM file with the certificate of the signing key. */
  readonly certificate: string;
}

export interface DockerRegistry {
  /** `127.0.0.1:PORT`, as it stands in a reference. */
  readonly host: string;
  /** With `http://` or `https://` before it. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Its storage: what was pushed lies in `docker/registry/v2` below. */
  readonly storage: string;
  /** One line per request: `METHOD PATH STATUS BYTES`. Written when the answer has ended. */
  accessLog(): readonly string[];
  stop(): Promise<void>;
}

export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const dir = makeScratch(options.below);
  const port = await freePort();
  const storage = join(dir, 'storage');
  mkdirSync(storage);
  writeFileSync(join(dir, 'htpasswd'), HTPASSWD);
  writeFileSync(join(dir, 'config.yml'), JSON.stringify(configuration(options, dir, port))); // JSON is YAML
  const log = join(dir, 'log');
  const fd = openSync(log, 'a');
  const child = spawn('docker-registry', ['serve', join(dir, 'config.yml')], { stdio: ['ignore', fd, fd] });
  closeSync(fd);
  // It may be left behind by a test that is interrupted.
  const kill = (): void => void child.kill('SIGKILL');
  process.prependOnceListener('exit', kill);
  const stop = async (): Promise<void> => {
    process.off('exit', kill);
    await end(child);
    removeTree(dir);
  };
  const scheme = options.tls === undefined ? 'http' : 'https';
  try {
    await untilReady(child, log);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host: `127.0.0.1:${port}`,
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? -1,
    storage,
    accessLog: () => accesses(readFileSync(log, 'utf8')),
    stop,
  };
}

function configuration(options: DockerRegistryOptions, dir: string, port: number): object {
  const { tls, htpasswd = false, token, proxyOf } = options;
  return {
    version: 0.1,
    log: { level: 'info', formatter: 'text' },
    storage: {
      filesystem: { rootdirectory: join(dir, 'storage') },
      delete: { enabled: options.delete ?? false },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: {
      addr: `127.0.0.1:${port}`,
      secret: 'of one process only',
      ...(tls !== undefined && {
        tls: { certificate: tls.cert, key: tls.key, ...(tls.clientCa !== undefined && { clientcas: [tls.clientCa] }) },
      }),
    },
    ...(htpasswd && { auth: { htpasswd: { realm: 'test', path: join(dir, 'htpasswd') } } }),
    ...(token !== undefined && {
      auth: {
        token: {
          realm: token.realm,
          service: token.service,
          issuer: token.issuer,
          rootcertbundle: token.certificate,
        },
      },
    }),
    ...(proxyOf !== undefined && { proxy: { remoteurl: proxyOf } }),
  };
}

/** It says when it listens; a connection to try would be an aborted handshake in its log. */
async function untilReady(child: ChildProcess, log: string): Promise<void> {
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  for (let tries = 0; tries < 400; tries++) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended: ${readFileSync(log, 'utf8').slice(-2000)}`);
    if (/listening on 127\.0\.0\.1:/.test(readFileSync(log, 'utf8'))) return;
    await Promise.race([sleep(25), failed]);
  }
  throw new Error('docker-registry does not listen after 10 s');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 2000); // it waits for connections that are kept alive
  await ended;
  clearTimeout(timer);
}

/** Its access log is that of Apache, between lines of its own. */
function accesses(text: string): string[] {
  const line = /^\S+ - \S+ \[[^\]]*\] "(\S+) (\S+) [^"]*" ([0-9]+) ([0-9]+)/gm;
  return [...text.matchAll(line)].map(([, method, path, status, bytes]) => `${method} ${path} ${status} ${bytes}`);
}
