/** Pull and push with the program: certificates, credentials, what is resumed, what is refused, what is told. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { ACCOUNT, startDockerRegistry } from '../support/docker-registry.ts';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import { needs } from '../support/needs.ts';
import { type MadeImage, makeImage, makeIndex } from '../support/oci-image.ts';
import { startOstreeContainer } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { startTokenServer } from '../support/token-server.ts';
import { copied, PLAIN_DESTINATION, PLAIN_SOURCE, refusalOf, runCopy, runImage, startCopy } from './image-program.ts';

const MIB = 2 ** 20;
const noise = (bytes: number, seed: number): Buffer => {
  const content = Buffer.alloc(bytes);
  let state = seed;
  for (let i = 0; i + 4 <= bytes; i += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    content.writeUInt32LE(state, i);
  }
  return content;
};
/** A layer that takes a while, and one that does not. */
const large = (size = 8 * MIB) =>
  ({
    tag: 'v1',
    packing: 'none',
    layers: [[{ path: 'large', content: noise(size, 7) }], [{ path: 'small', content: 'small' }]],
  }) as const;

const basic = (name: string, password: string): string => Buffer.from(`${name}:${password}`).toString('base64');

describe('with docker-registry behind a private authority', { skip: needs('docker-registry', 'openssl') }, () => {
  let certificates: Certificates;
  before(() => {
    certificates = makeCertificates();
  });
  after(() => certificates.remove());

  it('an image goes there and back with --cacert or --cert-dir, and without them is refused', async (t) => {
    const folder = scratch(t);
    const { serverCert: cert, serverKey: key, ca } = certificates;
    const registry = await startDockerRegistry({ tls: { cert, key } });
    t.after(() => registry.stop());
    const { raw } = await makeImage(join(folder, 'layout'), { tag: 'v1' });
    const name = `docker://${registry.host}/team/os:v1`;
    assert.deepEqual(await refusalOf(['copy', `oci:${folder}/layout:v1`, name]), [1, 'HTTP_TLS']);
    assert.equal(await copied([`oci:${folder}/layout:v1`, name, `--cacert=${ca}`]), raw.digest);
    mkdirSync(join(folder, 'certs'));
    writeFileSync(join(folder, 'certs', 'ca.crt'), readFileSync(ca));
    assert.equal(await copied([name, `dir:${folder}/back`, `--src-cert-dir=${folder}/certs`]), raw.digest);
    assert.equal(await copied([name, `dir:${folder}/any`, PLAIN_SOURCE]), raw.digest);
  });

  it('a client certificate in --cert-dir is shown', async (t) => {
    const folder = scratch(t);
    const { serverCert: cert, serverKey: key, ca, clientCert, clientKey } = certificates;
    const registry = await startDockerRegistry({ tls: { cert, key, clientCa: ca } });
    t.after(() => registry.stop());
    const { raw } = await makeImage(join(folder, 'layout'), { tag: 'v1' });
    mkdirSync(join(folder, 'certs'));
    for (const [file, from] of [
      ['ca.crt', ca],
      ['me.cert', clientCert],
      ['me.key', clientKey],
    ] as const) {
      writeFileSync(join(folder, 'certs', file), readFileSync(from));
    }
    const words = [`oci:${folder}/layout:v1`, `docker://${registry.host}/os:v1`];
    assert.equal(await copied([...words, `--dest-cert-dir=${folder}/certs`]), raw.digest);
    assert.notEqual((await runCopy([...words, `--cacert=${ca}`])).status, 0);
  });

  it('a password comes from --creds-file, --creds, --authfile or REGISTRY_AUTH_FILE, and is never shown', async (t) => {
    const folder = scratch(t);
    const registry = await startDockerRegistry({ htpasswd: true });
    t.after(() => registry.stop());
    const { raw } = await makeImage(join(folder, 'layout'), { tag: 'v1' });
    const words = [`oci:${folder}/layout:v1`, `docker://${registry.host}/os:v1`, PLAIN_DESTINATION];
    const login = `${ACCOUNT.username}:${ACCOUNT.password}`;
    writeFileSync(join(folder, 'login'), `${login}\n`);
    const auths = { auths: { [registry.host]: { auth: basic(ACCOUNT.username, ACCOUNT.password) } } };
    writeFileSync(join(folder, 'auth.json'), JSON.stringify(auths));
    const clean = { HOME: folder, XDG_RUNTIME_DIR: folder, DOCKER_CONFIG: folder };
    assert.equal(await copied([...words, `--dest-creds-file=${folder}/login`], { env: clean }), raw.digest);
    assert.equal(await copied([...words, `--dest-creds=${login}`], { env: clean }), raw.digest);
    assert.equal(await copied([...words, `--dest-authfile=${folder}/auth.json`], { env: clean }), raw.digest);
    const env = { ...clean, REGISTRY_AUTH_FILE: join(folder, 'auth.json') };
    assert.equal(await copied(words, { env }), raw.digest);
    assert.deepEqual(await refusalOf(['copy', ...words, '--dest-no-creds'], { env }), [1, 'REGISTRY_DENIED']);
    const wrong = await runCopy([...words, '--dest-creds=joe:not-this'], { env: clean });
    assert.equal(wrong.status, 1);
    const denied = await runCopy(words, { env: { ...clean, REGISTRY_AUTH_FILE: join(folder, 'none.json') } });
    assert.match(denied.stderr, /none\.json/, 'the files that were looked at are named');
    assert.doesNotMatch(wrong.stdout + wrong.stderr + denied.stderr, /not-this|open sesame/);
  });

  it('a token is fetched for pulls and for pushes', async (t) => {
    const folder = scratch(t);
    const tokens = await startTokenServer({ accounts: { joe: 'secret words' } });
    t.after(() => tokens.close());
    const registry = await startDockerRegistry({ token: tokens });
    t.after(() => registry.stop());
    const { raw } = await makeImage(join(folder, 'layout'), { tag: 'v1' });
    const [layout, name] = [`oci:${folder}/layout:v1`, `docker://${registry.host}/team/os:v1`];
    const env = { HOME: folder, XDG_RUNTIME_DIR: folder, DOCKER_CONFIG: folder };
    assert.deepEqual(await refusalOf(['copy', layout, name, PLAIN_DESTINATION], { env }), [1, 'REGISTRY_DENIED']);
    writeFileSync(join(folder, 'login'), 'joe:secret words');
    const pushed = await copied([layout, name, PLAIN_DESTINATION, `--dest-creds-file=${folder}/login`], { env });
    assert.equal(pushed, raw.digest);
    assert.equal(await copied([name, `dir:${folder}/back`, PLAIN_SOURCE], { env }), raw.digest, 'anonymously');
  });
});

describe('what is there already', () => {
  const start = async (t: { after(done: () => unknown): void }): Promise<FakeRegistry> => {
    const registry = await startFakeRegistry();
    t.after(() => registry.close());
    return registry;
  };
  const blobPath = ({ digest }: { readonly digest: string }) => `/blobs/${digest}`;

  async function served(t: Parameters<typeof start>[0], folder: string, image: MadeImage) {
    const registry = await start(t);
    const name = `docker://${registry.host}/os:v1`;
    await copied([`oci:${folder}/layout:v1`, name, PLAIN_DESTINATION]);
    assert.equal(registry.store.repository('os').tags.get('v1'), image.raw.digest);
    return { registry, name };
  }

  for (const place of ['oci', 'oci-archive', 'dir'] as const) {
    it(`is not fetched again after a killed pull into ${place}:`, async (t) => {
      const folder = scratch(t);
      const image = await makeImage(join(folder, 'layout'), large());
      const [layer] = image.layers;
      assert.ok(layer);
      const { registry, name } = await served(t, folder, image);
      const target = `${place}:${folder}/${place}${place === 'dir' ? '' : ':v1'}`;
      registry.fault({ method: 'GET', path: blobPath(layer) }, { kind: 'drip', bytes: 256 * 1024, everyMs: 20 });
      const running = startCopy([name, target, PLAIN_SOURCE]);
      while (registry.bytesSent(blobPath(layer)) < 3 * MIB) await new Promise((resolve) => setTimeout(resolve, 10));
      running.kill();
      await running.done;
      const before = registry.bytesSent(blobPath(layer));
      assert.ok(before < layer.size, 'killed in the middle');
      registry.heal();
      assert.equal(await copied([name, target, PLAIN_SOURCE]), image.raw.digest);
      const fetched = registry.bytesSent(blobPath(layer)) - before;
      assert.ok(fetched < layer.size - 2 * MIB, `fetched ${fetched} of ${layer.size} bytes again after ${before}`);
      const small = image.layers[1];
      assert.ok(small !== undefined && registry.bytesSent(blobPath(small)) <= small.size, 'the small one once');
      const seen = await copied([target, `oci:${folder}/seen:v1`]);
      assert.equal(seen, image.raw.digest);
    });
  }

  it('is not sent again after a killed push', async (t) => {
    const folder = scratch(t);
    const image = await makeImage(join(folder, 'layout'), {
      ...large(4 * MIB),
      layers: [[{ path: 'first', content: noise(4 * MIB, 1) }], [{ path: 'second', content: noise(4 * MIB, 2) }]],
    });
    const registry = await start(t);
    const words = [`oci:${folder}/layout:v1`, `docker://${registry.host}/os:v1`, PLAIN_DESTINATION, '--limit-rate=6M'];
    const running = startCopy(words);
    const there = () => image.layers.filter(({ digest }) => registry.store.repository('os').blobs.has(digest)).length;
    while (there() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    running.kill();
    await running.done;
    const kept = image.layers.filter(({ digest }) => registry.store.repository('os').blobs.has(digest));
    const before = registry.bytesReceived('/blobs/uploads/');
    assert.equal(registry.store.repository('os').tags.has('v1'), false);
    assert.equal(await copied(words.slice(0, 3)), image.raw.digest);
    const rest = image.layers.filter((each) => !kept.includes(each)).reduce((sum, { size }) => sum + size, 0);
    const sent = registry.bytesReceived('/blobs/uploads/') - before;
    assert.ok(sent <= rest + 64 * 1024, `sent ${sent} bytes, of ${rest} that were missing`);
    assert.equal(registry.store.repository('os').tags.get('v1'), image.raw.digest);
  });

  it('of an upload that breaks off is not sent again', async (t) => {
    const folder = scratch(t);
    const image = await makeImage(join(folder, 'layout'), large());
    const registry = await start(t);
    registry.fault({ method: 'PATCH', path: '/blobs/uploads/', times: 1 }, { kind: 'reset-upload', after: 5 * MIB });
    const words = [`oci:${folder}/layout:v1`, `docker://${registry.host}/os:v1`, PLAIN_DESTINATION];
    assert.equal(await copied(words), image.raw.digest);
    const total = image.layers.reduce((sum, { size }) => sum + size, image.configDescriptor.size);
    const sent = registry.bytesReceived('/blobs/uploads/');
    assert.ok(sent < total + 2 * MIB, `sent ${sent} bytes of ${total}`);
  });

  it('in another repository of the registry is mounted', async (t) => {
    const folder = scratch(t);
    const image = await makeImage(join(folder, 'layout'), large(MIB));
    const { registry, name } = await served(t, folder, image);
    const before = registry.bytesReceived('/blobs/uploads/');
    const to = `docker://${registry.host}/elsewhere:v1`;
    assert.equal(await copied([name, to, PLAIN_SOURCE, PLAIN_DESTINATION]), image.raw.digest);
    assert.equal(registry.bytesReceived('/blobs/uploads/'), before);
    assert.equal(registry.bytesSent('/blobs/sha256'), 0);
  });

  it('is told by a dry run, which changes nothing', async (t) => {
    const folder = scratch(t);
    const image = await makeImage(join(folder, 'layout'), large(MIB));
    const { registry, name } = await served(t, folder, image);
    const target = `oci:${folder}/target:v1`;
    const ended = await runCopy([name, target, PLAIN_SOURCE, '--dry-run', '--json']);
    const plan = JSON.parse(ended.stdout);
    const total = image.layers.reduce((sum, { size }) => sum + size, image.configDescriptor.size);
    assert.deepEqual([plan.dryRun, plan.digest, plan.bytes, plan.blobs.length], [true, image.raw.digest, total, 3]);
    assert.equal(existsSync(join(folder, 'target')), false);
    assert.equal(registry.bytesSent('/blobs/sha256'), 0);
    await copied([name, target, PLAIN_SOURCE]);
    const again = JSON.parse((await runCopy([name, target, PLAIN_SOURCE, '--dry-run', '--json'])).stdout);
    assert.deepEqual([again.bytes, again.blobs.length], [0, 3]);
  });

  it('and what is not: the total is known before the first byte, for an index, too', async (t) => {
    const folder = scratch(t);
    const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }));
    await makeIndex(
      join(folder, 'layout'),
      platforms.map((platform) => ({ platform })),
      'many',
    );
    const ended = await runCopy(['--all', '--progress=json', `oci:${folder}/layout:many`, `oci:${folder}/copy:many`]);
    const events = ended.stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
    const starts = events.filter(({ event }) => event === 'start');
    assert.equal(starts.length, 1);
    assert.ok(starts[0].total > 0);
    assert.deepEqual(
      events.filter(({ event }) => event === 'end').map(({ ok }) => ok),
      [true],
    );
    assert.equal(readFileSync(join(folder, 'copy', 'index.json'), 'utf8').includes('many'), true);
  });
});

describe('policies', () => {
  it('are asked before a blob moves: status 3, and nothing is there', async (t) => {
    const folder = scratch(t);
    await makeImage(join(folder, 'layout'), { tag: 'v1' });
    writeFileSync(join(folder, 'policy.json'), JSON.stringify({ default: [{ type: 'reject' }] }));
    const words = ['copy', `--policy=${folder}/policy.json`, `oci:${folder}/layout:v1`, `oci:${folder}/target:v1`];
    assert.deepEqual(await refusalOf(words), [3, 'POLICY_REJECTED']);
    assert.equal(existsSync(join(folder, 'target')), false);
  });

  it('that accept anything do not satisfy --require-signature', async (t) => {
    const folder = scratch(t);
    await makeImage(join(folder, 'layout'), { tag: 'v1' });
    const file = join(folder, 'policy.json');
    writeFileSync(file, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
    const words = ['copy', `--policy=${file}`, `oci:${folder}/layout:v1`, `oci:${folder}/target:v1`];
    assert.deepEqual(await refusalOf([...words, '--require-signature']), [3, 'SIGNATURE_MISSING']);
    const taken = JSON.parse((await runImage([...words, '--json'])).stdout);
    assert.deepEqual(taken.policy.requirements, ['insecureAcceptAnything']);
  });

  it('are met by signatures that the program has made, and the copy says by whom', async (t) => {
    const folder = scratch(t);
    const registry = await startFakeRegistry();
    t.after(() => registry.close());
    const { raw } = await makeImage(join(folder, 'layout'), { tag: 'v1' });
    const name = `docker://${registry.host}/os:v1`;
    const env = { COSIGN_PASSWORD: 'of the test' };
    await runImage(['generate-sigstore-key', `--output-prefix=${folder}/key`], { env });
    const requirement = { type: 'sigstoreSigned', keyPath: join(folder, 'key.pub') };
    writeFileSync(join(folder, 'policy.json'), JSON.stringify({ default: [requirement] }));
    await copied([`oci:${folder}/layout:v1`, name, PLAIN_DESTINATION]);
    const pull = ['copy', `--policy=${folder}/policy.json`, name, `oci:${folder}/target:v1`, PLAIN_SOURCE];
    assert.deepEqual(await refusalOf(pull), [3, 'SIGNATURE_MISSING']);
    const verify = ['verify', `--key=${folder}/key.pub`, name, '--tls-verify=false'];
    assert.deepEqual(await refusalOf(verify), [3, 'SIGNATURE_MISSING']);
    const signed = await runImage(['sign', `--key=${folder}/key.private`, name, '--tls-verify=false'], { env });
    assert.deepEqual([signed.status, signed.stdout], [0, `${raw.digest}\n`]);
    const seen = JSON.parse((await runImage([...pull, '--json'])).stdout);
    assert.deepEqual([seen.digest, seen.policy.signatures.length], [raw.digest, 1]);
    const known = JSON.parse((await runImage([...verify, '--json'])).stdout);
    assert.equal(known.signatures[0].key, seen.policy.signatures[0].key);
    assert.equal(known.signatures[0].identity, `${registry.host}/os:v1`);
    await runImage(['generate-sigstore-key', `--output-prefix=${folder}/other`], { env });
    const other = ['verify', `--key=${folder}/other.pub`, name, '--tls-verify=false'];
    assert.deepEqual(await refusalOf(other), [3, 'SIGNATURE_INVALID']);
  });

  it('are met by a referrer in a layout as well, under the name that was signed', async (t) => {
    const folder = scratch(t);
    const { raw } = await makeImage(join(folder, 'layout'));
    const [env, name] = [{ COSIGN_PASSWORD: 'of the test' }, `oci:${folder}/layout`];
    await runImage(['generate-sigstore-key', `--output-prefix=${folder}/key`], { env });
    const words = ['sign', '--referrers', `--key=${folder}/key.private`, '--sign-identity=example.com/os:v1', name];
    assert.deepEqual((await runImage(words, { env })).stdout, `${raw.digest}\n`);
    const { manifests } = JSON.parse(readFileSync(join(folder, 'layout', 'index.json'), 'utf8'));
    assert.deepEqual(
      manifests.map(({ digest, artifactType }: Record<string, string>) => [digest === raw.digest, artifactType]),
      [
        [true, undefined],
        [false, 'application/vnd.dev.cosign.artifact.sig.v1+json'],
      ],
    );
    const again = JSON.parse((await runImage([...words, '--json'], { env })).stdout);
    assert.equal(again.added, 0, 'it is found again');
    const verify = ['verify', `--key=${folder}/key.pub`, name];
    assert.deepEqual(await refusalOf(verify), [2, 'USAGE']);
    assert.deepEqual(await refusalOf([...verify, '--identity=example.com/else']), [3, 'SIGNATURE_INVALID']);
    const seen = await runImage([...verify, '--identity=example.com/os']);
    assert.ok(seen.stdout.startsWith(`${raw.digest}: signed by sha256:`), seen.stdout + seen.stderr);
  });

  it('of cosign are taken along when asked for, of an index and of its images', async (t) => {
    const folder = scratch(t);
    const platforms = ['amd64', 'arm64'].map((architecture) => ({ platform: { os: 'linux', architecture } }));
    await makeIndex(join(folder, 'layout'), platforms, 'v1');
    const env = { COSIGN_PASSWORD: 'right' };
    await runImage(['generate-sigstore-key', `--output-prefix=${folder}/key`], { env });
    const registry = await startFakeRegistry();
    t.after(() => registry.close());
    const [from, to] = [`docker://${registry.host}/os:v1`, `docker://${registry.host}/mirror/os:v1`];
    const key = [`--sign-by-sigstore-private-key=${folder}/key.private`, PLAIN_DESTINATION];
    await copied(['--all', ...key, `oci:${folder}/layout:v1`, from], { env });
    const verify = ['verify', '--all', '--tls-verify=false', `--key=${folder}/key.pub`, to];
    const identity = [`--identity=${registry.host}/os`];
    const plain = ['--all', PLAIN_SOURCE, PLAIN_DESTINATION, from, to];
    await copied(plain);
    assert.deepEqual(await refusalOf([...verify, ...identity]), [3, 'SIGNATURE_MISSING']);
    const ended = await runCopy(['--sigstore-signatures', '--json', ...plain]);
    assert.equal(JSON.parse(ended.stdout).signatures, 3);
    assert.equal((await runImage([...verify, ...identity])).status, 0);
    const chosen = verify.filter((word) => word !== '--all');
    assert.equal((await runImage([...chosen, ...identity, '--platform=linux/arm64'])).status, 0);
    const file = ['--sigstore-signatures', from, `dir:${folder}/dir`];
    assert.deepEqual(await refusalOf(['copy', '--insecure-policy', PLAIN_SOURCE, ...file]), [2, 'USAGE']);
  });

  it('need keys: a wrong passphrase opens none, and none is overwritten', async (t) => {
    const folder = scratch(t);
    await makeImage(join(folder, 'layout'), { tag: 'v1' });
    await runImage(['generate-sigstore-key', `--output-prefix=${folder}/key`], { env: { COSIGN_PASSWORD: 'right' } });
    const words = [
      'sign',
      `--key=${folder}/key.private`,
      `oci:${folder}/layout:v1`,
      '--sign-identity=example.com/os:v1',
    ];
    assert.deepEqual(await refusalOf(words, { env: { COSIGN_PASSWORD: 'wrong' } }), [1, 'SIGSTORE_PASSPHRASE']);
    const again = ['generate-sigstore-key', `--output-prefix=${folder}/key`];
    assert.deepEqual(await refusalOf(again, { env: { COSIGN_PASSWORD: 'right' } }), [1, 'EEXIST']);
  });
});

describe('words of skopeo that are not ours', () => {
  for (const [words, why] of [
    [['copy', '--src-password=secret words', 'oci:a', 'oci:b'], /--src-creds-file/],
    [['copy', '--override-os=linux', 'oci:a', 'oci:b'], /--platform/],
    [['copy', '--format=v2s1', 'oci:a', 'oci:b'], /v2s2/],
    [['copy', '--multi-arch=index-only', 'oci:a', 'oci:b'], /--all/],
    [['inspect', '--format={{.Name}}', 'oci:a'], /--json/],
    [['pull', 'quay.io/x'], /image copy/],
    [['push', 'quay.io/x'], /image copy/],
    [['copy', '--all', '--platform=linux/arm64', 'oci:a', 'oci:b'], /exclude/],
    [['copy', '--src-creds=name', 'oci:a', 'oci:b'], /NAME:PASSWORD/],
    [['copy', '--src-tls-verify', 'oci:a', 'oci:b'], /true or false/],
  ] as const) {
    it(`are refused with what to do instead: ${words.slice(0, 2).join(' ')}`, async () => {
      const ended = await runImage([...words]);
      assert.equal(ended.status, 2);
      assert.match(ended.stderr, why);
      assert.doesNotMatch(ended.stderr, /secret words/);
    });
  }

  it('an interrupted copy says so, with status 130', async (t) => {
    const folder = scratch(t);
    const image = await makeImage(join(folder, 'layout'), large());
    const registry = await startFakeRegistry();
    t.after(() => registry.close());
    await copied([`oci:${folder}/layout:v1`, `docker://${registry.host}/os:v1`, PLAIN_DESTINATION]);
    registry.fault({ method: 'GET', path: `/blobs/${image.layers[0]?.digest}` }, { kind: 'stall', after: MIB });
    const words = ['image', 'copy', '--insecure-policy', PLAIN_SOURCE, `docker://${registry.host}/os:v1`];
    const running = startOstreeContainer([...words, `oci:${folder}/target:v1`]);
    while (registry.bytesSent('/blobs/sha256') < MIB) await new Promise((resolve) => setTimeout(resolve, 10));
    running.signal('SIGINT');
    const ended = await running.done;
    assert.deepEqual([ended.status, ended.stderr.trimEnd().split('\n').at(-1)], [130, 'ostree-container: interrupted']);
    assert.equal(existsSync(join(folder, 'target', 'index.json')), false);
    assert.deepEqual(
      readdirSync(join(folder, 'target')).filter((name) => name !== '.partial' && name !== 'blobs'),
      [],
    );
  });
});
