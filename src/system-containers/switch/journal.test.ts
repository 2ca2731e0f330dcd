import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatJournal, type Journal, parseJournal } from './journal.ts';

const JOURNAL: Journal = {
  operation: 'update',
  name: 'etcd',
  from: 0,
  to: 1,
  displaces: true,
  infoBefore: undefined,
  hostFiles: { gone: ['/etc/a'], before: { edited: ['/etc/b'], owners: { '/etc/c': [0o644, 0, 7] } } },
  wasActive: true,
  wasEnabled: false,
  purge: false,
  direction: 'forward',
  steps: ['stop'],
};

const parse = (text: string): Journal => parseJournal(Buffer.from(text), '/state/etcd.journal');

describe('a journal', () => {
  it('is read as it was written', () => {
    assert.deepEqual(parse(formatJournal(JOURNAL)), JOURNAL);
    const other: Journal = { ...JOURNAL, operation: 'rollback', from: undefined, infoBefore: '{}', direction: 'back' };
    assert.deepEqual(parse(formatJournal(other)), other);
  });

  it('that is cut off anywhere is refused', () => {
    const text = formatJournal(JOURNAL);
    for (let length = 0; length < text.length - 2; length += 7) {
      assert.throws(() => parse(text.slice(0, length)), { code: 'BAD_JOURNAL' });
    }
  });

  it('with a field of another kind is refused', () => {
    const text = formatJournal(JOURNAL);
    const changes = [
      ['"update"', '"upgrade"'],
      ['"from": 0', '"from": -1'],
      ['"to": 1', '"to": "1"'],
      ['"wasActive": true', '"wasActive": 1'],
      ['"forward"', '"sideways"'],
      ['"stop"', '3'],
      ['os-containers.journal/1', 'os-containers.journal/2'],
      ['420', '"420"'],
      ['"/etc/a"', 'null'],
    ] as const;
    for (const [from, to] of changes) {
      assert.ok(text.includes(from), from);
      assert.throws(() => parse(text.replace(from, to)), { code: 'BAD_JOURNAL' }, from);
    }
  });
});
