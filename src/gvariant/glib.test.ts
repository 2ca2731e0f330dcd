import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ABNORMAL, NORMAL, READABLE, UNREADABLE } from './glib.fixture.ts';
import { formatVariant, parseType, parseVariantText } from './index.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('what GLib calls normal form', () => {
  for (const [signature, serialised, text] of NORMAL) {
    const bytes = Buffer.from(serialised, 'hex');
    it(`is read and written to the same bytes: ${signature} ${serialised}`, () => {
      const type = parseType(signature);
      assert.equal(hex(type.encode(type.decode(bytes))), serialised);
    });
    it(`is printed as GLib prints it, and read back: ${text}`, () => {
      assert.equal(formatVariant({ signature, bytes }), text);
      const back = parseVariantText(text);
      assert.deepEqual([back.signature, hex(back.bytes)], [signature, serialised]);
    });
  }
});

describe('what GLib does not call normal form', () => {
  for (const [signature, serialised] of ABNORMAL) {
    it(`is refused: ${signature} ${serialised}`, () => {
      const read = () => parseType(signature).decode(Buffer.from(serialised, 'hex'));
      assert.throws(read, { name: 'GVariantError', code: 'GVARIANT_MALFORMED' });
    });
  }
});

describe('a text that GLib reads', () => {
  for (const [text, signature, serialised, printed] of READABLE) {
    it(`has the same type and bytes here: ${JSON.stringify(text)}`, () => {
      const value = parseVariantText(text);
      assert.deepEqual([value.signature, hex(value.bytes), formatVariant(value)], [signature, serialised, printed]);
    });
  }
});

describe('a text that GLib refuses', () => {
  for (const text of UNREADABLE) {
    it(`is refused here: ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseVariantText(text), { name: 'GVariantError', code: 'GVARIANT_TEXT' });
    });
  }
});
