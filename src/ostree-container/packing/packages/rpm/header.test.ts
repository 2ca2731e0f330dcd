import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { headerOf, PACKAGE, text, texts, uint32s } from './rpm.fixture.ts';
import { rpmPackage } from './rpm-package.ts';

describe('a package in the database of rpm', () => {
  it('is named, with its source, its changes and its files', () => {
    assert.deepEqual(rpmPackage(headerOf(PACKAGE), 'package 1'), {
      name: 'hello',
      identifier: 'hello-2:1.0-3.x86_64',
      source: 'hello-source',
      changeTimes: [2000, 1000],
      paths: ['/etc/hello.conf', '/usr/bin/hello'],
    });
  });

  it('has neither the files that it does not bring, nor those that were left out', () => {
    const ghost = rpmPackage(headerOf({ ...PACKAGE, 1037: uint32s(1 << 6, 0) }), 'p');
    assert.deepEqual(ghost.paths, ['/usr/bin/hello']);
    const states = { type: 1, count: 2, bytes: Buffer.from([0, 2]) };
    assert.deepEqual(rpmPackage(headerOf({ ...PACKAGE, 1029: states }), 'p').paths, ['/etc/hello.conf']);
  });

  it('has no file in a folder whose name is longer than any path', () => {
    const folders = texts('/etc/', `/${'x'.repeat(4096)}/`);
    assert.deepEqual(rpmPackage(headerOf({ ...PACKAGE, 1118: folders }), 'p').paths, ['/etc/hello.conf']);
  });

  it('may be without files, as the keys of signatures are', () => {
    const key = rpmPackage(headerOf({ 1000: text('gpg-pubkey'), 1001: text('abc'), 1002: text('1') }), 'p');
    assert.deepEqual([key.identifier, key.source, key.paths], ['gpg-pubkey-abc-1.noarch', 'gpg-pubkey', []]);
  });

  for (const [flaw, header] of [
    ['nothing in it', Buffer.alloc(0)],
    ['fewer bytes than a header', Buffer.alloc(7)],
    ['no tags', headerOf({})],
    ['bytes behind it', Buffer.concat([headerOf(PACKAGE), Buffer.alloc(1)])],
    ['two thousand million tags', Buffer.from('7fffffff00000000', 'hex')],
    ['no name', headerOf({ ...PACKAGE, 1000: undefined })],
    ['a name with a comma', headerOf({ ...PACKAGE, 1000: text('a,b') })],
    ['a name of another type', headerOf({ ...PACKAGE, 1000: uint32s(1) })],
    ['an architecture that colours the terminal', headerOf({ ...PACKAGE, 1022: text('\u001b[31m') })],
    ['a text that does not end', headerOf({ ...PACKAGE, 1000: { type: 6, count: 1, bytes: Buffer.from('x') } }, 0)],
    ['four thousand million names of files', headerOf({ ...PACKAGE, 1117: { ...texts('a', 'b'), count: 0xffffffff } })],
    ['four thousand million numbers', headerOf({ ...PACKAGE, 1116: { ...uint32s(0, 1), count: 0xffffffff } })],
    [
      'more numbers than any package has files',
      headerOf({ ...PACKAGE, 1116: { type: 4, count: 2_000_001, bytes: Buffer.alloc(8_000_004) } }),
    ],
    [
      'more names than any package has files',
      headerOf({ ...PACKAGE, 1117: { type: 8, count: 2_000_001, bytes: Buffer.alloc(2_000_001) } }),
    ],
    ['a value behind its end', headerOf({ ...PACKAGE, 1116: { ...uint32s(0, 1), offset: 0xfffffff0 } })],
    ['folders for some of its files', headerOf({ ...PACKAGE, 1116: uint32s(0) })],
    ['a folder that is not there', headerOf({ ...PACKAGE, 1116: uint32s(0, 2) })],
  ] as const) {
    it(`is refused with ${flaw}`, () => {
      assert.throws(() => rpmPackage(header, 'package 1'), { code: 'PACKAGE_DATABASE' });
    });
  }

  it('gives a package or an error with any byte changed, and wherever it is cut off', () => {
    const header = headerOf(PACKAGE);
    const changed = fc.tuple(fc.nat(header.length - 1), fc.nat(255), fc.nat(header.length));
    fc.assert(
      fc.property(changed, ([at, value, end]) => {
        const bytes = Buffer.from(header.subarray(0, Math.max(end, at + 1)));
        bytes[at] = value;
        try {
          assert.ok(rpmPackage(bytes, 'p').paths.length <= 2);
        } catch (error) {
          assert.equal((error as { code?: unknown }).code, 'PACKAGE_DATABASE', String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
