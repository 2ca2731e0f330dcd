import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseTarget } from './target.ts';

const C = 'ab'.repeat(32);
const OBJECT = `/repo/objects/ab/${C.slice(2)}`;
const NAME = 'A'.repeat(41);

describe('the target of a request', () => {
  for (const [target, kind] of [
    ['/', 'front'],
    ['/repo/', 'front'],
    ['/?page=3', 'front'],
    ['/repo', 'redirect'],
    ['/repo/config', 'config'],
    ['/repo/summary', 'file'],
    ['/repo/summary.sig', 'file'],
    ['/repo/summary?x=y', 'file'],
    ['/repo/%73ummary', 'file'],
    ['http://example.com/repo/summary', 'file'],
    ['/repo/refs/heads/os/main', 'ref'],
    ['/repo/refs/mirrors/org.example.Os/os/main', 'ref'],
    [`${OBJECT}.commit`, 'file'],
    [`${OBJECT}.commitmeta`, 'file'],
    [`${OBJECT}.dirtree`, 'file'],
    [`${OBJECT}.dirmeta`, 'file'],
    [`${OBJECT}.filez`, 'file'],
    [`/repo/deltas/+_/${NAME}/superblock`, 'file'],
    [`/repo/deltas/%2B_/${NAME}-${'B'.repeat(43)}/12`, 'file'],
    [`/repo/delta-indexes/ab/${NAME}.index`, 'file'],
    ['/deltas', 'deltas'],
    [`/commit/${C}`, 'commit'],
    [`/browse/${C}/`, 'browse'],
    [`/browse/${C}/usr/a%20b%3c`, 'browse'],
  ] as const) {
    it(`${target} leads to ${kind}`, () => assert.equal(parseTarget(target)?.kind, kind));
  }

  for (const target of [
    '',
    '*',
    'repo/config',
    '//repo/config',
    '/repo//config',
    '/repo/config/',
    '/repo/./config',
    '/repo/../repo/config',
    '/repo/%2e%2e/secret',
    '/repo/..%2fsecret',
    '/repo/objects%2fab',
    '/repo/refs/heads/..%2f..%2fconfig',
    '/repo/refs/heads/%252e%252e/x',
    '/repo/config%00',
    '/repo/config%',
    '/repo/config%ff',
    '/repo/CONFIG',
    '/repo/config#x',
    '/repo/tmp/x',
    '/repo/state/x',
    '/repo/extensions/tako/state.json',
    '/repo/.lock',
    '/repo/origin.trustedkeys.gpg',
    '/repo/origin.cookies.txt',
    '/repo/refs',
    '/repo/refs/heads/',
    '/repo/refs/heads/.hidden',
    '/repo/refs/remotes/origin/os/main',
    '/repo/refs/mirrors/noid/os/main',
    `/repo/refs/heads/${'a/'.repeat(2500)}a`,
    '/repo/objects/',
    `${OBJECT}.file`,
    `${OBJECT}.filez.tmp`,
    `${OBJECT.toUpperCase()}.filez`,
    `/repo/objects/ab/${C}.commit`,
    `/repo/deltas/ab/${NAME}/meta`,
    `/repo/deltas/ab/${NAME}/00`,
    `/repo/delta-indexes/ab/${NAME}`,
    `/commit/${C}/x`,
    '/commit/abc',
    `/browse/${C}/usr//bin`,
    `/browse/${C}/../..`,
    '/favicon.ico',
    '/repository/config',
  ]) {
    it(`${JSON.stringify(target.slice(0, 60))} leads nowhere`, () => assert.equal(parseTarget(target), undefined));
  }

  it('says what never changes: not the signatures of a commit, not deltas, not the summary', () => {
    const immutable = ['.commit', '.dirtree', '.dirmeta', '.filez'].map((type) => `${OBJECT}${type}`);
    const others = [`${OBJECT}.commitmeta`, '/repo/summary', `/repo/deltas/ab/${NAME}/0`];
    const flags = [...immutable, ...others].map((target) => {
      const route = parseTarget(target);
      return route?.kind === 'file' && route.isImmutable;
    });
    assert.deepEqual(flags, [true, true, true, true, false, false, false]);
  });

  it('never holds a name that leads elsewhere, whatever was asked for', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'repo',
        'browse',
        C,
        'objects',
        'refs',
        'heads',
        'deltas',
        '..',
        '.',
        '',
        '%2e%2e',
        '%2f',
        '%00',
        '%5c',
        '\\',
        '%252e',
      ),
      fc.string({ maxLength: 8 }),
      fc.string({ unit: 'binary', maxLength: 4 }).map(encodeSafely),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const route = parseTarget(`/${pieces.join('/')}`);
        const names =
          route?.kind === 'file' || route?.kind === 'browse'
            ? route.path
            : route?.kind === 'ref'
              ? route.ref.split('/')
              : [];
        for (const name of names) assert.ok(name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name), name);
      }),
      { numRuns: 2000 },
    );
  });
});

function encodeSafely(text: string): string {
  return encodeURIComponent(text.replace(/[\ud800-\udfff]/g, 'x'));
}
