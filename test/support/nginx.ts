/** A real web server in the foreground of the test, with everything it writes in a directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface NginxOptions {
  /** The directory that is served. */
  readonly root: string;
  /** Serve https only. With `clientCa` a client certificate of that authority is demanded. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string } | undefined;
  /** Directives for the `server` and the `http` block. */
  readonly extraServer?: string | undefined;
  readonly extraHttp?: string | undefined;
}

export interface Nginx {
  /** `http://127.0.0.1:PORT` or `https://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** One line per request: `METHOD URI STATUS BYTES "RANGE" "IF-RANGE" "USER-AGENT"`. */
  accessLog(): readonly string[];
  stop(): Promise<void>;
}

export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const dir = mkdtempSync(join(tmpdir(), 'tako-nginx-'));
  const port = await freePort();
  writeFileSync(join(dir, 'nginx.conf'), configuration(options, dir, port));
  mkdirSync(join(dir, 'temp'));
  const child = spawn('nginx', ['-p', dir, '-e', join(dir, 'error.log'), '-c', join(dir, 'nginx.conf')], {
    stdio: 'ignore',
  });
  try {
    await waitForPort(child, port, () => readFileSync(join(dir, 'error.log'), 'utf8'));
  } catch (error) {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? -1,
    accessLog: () => readFileSync(join(dir, 'access.log'), 'utf8').split('\n').filter(Boolean),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        await ended;
      }
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function configuration(
  { root, tls, extraServer = '', extraHttp = '' }: NginxOptions,
  dir: string,
  port: number,
): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const clients = tls?.clientCa === undefined ? '' : `ssl_client_certificate ${tls.clientCa}; ssl_verify_client on;`;
  return `
    user root;
    daemon off;
    worker_processes 1;
    pid ${dir}/pid;
    error_log ${dir}/error.log;
    events { worker_connections 256; }
    http {
      ${temporary.map((name) => `${name}_temp_path ${dir}/temp/${name};`).join(' ')}
      log_format brief '$request_method $request_uri $status $body_bytes_sent "$http_range" "$http_if_range" "$http_user_agent"';
      access_log ${dir}/access.log brief;
      types { text/plain txt; application/json json; text/html html; }
      default_type application/octet-stream;
      sendfile on;
      keepalive_requests 1000000;
      ${extraHttp}
      server {
        listen 127.0.0.1:${port}${tls === undefined ? '' : ' ssl'};
        root ${root};
        ${tls === undefined ? '' : `ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key}; ${clients}`}
        ${extraServer}
      }
    }
  `;
}

/** A port of the loopback address that nobody listened on a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

async function waitForPort(child: ChildProcess, port: number, log: () => string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error(`nginx ended with status ${child.exitCode}: ${log()}`);
    if (await accepts(port)) return;
    await sleep(25);
  }
  throw new Error(`nginx does not listen on port ${port} after 5 s`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
