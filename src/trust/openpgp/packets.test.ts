import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { splitPackets } from './packets.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('a sequence of packets', () => {
  for (const [form, header, length] of [
    ['old, one byte', '88 03', 3],
    ['old, two bytes', '89 0003', 3],
    ['old, four bytes', '8a 00000003', 3],
    ['new, one byte', 'c2 03', 3],
    ['new, two bytes', 'c2 c001', 193],
    ['new, two bytes, the most', 'c2 dfff', 8383],
    ['new, five bytes', 'c2 ff 00000003', 3],
  ] as const) {
    it(`is cut by its lengths: ${form}`, () => {
      const one = Buffer.concat([hex(header), Buffer.alloc(length, 7)]);
      const { packets, flaw } = splitPackets(Buffer.concat([one, one]));
      assert.equal(flaw, undefined);
      assert.deepEqual(
        packets.map(({ tag, body, raw }) => [tag, body.length, Buffer.from(raw)]),
        [
          [2, length, one],
          [2, length, one],
        ],
      );
      for (let cut = 1; cut < Math.min(one.length, 10); cut++) {
        const short = splitPackets(Buffer.concat([one, one.subarray(0, cut)]));
        assert.equal(short.packets.length, 1);
        assert.ok(short.flaw !== undefined);
      }
    });
  }

  for (const [what, bytes] of [
    ['an indeterminate length', '8b 01'],
    ['a length in parts', 'c2 e0 01'],
    ['text', '41 42'],
  ] as const) {
    it(`ends at ${what}`, () => {
      const { packets, flaw } = splitPackets(hex(`88 01 00 ${bytes}`));
      assert.equal(packets.length, 1);
      assert.match(flaw ?? '', /at byte 3/);
    });
  }

  it('is read from any bytes without an exception, and no byte twice', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const { packets, flaw } = splitPackets(bytes);
        const raw = Buffer.concat(packets.map((packet) => packet.raw));
        assert.deepEqual(raw, Buffer.from(bytes.subarray(0, raw.length)));
        assert.equal(flaw === undefined, raw.length === bytes.length);
      }),
    );
  });
});
