/** Our client of registries against docker-registry, and skopeo at its other side. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createHttpClient, type HttpSettings } from '../../src/http/index.ts';
import { type Descriptor, digestOf, MEDIA, parseManifest, type RawManifest, rawManifest } from '../../src/oci/index.ts';
import { createRegistry, type RegistryOptions } from '../../src/registry/index.ts';
import { makeCertificates } from '../support/certificates.ts';
import { ACCOUNT, type DockerRegistryOptions, startDockerRegistry } from '../support/docker-registry.ts';
import { needs } from '../support/needs.ts';
import { run } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { startTokenServer } from '../support/token-server.ts';

const never = new AbortController().signal;
const LAYER = randomBytes(3_000_000);
const CONFIG = Buffer.from(
  JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [digestOf(LAYER)] },
  }),
);

interface Setting {
  readonly server?: DockerRegistryOptions;
  readonly client?: Partial<RegistryOptions>;
  readonly http?: Partial<HttpSettings>;
}

async function setting(t: TestContext, { server, client, http: settings }: Setting = {}) {
  const started = await startDockerRegistry({ delete: true, ...server });
  const http = createHttpClient({ userAgent: 'tako/test', env: {}, ...settings });
  t.after(async () => {
    await http.close();
    await started.stop();
  });
  const isTls = server?.tls !== undefined;
  const scheme = isTls ? 'https' : 'http';
  const registry = createRegistry({
    host: started.host,
    scheme,
    insecure: !isTls,
    http,
    uploadChunk: 2 ** 20,
    uploadRetry: { retries: 3, delayMs: 10 },
    ...client,
  });
  return { server: started, repository: registry.repository('team/app'), registry };
}

const of = (bytes: Uint8Array, mediaType: string, algorithm: 'sha256' | 'sha512' = 'sha256'): Descriptor => ({
  mediaType,
  digest: digestOf(bytes, algorithm),
  size: bytes.length,
});

async function* whole(bytes: Uint8Array, from: number): AsyncGenerator<Uint8Array> {
  for (let at = from; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

function image(layers: readonly Descriptor[]): RawManifest {
  const config = of(CONFIG, MEDIA.ociConfig);
  return rawManifest(
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociManifest, config, layers }, undefined, 1)),
  );
}

async function pushImage({ repository }: Awaited<ReturnType<typeof setting>>): Promise<RawManifest> {
  const raw = image([of(LAYER, MEDIA.ociLayer)]);
  for (const bytes of [CONFIG, LAYER]) {
    await repository.putBlob(of(bytes, MEDIA.ociLayer), (from) => whole(bytes, from), never);
  }
  await repository.putManifest(raw, 'v1', never);
  return raw;
}

async function drained(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** An image for skopeo, as a `dir:`. */
function directoryImage(dir: string): RawManifest {
  mkdirSync(dir);
  const raw = image([of(LAYER, MEDIA.ociLayer)]);
  for (const bytes of [CONFIG, LAYER]) writeFileSync(join(dir, digestOf(bytes).slice(7)), bytes);
  writeFileSync(join(dir, 'version'), 'Directory Transport Version: 1.1\n');
  writeFileSync(join(dir, 'manifest.json'), raw.bytes);
  return raw;
}

/** Stands between client and registry, and resets one connection after so many bytes of one direction. */
async function cutter(t: TestContext, port: number, cut: { readonly direction: 'in' | 'out'; readonly after: number }) {
  let left = cut.after;
  const counted = { in: 0, out: 0 };
  const proxy = createServer((client) => {
    const server = connect(port, '127.0.0.1');
    const pass = (from: typeof client, to: typeof client, direction: 'in' | 'out'): void => {
      from.on('data', (chunk: Buffer) => {
        const ends = direction === cut.direction && left > 0 && left <= chunk.length;
        const passed = ends ? chunk.subarray(0, left) : chunk;
        if (direction === cut.direction && left > 0) left -= passed.length;
        counted[direction] += passed.length;
        to.write(passed, () => {
          if (!ends) return;
          client.destroy();
          server.destroy();
        });
      });
      from.on('error', () => to.destroy());
      from.on('close', () => to.end());
    };
    pass(client, server, 'in');
    pass(server, client, 'out');
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise<void>((resolve) => proxy.close(() => resolve())));
  const http = createHttpClient({ userAgent: 'tako/test', env: {}, retryDelayMs: 10 });
  t.after(() => http.close());
  const host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const uploadRetry = { retries: 3, delayMs: 50 };
  const registry = createRegistry({ host, scheme: 'http', insecure: true, http, uploadChunk: 2 ** 20, uploadRetry });
  return { counted, repository: registry.repository('team/app') };
}

const skip = needs('docker-registry', 'skopeo');
const creds = `${ACCOUNT.username}:${ACCOUNT.password}`;
const JOE = { kind: 'basic', ...ACCOUNT } as const;

const skopeo = async (...words: string[]): Promise<void> => {
  const { status, stderr } = await run('skopeo', ['--insecure-policy', 'copy', '--preserve-digests', ...words]);
  assert.equal(status, 0, stderr);
};

describe('docker-registry', { skip }, () => {
  it('gives skopeo what we pushed, in the same bytes', async (t) => {
    const there = await setting(t);
    const raw = await pushImage(there);
    const out = join(scratch(t), 'out');
    await skopeo('--src-tls-verify=false', `docker://${there.server.host}/team/app:v1`, `dir:${out}`);
    assert.deepEqual(readFileSync(join(out, 'manifest.json')), Buffer.from(raw.bytes));
    assert.deepEqual(readFileSync(join(out, digestOf(LAYER).slice(7))), LAYER);
    assert.equal(readdirSync(out).length, 4);
  });

  it('gives us what skopeo pushed, in the same bytes', async (t) => {
    const { server, repository } = await setting(t);
    const dir = join(scratch(t), 'in');
    const raw = directoryImage(dir);
    await skopeo('--dest-tls-verify=false', `dir:${dir}`, `docker://${server.host}/team/app:v1`);
    const found = await repository.getManifest('v1', never);
    assert.deepEqual([found.digest, Buffer.from(found.bytes)], [raw.digest, Buffer.from(raw.bytes)]);
    const manifest = parseManifest(found);
    assert.ok(manifest.kind === 'image');
    assert.deepEqual(await repository.headManifest('v1', never), of(raw.bytes, MEDIA.ociManifest));
    const layer = manifest.layers[0] ?? of(Buffer.alloc(0), MEDIA.ociLayer);
    assert.deepEqual(await drained(repository.readBlob(layer, 0, never)), LAYER);
    assert.deepEqual(await drained(repository.readBlob(layer, 2_999_000, never)), LAYER.subarray(2_999_000));
    assert.ok(server.accessLog().some((line) => line.includes(layer.digest) && line.endsWith(' 206 1000')));
  });

  it('takes pieces, sha512, nothing at all, and knows what it has', async (t) => {
    const { server, repository } = await setting(t);
    const empty = Buffer.alloc(0);
    for (const [bytes, algorithm] of [
      [LAYER, 'sha512'],
      [empty, 'sha256'],
      [LAYER, 'sha256'],
    ] as const) {
      const descriptor = of(bytes, MEDIA.ociLayer, algorithm);
      await repository.putBlob(descriptor, (from) => whole(bytes, from), never);
      assert.equal(await repository.hasBlob(descriptor.digest, never), bytes.length);
      assert.deepEqual(await drained(repository.readBlob(descriptor, 0, never)), bytes);
    }
    assert.equal(server.accessLog().filter((line) => line.startsWith('PATCH')).length, 3); // one content, two names
    const before = server.accessLog().length;
    await repository.putBlob(of(LAYER, MEDIA.ociLayer), () => assert.fail('nobody needs it'), never);
    assert.equal(server.accessLog().length, before + 1);
  });

  it('mounts, lists, deletes and keeps referrers under a tag', async (t) => {
    const there = await setting(t);
    const { registry, repository } = there;
    const raw = await pushImage(there);
    const other = registry.repository('team/other');
    assert.equal(await other.mountBlob(digestOf(LAYER), 'team/app', never), true);
    assert.equal(await other.hasBlob(digestOf(LAYER), never), LAYER.length);
    assert.equal(await other.mountBlob(digestOf(Buffer.from('none')), 'team/app', never), false);
    for (let i = 0; i < 5; i++) await repository.putManifest(raw, `t${i}`, never);
    assert.deepEqual([...(await repository.listTags(never))].sort(), ['t0', 't1', 't2', 't3', 't4', 'v1']);
    const artifact = { ...of(raw.bytes, raw.mediaType), artifactType: 'application/x' };
    assert.deepEqual(await repository.referrers(raw.digest, undefined, never), []);
    await repository.addReferrer(raw.digest, artifact, never);
    assert.deepEqual(
      (await repository.referrers(raw.digest, 'application/x', never)).map(({ digest }) => digest),
      [raw.digest],
    );
    await repository.deleteManifest(raw.digest, never);
    assert.equal(await repository.headManifest('v1', never), undefined);
    await repository.deleteBlob(digestOf(LAYER), never);
    assert.equal(await repository.hasBlob(digestOf(LAYER), never), undefined);
  });

  it('with TLS of a private authority and a password gives what skopeo gets', async (t) => {
    const files = makeCertificates();
    t.after(() => files.remove());
    const there = await setting(t, {
      server: { tls: { cert: files.serverCert, key: files.serverKey }, htpasswd: true },
      client: { credentials: JOE },
      http: { caFile: files.ca },
    });
    const raw = await pushImage(there);
    const out = join(scratch(t), 'out');
    await skopeo(
      '--src-tls-verify=false',
      `--src-creds=${creds}`,
      `docker://${there.server.host}/team/app:v1`,
      `dir:${out}`,
    );
    assert.deepEqual(readFileSync(join(out, 'manifest.json')), Buffer.from(raw.bytes));
  });

  it('behind a token server is pushed to, mounted in and read anonymously', async (t) => {
    const tokens = await startTokenServer({ accounts: { [ACCOUNT.username]: ACCOUNT.password } });
    t.after(() => tokens.close());
    const there = await setting(t, { server: { token: tokens }, client: { credentials: JOE } });
    const raw = await pushImage(there);
    assert.equal(await there.registry.repository('team/other').mountBlob(digestOf(LAYER), 'team/app', never), true);
    await there.repository.deleteManifest(raw.digest, never);
    await there.repository.putManifest(raw, 'v1', never);
    const scopes = tokens.requests.map(({ words }) => words['scope']);
    assert.equal(new Set(scopes).size, scopes.length, 'no token is fetched twice');
    const http = createHttpClient({ userAgent: 'tako/test', env: {} });
    t.after(() => http.close());
    const stranger = createRegistry({ host: there.server.host, scheme: 'http', insecure: true, http });
    const anonymous = stranger.repository('team/app');
    assert.equal((await anonymous.getManifest('v1', never)).digest, raw.digest);
    assert.deepEqual(await drained(anonymous.readBlob(of(LAYER, MEDIA.ociLayer), 0, never)), LAYER);
    await assert.rejects(anonymous.putManifest(raw, 'v2', never), { code: 'REGISTRY_DENIED' });
  });

  it('is read on from where a connection broke off', async (t) => {
    const there = await setting(t);
    await pushImage(there);
    const { repository, counted } = await cutter(t, there.server.port, { direction: 'out', after: 1_200_000 });
    assert.deepEqual(await drained(repository.readBlob(of(LAYER, MEDIA.ociLayer), 0, never)), LAYER);
    assert.ok(counted.out < LAYER.length + 20_000, `${counted.out} bytes`);
  });

  // It cancels an upload that broke off within a piece ("upload resumed at wrong offset"), so all of it is sent again.
  it('has the whole blob in the end when a connection breaks off on the way there', async (t) => {
    const { server, repository: direct } = await setting(t);
    const { repository, counted } = await cutter(t, server.port, { direction: 'in', after: 2_500_000 });
    const descriptor = of(LAYER, MEDIA.ociLayer);
    await repository.putBlob(descriptor, (from) => whole(LAYER, from), never);
    assert.deepEqual(await drained(direct.readBlob(descriptor, 0, never)), LAYER);
    assert.ok(counted.in < 2_500_000 + LAYER.length + 20_000, `${counted.in} bytes`);
  });

  it('names what it refuses', async (t) => {
    const { server, repository } = await setting(t);
    await assert.rejects(repository.getManifest('v1', never), {
      code: 'REGISTRY_NOT_FOUND',
      message: new RegExp(`^${server.host}: manifest v1 of team/app: MANIFEST_UNKNOWN: `),
    });
    const wrong = { ...of(LAYER, MEDIA.ociLayer), digest: digestOf(createHash('md5').update('x').digest()) };
    await assert.rejects(
      repository.putBlob(wrong, (from) => whole(LAYER, from), never),
      {
        code: 'REGISTRY_ERROR',
        message: /DIGEST_INVALID/,
      },
    );
  });
});
