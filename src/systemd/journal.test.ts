import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeJournalEntry, type JournalFields, sendToJournal } from './journal.ts';

const text = (fields: JournalFields): string => Buffer.from(encodeJournalEntry(fields)).toString('latin1');

/** A reader of the native protocol, after its description: `NAME=value` lines, or a name, a length and so many bytes. */
function decode(bytes: Uint8Array): [string, string][] {
  const entry = Buffer.from(bytes);
  const fields: [string, string][] = [];
  for (let at = 0; at < entry.length; ) {
    const end = entry.indexOf('\n', at);
    const line = entry.toString('utf8', at, end);
    const split = line.indexOf('=');
    if (split !== -1) {
      fields.push([line.slice(0, split), line.slice(split + 1)]);
      at = end + 1;
      continue;
    }
    const length = Number(entry.readBigUInt64LE(end + 1));
    const start = end + 9;
    fields.push([line, entry.toString('utf8', start, start + length)]);
    assert.equal(entry[start + length], 0x0a);
    at = start + length + 1;
  }
  return fields;
}

describe('an entry for the journal', () => {
  it('has a line for each field, in the order given', () => {
    assert.equal(text({ MESSAGE: 'hello', PRIORITY: '5' }), 'MESSAGE=hello\nPRIORITY=5\n');
  });

  it('keeps what follows the first equals sign, and empty values', () => {
    assert.equal(text({ MESSAGE: 'a=b=c', TAKO_VERSION: '' }), 'MESSAGE=a=b=c\nTAKO_VERSION=\n');
  });

  it('has the length in eight bytes, least first, before a value with a newline', () => {
    assert.equal(text({ MESSAGE: 'one\ntwo' }), 'MESSAGE\n\x07\0\0\0\0\0\0\0one\ntwo\n');
    assert.equal(text({ MESSAGE: '\n' }), 'MESSAGE\n\x01\0\0\0\0\0\0\0\n\n');
    assert.equal(text({ MESSAGE: `\n${'x'.repeat(299)}` }).slice(0, 16), 'MESSAGE\n\x2c\x01\0\0\0\0\0\0');
  });

  it('counts bytes, not characters', () => {
    assert.equal(Buffer.from(encodeJournalEntry({ MESSAGE: 'ü\n' })).readBigUInt64LE(8), 3n);
  });

  it('cannot be given a further field by a newline in a value', () => {
    const fields = { MESSAGE: 'x\nPRIORITY=0\nMESSAGE_ID=y', PRIORITY: '6' };
    assert.deepEqual(decode(encodeJournalEntry(fields)), Object.entries(fields));
  });

  it('is read back as it was meant, whatever the values', () => {
    const name = fc.constantFrom('MESSAGE', 'PRIORITY', 'TAKO_CONFIG', 'A', 'X9', `A${'_'.repeat(63)}`);
    const value = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: fc.constantFrom('\n', '=', 'a', '\0') }));
    fc.assert(
      fc.property(fc.dictionary(name, value), (fields) => {
        assert.deepEqual(decode(encodeJournalEntry(fields)), Object.entries(fields));
      }),
    );
  });

  for (const name of ['', 'message', '_TRUSTED', '1A', 'A B', 'A=B', 'A\n', 'Ä', `A${'B'.repeat(64)}`]) {
    it(`has no field called ${JSON.stringify(name)}`, () => {
      assert.throws(() => encodeJournalEntry({ [name]: 'x' }), /unreachable/);
    });
  }
});

describe('sending to the journal', { skip: existsSync('/run/systemd/journal/socket') && 'a journal is here' }, () => {
  it('without one does nothing and says so', async () => {
    assert.equal(await sendToJournal({ MESSAGE: 'x' }, new AbortController().signal), false);
  });
});
