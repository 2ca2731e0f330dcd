import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatHostPort, inheritedSockets, parseListenAddress } from './listen-address.ts';

describe('an address to listen on', () => {
  for (const [text, host, port] of [
    ['127.0.0.1:8080', '127.0.0.1', 8080],
    ['0.0.0.0:0', '0.0.0.0', 0],
    ['[::]:8080', '::', 8080],
    ['[fe80::1]:65535', 'fe80::1', 65_535],
  ] as const) {
    it(`${text} is read, and comes back`, () => {
      assert.deepEqual(parseListenAddress(text), { kind: 'address', host, port });
      assert.equal(formatHostPort(host, port), text);
    });
  }
  for (const text of [
    '',
    '8080',
    ':8080',
    'localhost:8080',
    '::1:8080',
    '[127.0.0.1]:80',
    '1.2.3.4:65536',
    '1.2.3.4:080',
    '1.2.3.4:',
    '1.2.3.4:8080 ',
    '[::]',
    '[::1]8080',
  ]) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(parseListenAddress(text), undefined));
  }
});

describe('sockets of systemd', () => {
  it('are taken when they are meant for this process', () => {
    const sockets = (LISTEN_PID: string, LISTEN_FDS: string) => inheritedSockets({ LISTEN_PID, LISTEN_FDS }, 7);
    assert.deepEqual(sockets('7', '2'), [
      { kind: 'descriptor', fd: 3 },
      { kind: 'descriptor', fd: 4 },
    ]);
    assert.deepEqual(
      [sockets('8', '2'), sockets('7', '0'), sockets('7', 'x'), inheritedSockets({}, 7)],
      [[], [], [], []],
    );
  });
});
