/** A registry, a storage of signatures, keys of every kind and two programs: what tests of image signatures need. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { createHttpClient } from '../../src/http/index.ts';
import { type ImageSource, openImages, parseImageName } from '../../src/images/index.ts';
import { evaluatePolicy, type PolicyVerdict, parsePolicy } from '../../src/images/policy/index.ts';
import { loadRegistriesD, lookasideSignatures, type RegistriesD } from '../../src/images/signatures/index.ts';
import { parseNamed, type RawManifest } from '../../src/oci/index.ts';
import { generateSigstoreKey } from '../../src/trust/index.ts';
import { gpgHome } from '../../src/trust/openpgp/gpg.fixture.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { makeImage } from '../support/oci-image.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';

export const never: AbortSignal = new AbortController().signal;
export const STATEMENT = { creator: 'tako 0', now: new Date() };

/** Call inside `describe`. */
export function signingBench() {
  const home = gpgHome({ after });
  const dir = makeScratch();
  after(() => removeTree(dir));
  const notes: string[] = [];
  const settings = { userAgent: 'tako/0', onNote: (note: string) => void notes.push(note) };
  const images = openImages({
    http: settings,
    tlsVerify: false,
    anonymous: true,
    registriesConf: join(dir, 'registries.conf'),
    onNote: settings.onNote,
    env: { HOME: dir },
    uid: 0,
  });
  const http = createHttpClient(settings);
  let registry: DockerRegistry | undefined;
  let conf: RegistriesD | undefined;
  const keys: Record<string, string> = {};

  before(async () => {
    registry = await startDockerRegistry();
    writeFileSync(join(dir, 'registries.conf'), '');
    mkdirSync(join(dir, 'registries.d'));
    mkdirSync(join(dir, 'lookaside'));
    const section = `default-docker:\n  lookaside: file://${dir}/lookaside\n  use-sigstore-attachments: true\n`;
    writeFileSync(join(dir, 'registries.d/all.yaml'), section);
    conf = await loadRegistriesD({ env: {}, uid: 0, home: dir }, join(dir, 'registries.d'));
    await makeImage(join(dir, 'layout'), { tag: '1' });
    for (const name of ['good', 'other', 'stale', 'gone']) {
      keys[name] =
        name === 'stale'
          ? home.makeKey(name, 'rsa2048', '2020-02-01', '20200101T000000')
          : home.makeKey(name, name === 'gone' ? 'ed25519' : 'rsa2048');
    }
    for (const name of Object.keys(keys)) {
      writeFileSync(join(dir, `${name}.gpg`), home.publicKeys(keys[name] ?? ''));
    }
    const pair = await generateSigstoreKey(Buffer.from('open sesame'));
    writeFileSync(join(dir, 'cosign.key'), pair.privatePem);
    writeFileSync(join(dir, 'cosign.pub'), pair.publicPem);
    writeFileSync(join(dir, 'other.pub'), (await generateSigstoreKey(Buffer.from(''))).publicPem);
    writeFileSync(join(dir, 'passphrase'), 'open sesame\n');
    writeFileSync(join(dir, 'insecure.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
  });
  after(async () => {
    await images.close();
    await http.close();
    await registry?.stop();
  });

  const name = (path: string): string => `${registry?.host}/${path}`;
  const skopeo = (policy: string, ...args: readonly string[]) => {
    const fixed = ['--policy', join(dir, policy), '--registries.d', join(dir, 'registries.d')];
    const env = { ...process.env, GNUPGHOME: home.dir, REGISTRY_AUTH_FILE: join(dir, 'none.json') };
    const ran = spawnSync('skopeo', [...fixed, ...args], { env, encoding: 'utf8' });
    return { status: ran.status, text: `${ran.stdout}${ran.stderr}` };
  };
  const push = (to: string, ...options: readonly string[]): void => {
    const ran = skopeo(
      'insecure.json',
      'copy',
      '--dest-tls-verify=false',
      ...options,
      `oci:${dir}/layout:1`,
      `docker://${to}`,
    );
    assert.equal(ran.status, 0, ran.text);
  };
  const pulls = (from: string, policy: string): string | true => {
    const to = `dir:${dir}/out-${Math.random().toString(36).slice(2)}`;
    const ran = skopeo(policy, 'copy', '--src-tls-verify=false', '--remove-signatures', `docker://${from}`, to);
    return ran.status === 0 || ran.text;
  };
  const writePolicy = (file: string, requirement: object): string => {
    writeFileSync(join(dir, file), JSON.stringify({ default: [requirement] }));
    return file;
  };
  const open = async (text: string): Promise<{ readonly source: ImageSource; readonly raw: RawManifest }> => {
    const registrySource = await images.source(parseImageName(`docker://${text}`), never);
    const raw = await registrySource.readManifest(undefined, never);
    const identity = parseNamed(text);
    const source: ImageSource = {
      name: registrySource.name,
      layers: 'exact',
      identity,
      readManifest: (digest, signal) => registrySource.readManifest(digest, signal),
      readBlob: (descriptor, from, signal) => registrySource.readBlob(descriptor, from, signal),
      sibling: (tag, signal) => registrySource.sibling(tag, signal),
      referrers: (digest, signal) => registrySource.referrers(digest, signal),
      simpleSignatures: async (digest, signal) =>
        conf === undefined ? [] : lookasideSignatures(identity, digest, conf, () => http, signal),
      close: () => registrySource.close(),
    };
    return { source, raw };
  };
  const evaluate = async (text: string, requirement: object): Promise<PolicyVerdict> => {
    const { source, raw } = await open(text);
    const policy = parsePolicy(Buffer.from(JSON.stringify({ default: [requirement] })), 'policy');
    return evaluatePolicy(policy, source, raw, { now: new Date(), requireSignature: true }, never);
  };
  const signedBy = (key: string, identity?: object) => ({
    type: 'signedBy',
    keyType: 'GPGKeys',
    keyPath: join(dir, `${key}.gpg`),
    ...(identity !== undefined && { signedIdentity: identity }),
  });
  const sigstoreSigned = (key: string, identity?: object) => ({
    type: 'sigstoreSigned',
    keyPath: join(dir, `${key}.pub`),
    ...(identity !== undefined && { signedIdentity: identity }),
  });
  return {
    home,
    dir,
    images,
    keys,
    get conf(): RegistriesD {
      assert.ok(conf);
      return conf;
    },
    get url(): string {
      return registry?.url ?? '';
    },
    name,
    skopeo,
    push,
    pulls,
    writePolicy,
    open,
    evaluate,
    signedBy,
    sigstoreSigned,
  };
}
