import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { startHostileServer } from '../../../../test/support/hostile-server.ts';
import { scratch } from '../../../../test/support/scratch.ts';
import { createHttpClient } from '../../../http/index.ts';
import { parseNamed } from '../../../oci/index.ts';
import { loadRegistriesD, type RegistriesD, storageOf, usesSigstoreAttachments } from './registries-d.ts';
import { addLookasideSignature, lookasideSignatures } from './storage.ts';

const never = new AbortController().signal;
const IMAGE = parseNamed('registry.example.com/department/project:branch');
const DIGEST = `sha256:${'ab'.repeat(32)}` as const;
const FOLDER = `department/project@sha256=${'ab'.repeat(32)}`;

async function load(t: TestContext, ...files: readonly string[]): Promise<RegistriesD> {
  const dir = scratch(t);
  for (const [i, text] of files.entries()) writeFileSync(join(dir, `${i}.yaml`), text);
  return loadRegistriesD({ env: {}, uid: 0, home: '/home/x', root: '/host' }, dir);
}

describe('registries.d', () => {
  it('says for every image where its signatures are read and written', async (t) => {
    const conf = await load(
      t,
      'docker:\n  registry.example.com:\n    lookaside: https://a.example\n    use-sigstore-attachments: true\n',
      'default-docker:\n  sigstore-staging: file:///staging\n',
      'docker:\n  registry.example.com/department:\n    lookaside: https://b.example\n    lookaside-staging: file:///b\n' +
        '  registry.example.com/department/project:branch:\n    sigstore: http://c.example\n' +
        '  "*.wild.example":\n    lookaside: https://d.example\n',
    );
    const storage = (text: string, use: 'read' | 'write'): string => storageOf(conf, parseNamed(text), use);
    assert.equal(storage('registry.example.com/x:1', 'read'), 'https://a.example');
    assert.equal(storage('registry.example.com/x:1', 'write'), 'https://a.example');
    assert.equal(storage('registry.example.com/department/y:1', 'read'), 'https://b.example');
    assert.equal(storage('registry.example.com/department/y:1', 'write'), 'file:///b');
    assert.equal(storage('registry.example.com/department/project:branch', 'read'), 'http://c.example');
    assert.equal(storage('deep.wild.example/x:1', 'read'), 'https://d.example');
    assert.equal(storage('quay.io/x:1', 'read'), 'file:///host/var/lib/containers/sigstore');
    assert.equal(storage('quay.io/x:1', 'write'), 'file:///staging');
    assert.equal(usesSigstoreAttachments(conf, parseNamed('registry.example.com/department/y:1')), true);
    assert.equal(usesSigstoreAttachments(conf, parseNamed('quay.io/x:1')), false);
  });

  it('is the user’s where there is one, and without any of them there is a place of its own', async (t) => {
    const root = scratch(t);
    const own = join(root, 'home/.config/containers/registries.d');
    const system = join(root, 'etc/containers/registries.d');
    const caller = { env: {}, uid: 1000, home: join(root, 'home'), root };
    const read = async () => storageOf(await loadRegistriesD(caller), IMAGE, 'read');
    assert.equal(await read(), `file://${root}/home/.local/share/containers/sigstore`);
    for (const [folder, url] of [
      [system, 'https://system.example'],
      [own, 'https://own.example'],
    ] as const) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'a.yaml'), `default-docker: {lookaside: "${url}"}`);
      writeFileSync(join(folder, 'b.yml'), 'not read');
      assert.equal(await read(), url);
    }
    chmodSync(join(own, 'a.yaml'), 0o666);
    await assert.rejects(read(), { code: 'UNSAFE_OWNER' });
  });

  for (const [what, ...files] of [
    ['a scope in two files', 'docker: {a.io: {lookaside: "http://x"}}', 'docker: {a.io: {lookaside: "http://x"}}'],
    ['two defaults', 'default-docker: {lookaside: "http://x"}', 'default-docker: {lookaside: "http://x"}'],
    ['a scope twice in one file', 'docker:\n  a.io: {}\n  a.io: {}\n'],
    ['a list', '- docker'],
    ['scopes that are a list', 'docker: [a.io]'],
    ['a number for a URL', 'docker: {a.io: {lookaside: 5}}'],
    ['a text for a switch', 'default-docker: {use-sigstore-attachments: "yes"}'],
    ['something that is no YAML', 'docker: {a.io: [}'],
  ] as const) {
    it(`with ${what} is refused`, async (t) => {
      await assert.rejects(load(t, ...files), { code: 'BAD_REGISTRIES_D' });
    });
  }
});

describe('signatures beside a registry', () => {
  const noHttp = () => assert.fail('no request is needed');

  it('in files are numbered from one, and a missing number ends them', async (t) => {
    const dir = scratch(t);
    const conf = await load(t, `default-docker: {lookaside: "file://${dir}"}`);
    assert.deepEqual(await lookasideSignatures(IMAGE, DIGEST, conf, noHttp, never), []);
    for (const text of ['one', 'two', 'one']) {
      addLookasideSignature(IMAGE, DIGEST, conf, Buffer.from(text));
    }
    assert.deepEqual(readdirSync(join(dir, FOLDER)), ['signature-1', 'signature-2']);
    writeFileSync(join(dir, FOLDER, 'signature-4'), 'beyond the gap');
    const found = await lookasideSignatures(IMAGE, DIGEST, conf, noHttp, never);
    assert.deepEqual(Buffer.concat(found).toString(), 'onetwo');
    assert.equal(readFileSync(join(dir, FOLDER, 'signature-2'), 'utf8'), 'two');
  });

  it('of killed runs go, and a name that is taken is passed over', async (t) => {
    const dir = scratch(t);
    const conf = await load(t, `default-docker: {lookaside: "file://${dir}"}`);
    const folder = join(dir, FOLDER);
    mkdirSync(folder, { recursive: true });
    for (const name of ['.signature-1.77', '.signature-1.78.part']) {
      writeFileSync(join(folder, name), 'half');
      utimesSync(join(folder, name), 1, 1);
    }
    writeFileSync(join(folder, '.signature-1.79'), 'of somebody at work');
    symlinkSync('nowhere', join(folder, 'signature-1'));
    addLookasideSignature(IMAGE, DIGEST, conf, Buffer.from('one'));
    assert.deepEqual(readdirSync(folder).sort(), ['.signature-1.79', 'signature-1', 'signature-2']);
    assert.equal(readFileSync(join(folder, 'signature-2'), 'utf8'), 'one');
  });

  it('on a web server are fetched until there is none, and are not written', async (t) => {
    const files = new Map([
      [`/base/${FOLDER}/signature-1`, 'one'],
      [`/base/${FOLDER}/signature-2`, 'two'],
    ]);
    const server = await startHostileServer({ files });
    const http = createHttpClient({ userAgent: 'test/0', onNote: () => undefined });
    t.after(async () => {
      await http.close();
      await server.close();
    });
    const conf = await load(t, `default-docker: {lookaside: "${server.url}/base/"}`);
    const found = await lookasideSignatures(IMAGE, DIGEST, conf, () => http, never);
    assert.equal(Buffer.concat(found).toString(), 'onetwo');
    assert.throws(() => addLookasideSignature(IMAGE, DIGEST, conf, Buffer.from('x')), { code: 'TRANSPORT_READ_ONLY' });
    server.route(`/base/${FOLDER}/signature-2`, { kind: 'status', status: 403 });
    await assert.rejects(
      lookasideSignatures(IMAGE, DIGEST, conf, () => http, never),
      { code: 'HTTP_DENIED' },
    );
    server.route(`/base/${FOLDER}/signature-2`, { kind: 'endless' });
    await assert.rejects(
      lookasideSignatures(IMAGE, DIGEST, conf, () => http, never),
      { code: 'TOO_LARGE' },
    );
  });

  it('without end are refused', async (t) => {
    const dir = scratch(t);
    const conf = await load(t, `default-docker: {lookaside: "file://${dir}"}`);
    mkdirSync(join(dir, FOLDER), { recursive: true });
    for (let i = 1; i <= 128; i++) writeFileSync(join(dir, FOLDER, `signature-${i}`), 'x');
    await assert.rejects(lookasideSignatures(IMAGE, DIGEST, conf, noHttp, never), { code: 'SIGNATURE_INVALID' });
    assert.throws(() => addLookasideSignature(IMAGE, DIGEST, conf, Buffer.from('y')), { code: 'SIGNATURE_INVALID' });
  });

  for (const url of ['ftp://a.example', 'nowhere']) {
    it(`are not looked for at ${url}`, async (t) => {
      const conf = await load(t, `default-docker: {lookaside: "${url}"}`);
      const looking = lookasideSignatures(IMAGE, DIGEST, conf, noHttp, never);
      await assert.rejects(looking, { code: 'BAD_REGISTRIES_D' });
    });
  }
});
