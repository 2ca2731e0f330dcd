import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { deflateRawSync, gunzipSync, inflateRawSync } from 'node:zlib';
import { noise } from '../../../../test/support/oci-image.ts';
import { GzipMembers, STORED_PIECE, storedBlocks } from './gzip-members.ts';

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function made(write: (members: GzipMembers) => Promise<void>) {
  const pieces: Buffer[] = [];
  const members = new GzipMembers((bytes) => void pieces.push(Buffer.from(bytes)));
  await write(members);
  return { facts: await members.finish(), blob: Buffer.concat(pieces) };
}

describe('a gzip of many members', () => {
  it('is the content in its order, whatever way each part of it came', async () => {
    const [large, small, stored] = [
      Buffer.alloc(3_000_000, 'text '),
      Buffer.from('between'),
      Buffer.from(noise(200_000)),
    ];
    const { facts, blob } = await made(async (members) => {
      await members.write(large);
      await members.write(small);
      await members.beginBody();
      for (let at = 0; at < large.length; at += 100_000) await members.write(large.subarray(at, at + 100_000));
      await members.endBody([deflateRawSync(large)]);
      await members.write(small);
      await members.beginBody();
      await members.write(stored);
      await members.endBody(storedBlocks(stored));
    });
    const content = Buffer.concat([large, small, large, small, stored]);
    assert.ok(gunzipSync(blob).equals(content));
    assert.deepEqual(facts, { digest: sha256(blob), size: blob.length, diffId: sha256(content) });
  });

  it('is the same however the content is cut', async () => {
    const content = Buffer.from(noise(2_500_000));
    const cut = (size: number) =>
      made(async (members) => {
        for (let at = 0; at < content.length; at += size) await members.write(content.subarray(at, at + size));
      });
    const [one, other] = [await cut(1_000), await cut(content.length)];
    assert.deepEqual(one.facts, other.facts);
  });

  it('stores a content in the same blocks whether it comes whole or in pieces', () => {
    for (const size of [STORED_PIECE - 1, STORED_PIECE, STORED_PIECE + 1, 2 * STORED_PIECE]) {
      const content = Buffer.from(noise(size));
      const pieces = [content.subarray(0, STORED_PIECE), content.subarray(STORED_PIECE)].filter(
        ({ length }) => length > 0,
      );
      const blocks = pieces.flatMap((piece, i) => [...storedBlocks(piece, i === pieces.length - 1)]);
      assert.ok(Buffer.concat(blocks).equals(Buffer.concat([...storedBlocks(content)])), `${size}`);
      assert.ok(inflateRawSync(Buffer.concat(blocks)).equals(content));
    }
  });

  it('names no system and no time in any member', async () => {
    const { blob } = await made(async (members) => {
      await members.write(Buffer.from('a'));
      await members.beginBody();
      await members.endBody(storedBlocks(new Uint8Array()));
    });
    const second = blob.indexOf(Buffer.from([0x1f, 0x8b, 8]), 3);
    for (const at of [0, second]) assert.deepEqual([...blob.subarray(at + 3, at + 10)], [0, 0, 0, 0, 0, 0, 255]);
    assert.equal(gunzipSync(blob).toString(), 'a');
  });

  it('tells a failure of the place that it is written to', async () => {
    const members = new GzipMembers(() => {
      throw new Error('full');
    });
    await members.write(Buffer.from('x'));
    await assert.rejects(members.finish(), /full/);
    await members.abandon();
  });
});
