/** cosign's signatures with a key cross between this project and OpenSSL, in a registry. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { parseImageName } from '../../src/images/index.ts';
import { copySigstoreSignatures, signSigstore, verifySigstore } from '../../src/images/signatures/index.ts';
import { digestOf, MEDIA, parseNamed, rawManifest } from '../../src/oci/index.ts';
import { openSigstorePrivateKey, openSigstorePublicKey, type SigstorePrivateKey } from '../../src/trust/index.ts';
import { needs } from '../support/needs.ts';
import { never, STATEMENT, signingBench } from './image-signing-bench.ts';

/** Debian builds skopeo without sigstore, so the other side here is OpenSSL, and the layout that cosign documents. */
describe('signatures of cosign', { skip: needs('skopeo', 'gpg', 'gpgconf', 'openssl', 'docker-registry') }, () => {
  const bench = signingBench();
  const { dir, images, name, skopeo, push, open, evaluate, sigstoreSigned } = bench;

  const openssl = (...args: readonly string[]): Buffer => {
    const ran = spawnSync('openssl', args);
    assert.equal(ran.status, 0, ran.stderr.toString());
    return ran.stdout;
  };
  const ourKey = async () => {
    const pem = readFileSync(join(dir, 'cosign.key'));
    return openSigstorePrivateKey(pem, Buffer.from('open sesame'), 'cosign.key');
  };
  const sign = async (at: string, scheme: 'tag' | 'referrers', key: SigstorePrivateKey) => {
    const { source, raw } = await open(at);
    const destination = await images.destination(parseImageName(`docker://${at}`), never);
    const identity = parseNamed(at);
    const made = await signSigstore({
      place: source,
      destination,
      raw,
      identity,
      key,
      scheme,
      statement: STATEMENT,
      signal: never,
    });
    return { raw, made };
  };
  const blob = async (repository: string, digest: string): Promise<Buffer> =>
    Buffer.from(await (await fetch(`${bench.url}/v2/${repository}/blobs/${digest}`)).arrayBuffer());

  it('made by OpenSSL and laid out as cosign does are good for us', async () => {
    const at = name('cosign/theirs:1');
    push(at);
    const { source, raw } = await open(at);
    const destination = await images.destination(parseImageName(`docker://${at}`), never);
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', join(dir, 'theirs.key'));
    openssl('ec', '-in', join(dir, 'theirs.key'), '-pubout', '-out', join(dir, 'theirs.pub'));
    const critical = {
      identity: { 'docker-reference': name('cosign/theirs') },
      image: { 'docker-manifest-digest': raw.digest },
      type: 'cosign container image signature',
    };
    const payload = Buffer.from(JSON.stringify({ critical, optional: null }));
    writeFileSync(join(dir, 'payload'), payload);
    const signature = openssl('dgst', '-sha256', '-sign', join(dir, 'theirs.key'), join(dir, 'payload'));
    const config = Buffer.from('{"architecture":"","os":"","rootfs":{"type":"layers","diff_ids":[]}}');
    const layer = {
      mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
      size: payload.length,
      digest: digestOf(payload),
      annotations: { 'dev.cosignproject.cosign/signature': signature.toString('base64') },
    };
    const about = { mediaType: MEDIA.dockerConfig, size: config.length, digest: digestOf(config) };
    const manifest = { schemaVersion: 2, mediaType: MEDIA.dockerManifest, config: about, layers: [layer] };
    for (const [descriptor, bytes] of [
      [layer, payload],
      [about, config],
    ] as const) {
      await destination.putBlob(descriptor, (from) => Readable.from([bytes.subarray(from)]), never);
    }
    const tag = `sha256-${raw.digest.slice(7)}.sig`;
    await destination.putSibling(tag, rawManifest(Buffer.from(JSON.stringify(manifest))), never);

    const repository = { type: 'matchRepository' };
    assert.equal((await evaluate(at, sigstoreSigned('theirs', repository))).signatures.length, 1);
    const invalid = { code: 'SIGNATURE_INVALID' };
    await assert.rejects(evaluate(at, sigstoreSigned('theirs')), invalid); // it names no tag
    await assert.rejects(evaluate(at, sigstoreSigned('other', repository)), invalid);
    const key = openSigstorePublicKey(readFileSync(join(dir, 'theirs.pub')), 'theirs.pub');
    assert.equal((await verifySigstore(source, raw, [key], never))[0]?.key, key.keyId);

    // One of ours goes into the same manifest, and both count.
    assert.ok((await sign(at, 'tag', await ourKey())).made);
    assert.equal((await evaluate(at, sigstoreSigned('theirs', repository))).signatures.length, 1);
    assert.equal((await evaluate(at, sigstoreSigned('cosign'))).signatures.length, 1);
  });

  it('by us are where cosign looks, are good for OpenSSL, and are not made twice', async () => {
    const at = name('cosign/ours:1');
    push(at);
    const { raw, made } = await sign(at, 'tag', await ourKey());
    assert.equal((await sign(at, 'tag', await ourKey())).made, undefined);
    const tag = `sha256-${raw.digest.slice(7)}.sig`;
    const shown = skopeo(
      'insecure.json',
      'inspect',
      '--tls-verify=false',
      '--raw',
      `docker://${name(`cosign/ours:${tag}`)}`,
    );
    assert.equal(shown.text, Buffer.from(made?.bytes ?? []).toString());
    const { layers, config } = JSON.parse(shown.text);
    assert.equal(layers.length, 1);
    writeFileSync(join(dir, 'payload'), await blob('cosign/ours', layers[0].digest));
    const signature = layers[0].annotations['dev.cosignproject.cosign/signature'];
    writeFileSync(join(dir, 'payload.sig'), Buffer.from(signature, 'base64'));
    openssl(
      'dgst',
      '-sha256',
      '-verify',
      join(dir, 'cosign.pub'),
      '-signature',
      join(dir, 'payload.sig'),
      join(dir, 'payload'),
    );
    const { rootfs } = JSON.parse((await blob('cosign/ours', config.digest)).toString());
    assert.deepEqual(rootfs, { type: 'layers', diff_ids: [layers[0].digest] });
    const verdict = await evaluate(at, sigstoreSigned('cosign'));
    assert.equal(verdict.signatures[0]?.identity, at);
  });

  it('are refused by key, by name and where there are none, with a code for each', async () => {
    const at = name('cosign/refused:1');
    push(at);
    await assert.rejects(evaluate(at, sigstoreSigned('cosign')), { code: 'SIGNATURE_MISSING' });
    await sign(at, 'tag', await ourKey());
    const invalid = { code: 'SIGNATURE_INVALID' };
    await assert.rejects(evaluate(at, sigstoreSigned('other')), invalid);
    const elsewhere = { type: 'exactRepository', dockerRepository: 'quay.io/a/b' };
    await assert.rejects(evaluate(at, sigstoreSigned('cosign', elsewhere)), invalid);
  });

  it('are found among the referrers, and go along with a copy', async () => {
    const [referrers, tagged, copied] = ['referrers', 'tagged', 'copied'].map((each) => name(`cosign/${each}:1`));
    assert.ok(referrers !== undefined && tagged !== undefined && copied !== undefined);
    for (const at of [referrers, tagged, copied]) push(at);
    const { raw } = await sign(referrers, 'referrers', await ourKey());
    await sign(tagged, 'tag', await ourKey());
    assert.equal((await evaluate(referrers, sigstoreSigned('cosign'))).signatures.length, 1);
    for (const from of [referrers, tagged]) {
      const there = await images.destination(parseImageName(`docker://${copied}`), never);
      const { source: origin } = await open(from);
      assert.equal(await copySigstoreSignatures(origin, there, raw.digest, never), 1);
      const was = { type: 'exactReference', dockerReference: from };
      assert.equal((await evaluate(copied, sigstoreSigned('cosign', was))).signatures.length, 1);
    }
  });
});
