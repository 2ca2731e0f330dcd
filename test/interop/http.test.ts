/** The HTTP client against nginx, with TLS, client certificates and a forward proxy. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { createHttpClient, type HttpClient, type HttpSettings } from '../../src/http/index.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { type Nginx, type NginxOptions, startNginx } from '../support/nginx.ts';

const signal = new AbortController().signal;
const IMAGE = Buffer.from(Uint32Array.from({ length: 500_000 }, (_, i) => Math.imul(i, 2654435761)).buffer);
const HTTP = `
  limit_req_zone $binary_remote_addr zone=slow:1m rate=1r/s;
`;
const SERVER = `
  location /weak { alias IMAGES; add_header ETag 'W/"1"'; etag off; }
  location /slow/ { alias ROOT/; limit_rate 1000k; }
  location /busy/ { alias ROOT/; limit_req zone=slow; limit_req_status 429; error_page 429 @later; }
  location @later { default_type text/plain; add_header Retry-After 1 always; return 429 "slow down"; }
  location /gone { return 410; }
  location /moved { return 301 /image; }
  location /private { auth_basic "x"; auth_basic_user_file ROOT/htpasswd; alias ROOT/manifest; }
`;

describe('the HTTP client and nginx', () => {
  const root = mkdtempSync(join(tmpdir(), 'tako-http-'));
  const clients: HttpClient[] = [];
  const servers: Nginx[] = [];
  let certificates: Certificates;
  let plain: Nginx;
  let secure: Nginx;

  const start = async (options: Partial<NginxOptions> = {}): Promise<Nginx> => {
    const extraServer = SERVER.replaceAll('ROOT', root).replace('IMAGES', join(root, 'image'));
    const nginx = await startNginx({ root, extraHttp: HTTP, extraServer, ...options });
    servers.push(nginx);
    return nginx;
  };
  const client = (settings: Partial<HttpSettings> = {}): HttpClient => {
    const made = createHttpClient({ userAgent: 'tako/test', env: {}, retryDelayMs: 1, ...settings });
    clients.push(made);
    return made;
  };
  const tls = () => ({ cert: certificates.serverCert, key: certificates.serverKey });
  const fetchImage = async (url: string, offset = 0, settings: Partial<HttpSettings> = {}) => {
    let parts = [IMAGE.subarray(0, offset)];
    let restarts = 0;
    await client(settings).download(url, {
      size: IMAGE.length,
      offset,
      onChunk: (chunk) => void parts.push(Buffer.from(chunk)),
      onRestart: () => {
        parts = [];
        restarts++;
      },
      signal,
    });
    return { isWhole: Buffer.concat(parts).equals(IMAGE), restarts };
  };
  const getManifest = (url: string, settings: Partial<HttpSettings> = {}, etag?: string) =>
    client(settings).getDocument(`${url}/manifest`, { limit: 100, etag, signal });

  before(async () => {
    certificates = makeCertificates();
    writeFileSync(join(root, 'image'), IMAGE);
    writeFileSync(join(root, 'manifest'), 'Tako Manifest 1\n');
    writeFileSync(join(root, 'htpasswd'), 'user@host:{PLAIN}pass@word\n');
    mkdirSync(join(root, 'empty'));
    [plain, secure] = await Promise.all([start(), start({ tls: tls() })]);
  });
  afterEach(() => Promise.all(clients.splice(0).map((made) => made.close())));
  after(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    certificates.remove();
    rmSync(root, { recursive: true });
  });

  it('get a document, and not again while it is the same', async () => {
    const first = await getManifest(plain.url);
    assert.equal(first.kind === 'document' && Buffer.from(first.bytes).toString(), 'Tako Manifest 1\n');
    assert.match((first.kind === 'document' && first.etag) || '', /^"[0-9a-f-]+"$/);
    const etag = first.kind === 'document' ? first.etag : undefined;
    assert.deepEqual(await getManifest(plain.url, {}, etag), { kind: 'unchanged' });
    assert.match(plain.accessLog().at(-1) ?? '', /^GET \/manifest 304 0 "-" "-" "tako\/test"$/);
  });

  it('carry on what an earlier run has begun', async () => {
    assert.deepEqual(await fetchImage(`${plain.url}/image`, 123_456), { isWhole: true, restarts: 0 });
    assert.match(plain.accessLog().at(-1) ?? '', / 206 1876544 "bytes=123456-" "-"/);
  });

  for (const [what, path, condition] of [
    ['its strong tag', 'image', /"bytes=[0-9]+-" "\\x22[0-9a-f-]+\\x22"/],
    ['the date where the tag is weak', 'weak', /"bytes=[0-9]+-" "[A-Z][a-z]{2}, [^"]* GMT"/],
  ] as const) {
    it(`carry on by ${what} after the connection broke`, async () => {
      const breaker = await startBreaker(plain.port, 700_000);
      try {
        const url = `http://127.0.0.1:${breaker.port}/${path}`;
        assert.deepEqual(await fetchImage(url), { isWhole: true, restarts: 0 });
      } finally {
        breaker.close();
      }
      const line = plain.accessLog().at(-1) ?? '';
      assert.match(line, / 206 /);
      assert.match(line, condition);
    });
  }

  it('start over when the range lies behind the end', async () => {
    writeFileSync(join(root, 'shorter'), IMAGE.subarray(0, 1000));
    const pending = fetchImage(`${plain.url}/shorter`, 2000);
    await assert.rejects(pending, { code: 'HTTP_LENGTH' }); // 416, then the whole file, which is too short
    assert.deepEqual(
      plain
        .accessLog()
        .slice(-2)
        .map((line) => line.split(' ')[2]),
      ['416', '200'],
    );
  });

  it('agree on what is missing, gone and moved', async () => {
    const get = (path: string) => client().getDocument(`${plain.url}${path}`, { limit: 1e7, signal });
    await assert.rejects(get('/nothing'), { code: 'HTTP_NOT_FOUND' });
    await assert.rejects(get('/empty/'), { code: 'HTTP_DENIED' });
    await assert.rejects(get('/gone'), { code: 'HTTP_GONE' });
    const moved = await get('/moved');
    assert.equal(moved.kind === 'document' && moved.url, `${plain.url}/image`);
  });

  it('understand each other about passwords', async () => {
    const get = (user: string) =>
      client().getDocument(`${plain.url.replace('//', `//${user}`)}/private`, { limit: 100, signal });
    assert.equal((await get('user%40host:pass%40word@')).kind, 'document');
    await assert.rejects(get('user%40host:wrong@'), { code: 'HTTP_DENIED' });
    await assert.rejects(get(''), { code: 'HTTP_DENIED' });
  });

  it('are as slow as the server likes, above the minimum rate', async () => {
    const settings = { minRateWindowMs: 1500, minRate: 300_000, retries: 0 };
    const started = performance.now();
    assert.equal((await fetchImage(`${plain.url}/slow/image`, 0, settings)).isWhole, true);
    assert.ok(performance.now() - started > 900);
  });

  it('wait as long as a busy server asks for', async () => {
    const notes: string[] = [];
    const busy = client({ onNote: (text) => void notes.push(text) });
    for (let i = 0; i < 2; i++) await busy.getDocument(`${plain.url}/busy/manifest`, { limit: 100, signal });
    assert.match(notes[0] ?? '', /status 429: slow down; retry 1 of 4 in 1\.0 s/);
  });

  it('trust each other over https through the authority that is named', async () => {
    assert.equal((await getManifest(secure.url, { caFile: certificates.ca })).kind, 'document');
    assert.equal((await getManifest(secure.url, { env: { SSL_CERT_FILE: certificates.ca } })).kind, 'document');
    assert.deepEqual(await fetchImage(`${secure.url}/image`, 0, { caFile: certificates.ca }), {
      isWhole: true,
      restarts: 0,
    });
  });

  it('do not trust each other over https through the authorities of the system', async () => {
    await assert.rejects(getManifest(secure.url), (error: { code?: string; hint?: string }) => {
      assert.equal(error.code, 'HTTP_TLS');
      assert.match(error.hint ?? '', /authority/);
      return true;
    });
  });

  it('do not trust each other under another name', async () => {
    const other = await start({ tls: { cert: certificates.wrongNameCert, key: certificates.wrongNameKey } });
    await assert.rejects(getManifest(other.url, { caFile: certificates.ca }), { code: 'HTTP_TLS' });
  });

  it('do not speak TLS with a server that does not', async () => {
    await assert.rejects(getManifest(plain.url.replace('http:', 'https:')), { code: 'HTTP_TLS' });
  });

  it('refuse files that hold no certificates by their name', async () => {
    for (const caFile of [join(root, 'manifest'), join(root, 'nothing')]) {
      await assert.rejects(getManifest(secure.url, { caFile }), { code: 'HTTP_TLS', subject: caFile });
    }
    await assert.rejects(getManifest(secure.url, { certFile: certificates.clientCert }), { code: 'HTTP_TLS' });
  });

  it('know each other by client certificates', async () => {
    const strict = await start({ tls: { ...tls(), clientCa: certificates.ca } });
    const known = { caFile: certificates.ca, certFile: certificates.clientCert, keyFile: certificates.clientKey };
    assert.equal((await getManifest(strict.url, known)).kind, 'document');
    await assert.rejects(getManifest(strict.url, { caFile: certificates.ca }), { code: 'HTTP_STATUS', status: 400 });
  });

  describe('behind a forward proxy', () => {
    let proxy: ForwardProxy;
    before(async () => {
      proxy = await startProxy('user:pa:ss');
    });
    after(() => proxy.close());
    const through = (credentials = 'user:pa%3Ass@') => {
      const url = `http://${credentials}127.0.0.1:${proxy.port}`;
      return { caFile: certificates.ca, env: { http_proxy: url, HTTPS_PROXY: url } };
    };

    it('send http as an absolute URI', async () => {
      assert.equal((await getManifest(plain.url, through())).kind, 'document');
      assert.equal(proxy.seen.at(-1), `GET ${plain.url}/manifest`);
    });

    it('send https through a tunnel, still verified end to end', async () => {
      assert.equal((await getManifest(secure.url, through())).kind, 'document');
      assert.equal(proxy.seen.at(-1), `CONNECT 127.0.0.1:${secure.port}`);
      await assert.rejects(getManifest(secure.url, { env: through().env }), { code: 'HTTP_TLS' });
    });

    it('download and resume through both', async () => {
      for (const url of [plain.url, secure.url]) {
        assert.deepEqual(await fetchImage(`${url}/image`, 1000, through()), { isWhole: true, restarts: 0 });
      }
    });

    it('leave it out for the hosts of NO_PROXY', async () => {
      const before = proxy.seen.length;
      const { caFile, env } = through();
      assert.equal(
        (await getManifest(secure.url, { caFile, env: { ...env, NO_PROXY: '127.0.0.0/8' } })).kind,
        'document',
      );
      assert.equal(proxy.seen.length, before);
    });

    it('are told when it wants other credentials', async () => {
      for (const url of [plain.url, secure.url]) {
        await assert.rejects(getManifest(url, through('user:wrong@')), { code: 'HTTP_BAD_PROXY' });
      }
    });

    it('are told when it is not there', async () => {
      const env = { ALL_PROXY: 'http://127.0.0.1:1' };
      for (const url of [plain.url, secure.url])
        await assert.rejects(getManifest(url, { env }), { code: 'HTTP_UNREACHABLE' });
    });
  });

  it('let the process end after close, and only then', async () => {
    const script = `
      import { createHttpClient } from ${JSON.stringify(new URL('../../src/http/index.js', import.meta.url).href)};
      const signal = new AbortController().signal;
      const client = createHttpClient({ userAgent: 'tako/test', env: {} });
      await client.getDocument('${plain.url}/manifest', { limit: 100, signal });
      await client.getDocument('${plain.url}/manifest', { limit: 100, signal });
      await client.close();
      process.stdout.write(String(process.uptime() < 3));
    `;
    const started = performance.now();
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    assert.equal(stdout, 'true');
    assert.ok(performance.now() - started < 3000); // keep-alive would hold it for longer
  });
});

/** Forwards connections to a port, and resets each after so many bytes, the first two times. */
async function startBreaker(port: number, after: number): Promise<{ readonly port: number; close(): void }> {
  const { createServer: createTcpServer } = await import('node:net');
  let left = 2;
  const server = createTcpServer((socket) => {
    const upstream = connect(port, '127.0.0.1');
    const breaks = left-- > 0;
    let bytes = 0;
    upstream.on('data', (chunk) => {
      bytes += chunk.length;
      socket.write(chunk, () => {
        if (breaks && bytes > after) socket.destroy();
      });
    });
    socket.pipe(upstream);
    for (const end of [socket, upstream])
      end.on('error', () => undefined).on('close', () => [socket, upstream].map((s) => s.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

interface ForwardProxy {
  readonly port: number;
  /** `METHOD TARGET` of every request that was let through. */
  readonly seen: readonly string[];
  close(): Promise<void>;
}

/** CONNECT and absolute URIs, for one user. */
async function startProxy(credentials: string): Promise<ForwardProxy> {
  const seen: string[] = [];
  const expected = `Basic ${Buffer.from(credentials).toString('base64')}`;
  const server: Server = createServer((incoming, outgoing) => {
    if (incoming.headers['proxy-authorization'] !== expected) return void outgoing.writeHead(407).end();
    seen.push(`${incoming.method} ${incoming.url}`);
    const { 'proxy-authorization': _, ...headers } = incoming.headers;
    const onward = httpRequest(incoming.url ?? '', { method: incoming.method ?? 'GET', headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.on('connect', (incoming, client) => {
    if (incoming.headers['proxy-authorization'] !== expected) {
      return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
    }
    seen.push(`CONNECT ${incoming.url}`);
    const [host = '', port = ''] = (incoming.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
    upstream.pipe(client).pipe(upstream);
    for (const end of [client, upstream]) end.on('error', () => [client, upstream].map((socket) => socket.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}
