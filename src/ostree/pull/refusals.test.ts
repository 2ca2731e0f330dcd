import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Behaviour } from '../../../test/support/hostile-server.ts';
import { readRef } from '../repository/refs.ts';
import { SIGNAL } from '../repository/repository.fixture.ts';
import { withTransaction } from '../storage/transaction.ts';
import {
  assertWhole,
  ORIGIN,
  objectRequests,
  publish,
  type Scene,
  scene,
  summarize,
  urlOf,
  visible,
} from './pull.fixture.ts';

describe('a pull is refused, and nothing of it can be seen,', () => {
  const swap = (it: Scene, checksum: string, extension: 'filez' | 'dirtree', behaviour: Behaviour): void =>
    it.server.route(urlOf(checksum, extension), behaviour);
  const served = (it: Scene, path: string): Buffer => readFileSync(join(it.source.path, path));
  const one = (it: Scene): string => it.published.files['one'] ?? '';
  const two = (it: Scene): string => it.published.files['usr/two'] ?? '';

  const changed = (bytes: Buffer, at: number): Buffer => {
    const copy = Buffer.from(bytes);
    const place = copy.length + at;
    copy[place] = (copy[place] ?? 0) ^ 0xff;
    return copy;
  };

  /** Of no known length. */
  const endless = (request: IncomingMessage, response: ServerResponse): void => {
    const chunk = Buffer.alloc(64 * 1024, 'endless ');
    const pump = (): void => {
      if (!response.destroyed && response.write(chunk)) setImmediate(pump);
    };
    response.on('drain', pump);
    if (request.method === 'HEAD') response.end();
    else pump();
  };

  const hugeHeader = Buffer.alloc(64);
  hugeHeader.writeUInt32BE(0x7fffffff, 0);

  const flaws: readonly (readonly [string, string, (it: Scene) => void])[] = [
    [
      'when a file is damaged',
      'OBJECT_CORRUPT',
      (it) => swap(it, one(it), 'filez', { kind: 'serve', body: changed(served(it, urlOf(one(it), 'filez')), -4) }),
    ],
    [
      'when another file comes in its place',
      'OBJECT_CORRUPT',
      (it) => swap(it, one(it), 'filez', { kind: 'serve', body: served(it, urlOf(two(it), 'filez')) }),
    ],
    [
      'when a header claims gigabytes',
      'OBJECT_MALFORMED',
      (it) => swap(it, one(it), 'filez', { kind: 'serve', body: hugeHeader }),
    ],
    ['when a file is empty', 'OBJECT_MALFORMED', (it) => swap(it, one(it), 'filez', { kind: 'serve', body: '' })],
    [
      'when a file breaks off again and again',
      'HTTP_INTERRUPTED',
      (it) => swap(it, one(it), 'filez', { kind: 'truncate', after: 20 }),
    ],
    ['when a file is gone', 'OBJECT_MISSING', (it) => swap(it, one(it), 'filez', { kind: 'status', status: 404 })],
    [
      'when a file never ends',
      'OBJECT_MALFORMED',
      (it) => swap(it, one(it), 'filez', { kind: 'custom', handle: endless }),
    ],
    ['when a dirtree never ends', 'TOO_LARGE', (it) => swap(it, it.published.rootTree, 'dirtree', { kind: 'endless' })],
    [
      'when a dirtree is another one',
      'OBJECT_CORRUPT',
      (it) => swap(it, it.published.rootTree, 'dirtree', { kind: 'serve', body: '\0' }),
    ],
    [
      'when the commit is another one',
      'OBJECT_CORRUPT',
      (it) => it.server.route(urlOf(it.published.commit, 'commit'), { kind: 'serve', body: 'not it' }),
    ],
    [
      'when a page of HTML is served as a ref',
      'OBJECT_MALFORMED',
      (it) => it.server.route('/refs/heads/main', { kind: 'serve', body: '<html>' }),
    ],
    [
      'when the summary is garbage',
      'SUMMARY_MALFORMED',
      (it) => it.server.route('/summary', { kind: 'serve', body: 'garbage' }),
    ],
    [
      'when the remote is no archive',
      'REMOTE_UNSUITABLE',
      (it) => it.server.route('/config', { kind: 'serve', body: '[core]\nrepo_version=1\nmode=bare\n' }),
    ],
    [
      'when the server fails',
      'HTTP_UNAVAILABLE',
      (it) => it.server.route('/summary.sig', { kind: 'status', status: 500 }),
    ],
  ];
  for (const [when, code, spoil] of flaws) {
    it(`${when}: ${code}`, async (t) => {
      const it = await scene(t);
      const before = visible(it.into);
      spoil(it);
      await assert.rejects(it.pull(), { code });
      assert.deepEqual(visible(it.into), before);
    });
  }

  it('when the commit is bound to another ref, unless bindings are not to be verified', async (t) => {
    const it = await scene(t, { shape: { boundTo: ['other'] } });
    await assert.rejects(it.pull(), { code: 'BINDING_MISMATCH' });
    assert.equal(readRef(it.into, ORIGIN, 'main'), undefined);
    await it.pull(['main'], { bindings: false });
    await assertWhole(it.into, it.published.commit);
  });

  it('when a commit of another collection comes', async (t) => {
    const it = await scene(t, { settings: [['collection-id', 'org.example.Other']] });
    await assert.rejects(it.pull(), { code: 'BINDING_MISMATCH' });
  });

  it('when the ref would go back in time and that was to be checked', async (t) => {
    const it = await scene(t);
    await it.pull();
    const old = await publish(it.source, { timestamp: 1_600_000_000, files: { old: 'old' } });
    await assert.rejects(it.pull(['main'], { timestampCheck: true }), { code: 'OLDER_COMMIT' });
    assert.equal(readRef(it.into, ORIGIN, 'main'), it.published.commit);
    await it.pull();
    assert.equal(readRef(it.into, ORIGIN, 'main'), old.commit);
  });

  it('when a signature is required and there is none', async (t) => {
    const it = await scene(t);
    it.into.updateConfig((file) => file.set('remote "origin"', 'gpg-verify', 'true'));
    const before = visible(it.into);
    await assert.rejects(it.pull(), { code: 'SIGNATURE_MISSING' });
    assert.deepEqual(visible(it.into), before);
    assert.deepEqual(objectRequests(it), [
      urlOf(it.published.commit, 'commitmeta'),
      urlOf(it.published.commit, 'commit'),
    ]);
  });

  it('when the summary must be signed and is not', async (t) => {
    const it = await scene(t, { settings: [['gpg-verify-summary', 'true']] });
    await assert.rejects(it.pull(), { code: 'SIGNATURE_MISSING' });
    await summarize(it);
    await assert.rejects(it.pull(), { code: 'SIGNATURE_MISSING' });
  });

  it('when files that are setuid or world-writable are not wanted', async (t) => {
    const it = await scene(t);
    const header = { uid: 0, gid: 0, mode: 0o104755, target: undefined, xattrs: [] };
    await withTransaction(it.source, { signal: SIGNAL }, async ({ writer }) =>
      writer.putFile(header, Buffer.from('su')),
    );
    const [checksum = ''] = Object.values(it.published.files);
    it.server.route(urlOf(checksum, 'filez'), { kind: 'serve', body: suidFile(it) });
    await assert.rejects(it.pull(['main'], { plainModes: true }), { code: 'OBJECT_UNSUITABLE' });
  });

  function suidFile(it: Scene): Buffer {
    const plain = Buffer.from(served(it, urlOf(one(it), 'filez')));
    plain.writeUInt32BE(0o104755, 24); // behind the length word, the size, uid and gid
    return plain;
  }

  for (const [key, value] of [
    ['unconfigured-state', 'subscribe first'],
    ['custom-backend', 'rpm'],
    ['metalink', 'https://example.com/metalink'],
    ['tls-permissive', 'true'],
  ] as const) {
    it(`by a remote with ${key}, which is named`, async (t) => {
      const it = await scene(t, { settings: [[key, value]] });
      await assert.rejects(it.pull(), { code: 'REMOTE_UNSUITABLE', subject: 'origin' });
      assert.equal(it.server.requests.length, 0);
    });
  }
});
