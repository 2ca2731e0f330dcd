/** Signatures of simple signing cross both ways between this project and skopeo, and both read policies alike. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseImageName } from '../../src/images/index.ts';
import { evaluatePolicy, parsePolicy } from '../../src/images/policy/index.ts';
import { addLookasideSignature, signSimple } from '../../src/images/signatures/index.ts';
import { formatNamed, parseNamed } from '../../src/oci/index.ts';
import { gpgProgramSigner, openSigningKey } from '../../src/trust/index.ts';
import { needs } from '../support/needs.ts';
import { never, STATEMENT, signingBench } from './image-signing-bench.ts';

describe('signatures of images', { skip: needs('skopeo', 'gpg', 'gpgconf', 'docker-registry') }, () => {
  const bench = signingBench();
  const { home, dir, images, keys, name, skopeo, push, pulls, writePolicy, open, evaluate, signedBy } = bench;

  describe('of simple signing', () => {
    it('by skopeo are good for us, with the key and the name in the verdict', async () => {
      push(name('simple/theirs:1'), '--sign-by', keys['good'] ?? '');
      const verdict = await evaluate(name('simple/theirs:1'), signedBy('good'));
      assert.deepEqual(verdict.requirements, ['signedBy']);
      assert.equal(verdict.signatures[0]?.key, keys['good']);
      assert.equal(verdict.signatures[0]?.identity, name('simple/theirs:1'));
      assert.equal(verdict.signatures[0]?.signer, 'good');
    });

    it('are refused by key, by name and where there are none, with a code for each', async () => {
      push(name('simple/refused:1'), '--sign-by', keys['good'] ?? '');
      push(name('simple/unsigned:1'));
      const invalid = { code: 'SIGNATURE_INVALID' };
      await assert.rejects(evaluate(name('simple/refused:1'), signedBy('other')), invalid);
      const elsewhere = { type: 'exactReference', dockerReference: 'quay.io/a/b:1' };
      await assert.rejects(evaluate(name('simple/refused:1'), signedBy('good', elsewhere)), invalid);
      await assert.rejects(evaluate(name('simple/unsigned:1'), signedBy('good')), { code: 'SIGNATURE_MISSING' });
    });

    it('that skopeo put beside an image in a directory are good for us, under the name that was signed', async () => {
      const identity = 'quay.io/team/app:1';
      const to = join(dir, 'directory');
      const options = ['--sign-by', keys['good'] ?? '', '--sign-identity', identity];
      const ran = skopeo('insecure.json', 'copy', ...options, `oci:${dir}/layout:1`, `dir:${to}`);
      assert.equal(ran.status, 0, ran.text);
      const source = await images.source(parseImageName(`dir:${to}`), never);
      const raw = await source.readManifest(undefined, never);
      const judge = (signedIdentity: object) => {
        const policy = JSON.stringify({ default: [signedBy('good', signedIdentity)] });
        const context = { now: new Date(), requireSignature: true };
        return evaluatePolicy(parsePolicy(Buffer.from(policy), 'policy'), source, raw, context, never);
      };
      const verdict = await judge({ type: 'exactReference', dockerReference: identity });
      assert.equal(verdict.signatures[0]?.identity, identity);
      await assert.rejects(judge({ type: 'matchExact' }), { code: 'SIGNATURE_INVALID' });
      await source.close();
    });

    it('by us, with a key file or by gpg, are good for skopeo', async () => {
      push(name('simple/ours:1'));
      const { raw } = await open(name('simple/ours:1'));
      const identity = parseNamed(name('simple/ours:1'));
      const file = await openSigningKey({ name: 'secret', bytes: home.secretKeys(keys['good'] ?? '') }, {});
      const program = gpgProgramSigner({ keyId: keys['other'] ?? '', homedir: home.dir, signal: never });
      for (const [key, signer] of [
        ['good', file],
        ['other', program],
      ] as const) {
        const policy = writePolicy(`ours-${key}.json`, signedBy(key));
        assert.match(String(pulls(name('simple/ours:1'), policy)), /signature/i);
        const blob = await signSimple(raw.digest, identity, signer, STATEMENT);
        addLookasideSignature(identity, raw.digest, bench.conf, blob);
        assert.equal(pulls(name('simple/ours:1'), policy), true);
        const verdict = await evaluate(name('simple/ours:1'), signedBy(key));
        assert.equal(verdict.signatures[0]?.key, keys[key]);
        writeFileSync(join(dir, 'manifest.json'), raw.bytes);
        writeFileSync(join(dir, 'signature'), blob);
        const fingerprint = keys[key] ?? '';
        const checked = skopeo(
          'insecure.json',
          'standalone-verify',
          join(dir, 'manifest.json'),
          formatNamed(identity),
          fingerprint,
          join(dir, 'signature'),
        );
        assert.equal(checked.status, 0, checked.text);
      }
    });

    it('by a key that has expired or was revoked are refused', async () => {
      for (const key of ['stale', 'gone']) {
        push(name(`simple/${key}:1`));
        const { raw } = await open(name(`simple/${key}:1`));
        const identity = parseNamed(name(`simple/${key}:1`));
        const payload = {
          critical: {
            identity: { 'docker-reference': formatNamed(identity) },
            image: { 'docker-manifest-digest': raw.digest },
            type: 'atomic container signature',
          },
          optional: {},
        };
        const at = key === 'stale' ? { at: '20200110T000000' } : {};
        const blob = home.gpg(['--batch', '--local-user', keys[key] ?? '', '--output', '-', '--sign'], {
          input: JSON.stringify(payload),
          ...at,
        });
        if (key === 'gone') {
          addLookasideSignature(identity, raw.digest, bench.conf, blob);
          assert.equal((await evaluate(name('simple/gone:1'), signedBy('gone'))).signatures.length, 1);
          home.revoke(keys[key] ?? '');
          writeFileSync(join(dir, 'gone.gpg'), home.publicKeys(keys[key] ?? ''));
        }
        addLookasideSignature(identity, raw.digest, bench.conf, blob);
        const requirement = signedBy(key);
        await assert.rejects(evaluate(name(`simple/${key}:1`), requirement), {
          code: 'SIGNATURE_INVALID',
          message: key === 'gone' ? /revoked-key/ : /expired-key/,
        });
        assert.notEqual(pulls(name(`simple/${key}:1`), writePolicy(`${key}.json`, requirement)), true);
      }
    });
  });

  describe('and the scopes of a policy', () => {
    for (const [what, scope, isRejected] of [
      ['the image', '/layout', true],
      ['the folder above it', '', true],
      ['the image with its tag, which is passed over', '/layout:1', false],
    ] as const) {
      it(`of a layout that name ${what} mean the same to skopeo`, async () => {
        const policy = {
          default: [{ type: 'insecureAcceptAnything' }],
          transports: { oci: { [`${dir}${scope}`]: [{ type: 'reject' }] } },
        };
        writeFileSync(join(dir, 'scope.json'), JSON.stringify(policy));
        const to = `dir:${dir}/scope-${Math.random().toString(36).slice(2)}`;
        const ran = skopeo('scope.json', 'copy', `oci:${dir}/layout:1`, to);
        assert.equal(ran.status !== 0, isRejected, ran.text);
        const source = await images.source(parseImageName(`oci:${dir}/layout:1`), never);
        const raw = await source.readManifest(undefined, never);
        const judged = evaluatePolicy(
          parsePolicy(Buffer.from(JSON.stringify(policy)), 'policy'),
          source,
          raw,
          { now: new Date(), requireSignature: false },
          never,
        );
        if (isRejected) await assert.rejects(judged, { code: 'POLICY_REJECTED' });
        else assert.equal((await judged).decision, 'accepted');
        await source.close();
      });
    }
  });
});
