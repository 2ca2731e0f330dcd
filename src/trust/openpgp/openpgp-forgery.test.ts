/** Keys and signatures that no program makes: attempts to have something believed. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import * as openpgp from 'openpgp';
import { serializeKey, sortKeys } from './key-block.ts';
import { openKeyring } from './open.ts';
import { MADE, makePair, type Pair } from './openpgp.fixture.ts';
import { splitPackets, TAG } from './packets.ts';
import type { OpenPgpVerdict } from './verdict.ts';

const DATA = Buffer.from('the data');
const NOW = new Date('2026-06-01T00:00:00Z');
const { signature: TYPE, hash: HASH } = openpgp.enums;

/** A signature packet with whatever properties, by any key over anything. */
async function seal(
  signer: openpgp.AnySecretKeyPacket,
  over: object,
  properties: Partial<openpgp.SignaturePacket>,
  made = MADE,
): Promise<openpgp.SignaturePacket> {
  const packet = Object.assign(new openpgp.SignaturePacket(), {
    publicKeyAlgorithm: signer.algorithm,
    hashAlgorithm: HASH.sha512,
    ...properties,
  });
  const sign = packet.sign as (
    key: unknown,
    over: object,
    date: Date,
    detached: boolean,
    config: object,
  ) => Promise<void>;
  await sign.call(packet, signer, over, made, true, openpgp.config);
  return packet;
}

function framed(...packets: readonly openpgp.AnyPacket[]): Uint8Array {
  const list = new openpgp.PacketList<openpgp.AnyPacket>();
  list.push(...packets);
  return list.write();
}

async function literal(data: Uint8Array): Promise<object> {
  return (await openpgp.createMessage({ binary: data })).packets[0] ?? {};
}

async function verdict(ring: readonly Uint8Array[], signature: Uint8Array, now = NOW): Promise<OpenPgpVerdict> {
  const opened = await openKeyring([{ name: 'ring', bytes: Buffer.concat(ring) }]);
  const [first, another] = await opened.verify(DATA, signature, now);
  assert.equal(another, undefined);
  assert.ok(first !== undefined);
  return first;
}

function secretOf(part: { readonly keyPacket: unknown } | undefined): openpgp.AnySecretKeyPacket {
  const packet = part?.keyPacket;
  if (packet instanceof openpgp.SecretKeyPacket || packet instanceof openpgp.SecretSubkeyPacket) return packet;
  throw new Error('a secret key was made');
}

describe('an attempt', () => {
  let honest: Pair;
  let victim: Pair;
  before(async () => {
    honest = await makePair('honest');
    victim = await makePair('victim', [{ sign: true }]);
  });

  const signed = async (properties: Partial<openpgp.SignaturePacket> = {}): Promise<Uint8Array> =>
    framed(await seal(secretOf(honest.secret), await literal(DATA), { signatureType: TYPE.binary, ...properties }));

  it('to make a plain signature works, so that the others fail for their own reason', async () => {
    assert.equal((await verdict([honest.bytes], await signed())).status, 'good');
  });

  it('to take over the signing subkey of somebody else fails without its confirmation', async () => {
    const stolen = victim.secret.subkeys[0];
    const publicSubkey = splitPackets(victim.bytes).packets.find(({ tag }) => tag === TAG.publicSubkey);
    assert.ok(stolen !== undefined && publicSubkey !== undefined);
    const over = { key: honest.secret.keyPacket, bind: stolen.keyPacket };
    const flags = { signatureType: TYPE.subkeyBinding, keyFlags: [2] as unknown as Uint8Array };
    const signature = framed(
      await seal(
        secretOf(stolen),
        await literal(DATA),
        { signatureType: TYPE.binary },
        new Date('2026-02-01T00:00:00Z'),
      ),
    );
    const bare = framed(await seal(secretOf(honest.secret), over, flags));
    const unconfirmed = await verdict([honest.bytes, publicSubkey.raw, bare], signature);
    assert.deepEqual(
      [unconfirmed.status, unconfirmed.reason],
      ['unusable', 'signing subkey that has not confirmed its key'],
    );

    // A confirmation by the subkey, but of another kind; and a real one, for which the test would be worth nothing.
    for (const [signatureType, expected] of [
      [TYPE.subkeyBinding, 'unusable'],
      [TYPE.keyBinding, 'good'],
    ] as const) {
      const embeddedSignature = await seal(secretOf(stolen), over, { signatureType });
      const binding = framed(await seal(secretOf(honest.secret), over, { ...flags, embeddedSignature }));
      assert.equal((await verdict([honest.bytes, publicSubkey.raw, binding], signature)).status, expected);
    }
  });

  it('to use a subkey without any binding fails', async () => {
    const subkey = victim.secret.subkeys[0];
    const raw = splitPackets(victim.bytes).packets.find(({ tag }) => tag === TAG.publicSubkey)?.raw ?? new Uint8Array();
    const signature = framed(await seal(secretOf(subkey), await literal(DATA), { signatureType: TYPE.binary }));
    const { status, reason } = await verdict([honest.bytes, raw], signature);
    assert.deepEqual([status, reason], ['unusable', 'subkey that is not bound to its key']);
  });

  it('to use a key without a self-signature fails', async () => {
    const [primary, userId] = splitPackets(honest.bytes).packets;
    assert.ok(primary !== undefined && userId !== undefined);
    const { status, reason } = await verdict([primary.raw, userId.raw], await signed());
    assert.deepEqual([status, reason], ['unusable', 'key without a valid self-signature']);
  });

  it('to sign with a key that says it is for something else fails', async () => {
    const [primary, userId] = splitPackets(honest.bytes).packets;
    assert.ok(primary !== undefined && userId !== undefined);
    const over = { key: honest.secret.keyPacket, userID: honest.secret.users[0]?.userID };
    for (const keyFlags of [[1], [12], [], undefined]) {
      const properties = {
        signatureType: TYPE.certPositive,
        ...(keyFlags && { keyFlags: keyFlags as unknown as Uint8Array }),
      };
      const certificate = framed(await seal(secretOf(honest.secret), over, properties));
      const { status, reason } = await verdict([primary.raw, userId.raw, certificate], await signed());
      assert.deepEqual([status, reason], ['unusable', 'key that may not sign data'], String(keyFlags));
    }
  });

  it('to outlive a revocation that makes demands nobody knows fails', async () => {
    const revocation = framed(
      await seal(
        secretOf(honest.secret),
        { key: honest.secret.keyPacket },
        {
          signatureType: TYPE.keyRevocation,
          rawNotations: [{ name: 'x@example.com', value: Buffer.from('y'), humanReadable: true, critical: true }],
        },
      ),
    );
    const [primary, ...rest] = splitPackets(honest.bytes).packets.map(({ raw }) => raw);
    assert.ok(primary !== undefined);
    assert.equal((await verdict([primary, revocation, ...rest], await signed())).status, 'revoked-key');
  });

  it('to revoke the key of somebody else fails', async () => {
    const over = { key: honest.secret.keyPacket };
    const revocation = framed(await seal(secretOf(victim.secret), over, { signatureType: TYPE.keyRevocation }));
    const [primary, ...rest] = splitPackets(honest.bytes).packets.map(({ raw }) => raw);
    assert.ok(primary !== undefined);
    assert.equal((await verdict([primary, revocation, ...rest], await signed())).status, 'good');
  });

  it('to pass a signature over something else off as one over data fails', async () => {
    for (const signatureType of [TYPE.standalone, TYPE.timestamp]) {
      const packet = framed(await seal(secretOf(honest.secret), await literal(DATA), { signatureType }));
      assert.equal((await verdict([honest.bytes], packet)).status, 'unusable');
    }
  });

  it('to have a signature believed whose critical demand nobody knows fails', async () => {
    const rawNotations = [{ name: 'x@example.com', value: Buffer.from('y'), humanReadable: true, critical: true }];
    const { status, reason } = await verdict([honest.bytes], await signed({ rawNotations }));
    assert.deepEqual([status, reason], ['unusable', 'signature with a critical notation']);
  });

  it('to date a signature before its key fails', async () => {
    const packet = await seal(
      secretOf(honest.secret),
      await literal(DATA),
      { signatureType: TYPE.binary },
      new Date('2025-12-31T23:59:59Z'),
    );
    const { status, reason } = await verdict([honest.bytes], framed(packet));
    assert.deepEqual([status, reason], ['unusable', 'signature is older than its key']);
  });

  it('to use a digest that is too short for the key is refused by name', async () => {
    const signature = await signed();
    const weakened = Buffer.from(signature);
    weakened[splitPackets(signature).packets[0]?.raw.indexOf(HASH.sha512) ?? 0] = HASH.sha1;
    const { status, reason } = await verdict([honest.bytes], weakened);
    assert.deepEqual([status, reason], ['unusable', 'SHA-1 digest']);
  });

  it('with a signature of version 3 is refused by name', async () => {
    const body = [3, 5, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 0xab, 1, 8, 0, 0, 0, 1, 1];
    const { status, reason, keyId } = await verdict([honest.bytes], Buffer.from([0x88, body.length, ...body]));
    assert.deepEqual([status, reason, keyId], ['unusable', 'signature of version 3', '01020304050607AB']);
  });

  it('to hide one key behind another with the same packets is no second key', async () => {
    const { keys } = sortKeys(splitPackets(Buffer.concat([honest.bytes, honest.bytes])).packets);
    assert.equal(keys.length, 2);
    const ring = await openKeyring([{ name: 'ring', bytes: Buffer.concat(keys.map(serializeKey)) }]);
    assert.equal(ring.keys.length, 1);
    assert.deepEqual(Buffer.from(ring.serialize()), Buffer.from(honest.bytes));
  });
});
