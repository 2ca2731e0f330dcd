/** Damage at random, the same in every run. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as openpgp from 'openpgp';
import { codeOf } from '../../base/error.ts';
import { openKeyring, openSigningKey } from './open.ts';
import { makePair } from './openpgp.fixture.ts';

const DATA = Buffer.from('the data');
const OTHER = Buffer.from('other data');
const NOW = new Date('2026-06-01T00:00:00Z');

/** Numbers that look random and are the same in every run. */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

function mutate(bytes: Uint8Array, random: (limit: number) => number): Buffer {
  const changed = Buffer.from(bytes);
  const at = random(changed.length);
  switch (random(4)) {
    case 0:
      return changed.subarray(0, at);
    case 1:
      return Buffer.concat([changed.subarray(0, at), changed.subarray(at + 1 + random(8))]);
    case 2:
      return Buffer.concat([changed.subarray(0, at), Buffer.from([random(256)]), changed.subarray(at)]);
    default:
      for (let n = random(4); n >= 0; n--) changed[random(changed.length)] = random(256);
      return changed;
  }
}

describe('2000 mutations', () => {
  const KNOWN = new Set(['good', 'bad', 'unknown-key', 'expired-signature', 'expired-key', 'revoked-key', 'unusable']);

  it('of a signature give verdicts, and none is good over other data', async () => {
    const random = generator(1);
    const [one, two] = [await makePair('one'), await makePair('two', [{ sign: true }])];
    const ring = await openKeyring([{ name: 'ring', bytes: Buffer.concat([one.bytes, two.bytes]) }]);
    const message = await openpgp.createMessage({ binary: DATA });
    const original = await openpgp.sign({
      message,
      signingKeys: [one.secret, two.secret],
      detached: true,
      format: 'binary',
      date: new Date('2026-03-01T00:00:00Z'),
    });
    assert.deepEqual(
      (await ring.verify(DATA, original, NOW)).map(({ status }) => status),
      ['good', 'good'],
    );
    for (let i = 0; i < 2000; i++) {
      const changed = mutate(original, random);
      const verdicts = [...(await ring.verify(OTHER, changed, NOW)), ...(await ring.verify(DATA, changed, NOW))];
      assert.ok(verdicts.length >= 2);
      for (const { status } of verdicts) assert.ok(KNOWN.has(status), `mutation ${i}`);
      const wrong = (await ring.verify(OTHER, changed, NOW)).filter(({ status }) => status === 'good');
      assert.deepEqual(wrong, [], `mutation ${i}: ${changed.toString('hex')}`);
    }
  });

  it('of a keyring give keys and problems, and no other data becomes good', async () => {
    const random = generator(2);
    const [one, two] = [await makePair('one'), await makePair('two', [{ sign: true }])];
    const original = Buffer.concat([one.bytes, two.bytes]);
    const signature = await openpgp.sign({
      message: await openpgp.createMessage({ binary: DATA }),
      signingKeys: [one.secret, two.secret],
      detached: true,
      format: 'binary',
      date: new Date('2026-03-01T00:00:00Z'),
    });
    const genuine = new Set([one, two].map(({ secret }) => secret.getFingerprint().toUpperCase()));
    for (let i = 0; i < 2000; i++) {
      const changed = mutate(original, random);
      const ring = await openKeyring([{ name: 'ring', bytes: changed }]);
      const wrong = (await ring.verify(OTHER, signature, NOW)).filter(({ status }) => status === 'good');
      const right = (await ring.verify(DATA, signature, NOW)).filter(({ status }) => status === 'good');
      assert.deepEqual(wrong, [], `mutation ${i}: ${changed.toString('hex')}`);
      for (const { fingerprint = '' } of right) assert.ok(genuine.has(fingerprint), `mutation ${i}`);
      assert.ok(ring.serialize().length <= changed.length);
    }
  });

  it('of armor give keys and problems', async () => {
    const random = generator(3);
    const original = Buffer.from((await makePair('one')).secret.toPublic().armor().repeat(2));
    for (let i = 0; i < 2000; i++) {
      const bytes = mutate(original, random);
      const { keys, problems } = await openKeyring([{ name: 'ring', bytes }]);
      const told = keys.length > 0 || problems.length > 0 || bytes.length === 0;
      assert.ok(keys.length <= 2 && told, `mutation ${i}: ${keys.length} keys, ${bytes.toString('latin1')}`);
    }
  });

  it('of a secret key give a signer or a CodedError', async () => {
    const random = generator(4);
    const original = (await makePair('one', [{ sign: true }])).secret.write();
    let refused = 0;
    for (let i = 0; i < 2000; i++) {
      const file = { name: 'secret', bytes: mutate(original, random) };
      await openSigningKey(file, {}).catch((error: unknown) => {
        assert.equal(codeOf(error), 'OPENPGP_KEY', `mutation ${i}: ${String(error)}`);
        refused++;
      });
    }
    assert.ok(refused > 1000);
  });
});
