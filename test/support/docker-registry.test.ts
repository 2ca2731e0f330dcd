import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { makeCertificates } from './certificates.ts';
import { ACCOUNT, type DockerRegistryOptions, startDockerRegistry } from './docker-registry.ts';
import { needs } from './needs.ts';
import { must, run } from './program.ts';
import { scratch } from './scratch.ts';
import { startTokenServer } from './token-server.ts';

const CREDENTIALS = `${ACCOUNT.username}:${ACCOUNT.password}`;

/** An image without layers, as skopeo's `dir:`. */
function tinyImage(dir: string): string {
  mkdirSync(dir);
  const config = Buffer.from(
    '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{}}',
  );
  const hex = createHash('sha256').update(config).digest('hex');
  writeFileSync(join(dir, hex), config);
  writeFileSync(join(dir, 'version'), 'Directory Transport Version: 1.1\n');
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', size: config.length, digest: `sha256:${hex}` },
    layers: [],
  };
  writeFileSync(join(dir, 'manifest.json'), JSON.stringify(manifest));
  return dir;
}

async function started(t: TestContext, options: DockerRegistryOptions) {
  const registry = await startDockerRegistry(options);
  t.after(() => registry.stop());
  const image = tinyImage(join(scratch(t), 'image'));
  const push = (...words: string[]) =>
    run('skopeo', ['--insecure-policy', 'copy', ...words, `dir:${image}`, `docker://${registry.host}/a/b:1`]);
  const pull = (...words: string[]) => run('skopeo', ['inspect', '--raw', ...words, `docker://${registry.host}/a/b:1`]);
  return { registry, push, pull, manifest: readFileSync(join(image, 'manifest.json'), 'utf8') };
}

describe('docker-registry on the loopback address', { skip: needs('docker-registry', 'skopeo', 'openssl') }, () => {
  const certificates = makeCertificates();
  after(() => certificates.remove());

  it('takes an image, gives it back, and says what it was asked', async (t) => {
    const { registry, push, pull, manifest } = await started(t, {});
    assert.equal((await push('--dest-tls-verify=false')).status, 0);
    assert.equal((await pull('--tls-verify=false')).stdout, manifest);
    assert.ok(registry.accessLog().some((line) => /^PUT \/v2\/a\/b\/manifests\/1 201 /.test(line)));
    assert.ok(registry.accessLog().includes(`GET /v2/a/b/manifests/1 200 ${manifest.length}`));
  });

  it('with TLS is reached by those who know its authority', async (t) => {
    const { registry } = await started(t, { tls: { cert: certificates.serverCert, key: certificates.serverKey } });
    assert.match((await must('curl', ['-sSf', '--cacert', certificates.ca, `${registry.url}/v2/`])).stdout, /^\{\}/);
    assert.notEqual((await run('curl', ['-sS', `${registry.url}/v2/`])).status, 0);
  });

  it('with a client authority lets in only who has a certificate', async (t) => {
    const tls = { cert: certificates.serverCert, key: certificates.serverKey, clientCa: certificates.ca };
    const { registry } = await started(t, { tls });
    const client = ['--cert', certificates.clientCert, '--key', certificates.clientKey];
    assert.equal(
      (await run('curl', ['-sSf', '--cacert', certificates.ca, ...client, `${registry.url}/v2/`])).status,
      0,
    );
    assert.notEqual((await run('curl', ['-sSf', '--cacert', certificates.ca, `${registry.url}/v2/`])).status, 0);
  });

  it('with htpasswd lets in its account and nobody else', async (t) => {
    const { push, pull, manifest } = await started(t, { htpasswd: true });
    assert.notEqual((await push('--dest-tls-verify=false')).status, 0);
    assert.equal((await push('--dest-tls-verify=false', `--dest-creds=${CREDENTIALS}`)).status, 0);
    assert.notEqual((await pull('--tls-verify=false', '--no-creds')).status, 0);
    assert.equal((await pull('--tls-verify=false', `--creds=${CREDENTIALS}`)).stdout, manifest);
  });

  it('with a token server asks for a token, which anybody gets to pull and an account to push', async (t) => {
    const tokens = await startTokenServer({ accounts: { [ACCOUNT.username]: ACCOUNT.password } });
    t.after(() => tokens.close());
    const { push, pull, manifest } = await started(t, { token: tokens });
    assert.notEqual((await push('--dest-tls-verify=false', '--dest-no-creds')).status, 0);
    assert.equal((await push('--dest-tls-verify=false', `--dest-creds=${CREDENTIALS}`)).status, 0);
    assert.equal((await pull('--tls-verify=false', '--no-creds')).stdout, manifest);
    assert.notEqual((await pull('--tls-verify=false', '--creds=joe:guessed')).status, 0);
    assert.ok(tokens.requests.some(({ words }) => words['scope'] === 'repository:a/b:pull,push'));
    assert.ok(tokens.requests.some(({ status }) => status === 401));
  });

  it('deletes only where it was told so', async (t) => {
    for (const mayDelete of [true, false]) {
      const { registry, push } = await started(t, { delete: mayDelete });
      assert.equal((await push('--dest-tls-verify=false')).status, 0);
      const words = ['delete', '--tls-verify=false', `docker://${registry.host}/a/b:1`];
      assert.equal((await run('skopeo', words)).status === 0, mayDelete);
    }
  });
});
