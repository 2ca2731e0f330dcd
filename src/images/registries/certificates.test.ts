import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { makeCertificates } from '../../../test/support/certificates.ts';
import { startFakeRegistry } from '../../../test/support/fake-registry.ts';
import { needs } from '../../../test/support/needs.ts';
import { run } from '../../../test/support/program.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { certificateFolders, certificatesIn, findCertificates } from './certificates.ts';

function folders(t: TestContext) {
  const dir = scratch(t);
  const caller = { env: { HOME: join(dir, 'home') }, uid: 1000, root: join(dir, 'root') };
  const put = (folder: string, ...names: string[]): string => {
    const path = join(dir, folder);
    mkdirSync(path, { recursive: true });
    for (const name of names) writeFileSync(join(path, name), '');
    return path;
  };
  const find = (host: string) => findCertificates(host, certificateFolders(caller));
  return { dir, put, find, env: caller.env };
}

const USER = 'home/.config/containers/certs.d';

describe('certificates for a registry', () => {
  it('lie in the first folder of its name, with its port', (t) => {
    const { put, find } = folders(t);
    const docker = put('root/etc/docker/certs.d/a.test:5000', 'ca.crt');
    assert.deepEqual(find('a.test:5000'), { directory: docker, caFiles: [join(docker, 'ca.crt')] });
    const system = put('root/etc/containers/certs.d/a.test:5000');
    assert.deepEqual(find('a.test:5000'), { directory: system, caFiles: [] });
    const user = put(`${USER}/a.test:5000`, 'x.crt');
    assert.equal(find('a.test:5000')?.directory, user);
    assert.equal(find('a.test'), undefined);
  });

  it('are authorities, and a client certificate with its key', (t) => {
    const { put, find } = folders(t);
    const path = put(`${USER}/a.test`, 'b.crt', 'a.crt', 'client.cert', 'client.key', 'z.cert', 'z.key', 'README');
    assert.deepEqual(find('a.test'), {
      directory: path,
      caFiles: [join(path, 'a.crt'), join(path, 'b.crt')],
      certFile: join(path, 'client.cert'),
      keyFile: join(path, 'client.key'),
    });
    assert.deepEqual(certificatesIn(path), find('a.test'));
  });

  for (const name of ['client.cert', 'client.key']) {
    it(`with a ${name} alone are refused`, (t) => {
      const { put, find } = folders(t);
      const path = put(`${USER}/a.test`, name);
      assert.throws(() => find('a.test'), { code: 'BAD_REGISTRIES_CONF', subject: join(path, name) });
    });
  }

  it('are not looked for outside of the folders', (t) => {
    const { put, find } = folders(t);
    put(USER, 'ca.crt');
    for (const host of ['', '.', '..', '../certs.d', 'a/b']) assert.equal(find(host), undefined);
  });

  it('are found where skopeo finds them', { skip: needs('skopeo', 'openssl') }, async (t) => {
    const made = makeCertificates();
    t.after(() => made.remove());
    const server = await startFakeRegistry({ tls: { cert: made.serverCert, key: made.serverKey } });
    t.after(() => server.close());
    const { dir, find, env } = folders(t);
    const inspect = () =>
      run('skopeo', ['list-tags', '--no-creds', `docker://${server.host}/a`], { env: { ...env, TMPDIR: dir } });
    server.store.addManifest('a', '{}', 'x/y', 'one');
    mkdirSync(env.HOME);
    assert.match((await inspect()).stderr, /x509/);
    assert.equal(find(server.host), undefined);
    const path = join(dir, USER, server.host);
    mkdirSync(path, { recursive: true });
    await run('cp', [made.ca, join(path, 'any.crt')]);
    assert.equal((await inspect()).status, 0);
    assert.deepEqual(find(server.host)?.caFiles, [join(path, 'any.crt')]);
  });
});
