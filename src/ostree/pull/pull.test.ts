import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startHostileServer } from '../../../test/support/hostile-server.ts';
import { isPartial } from '../repository/partial.ts';
import { HEAD, readRef } from '../repository/refs.ts';
import { newRepository, reopened, SIGNAL } from '../repository/repository.fixture.ts';
import type { Repository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { planFromRemote } from './from-remote.ts';
import { DEFAULTS } from './options.ts';
import {
  assertWhole,
  ORIGIN,
  objectRequests,
  publish,
  pullInto,
  scene,
  summarize,
  urlOf,
  visible,
} from './pull.fixture.ts';

describe('a pull over http', () => {
  for (const mode of ['archive', 'bare-user', 'bare-user-only'] as const) {
    it(`brings every object of a commit into a repository of mode ${mode}, and then the ref`, async (t) => {
      const it = await scene(t, { mode });
      const result = await it.pull();
      await assertWhole(it.into, it.published.commit);
      assert.equal(readRef(it.into, ORIGIN, 'main'), it.published.commit);
      assert.deepEqual(result.refs, [{ place: ORIGIN, ref: 'main', from: undefined, to: it.published.commit }]);
      assert.deepEqual([result.metadata, result.content], [4, 4]);
    });
  }

  it('waits for a lock as long as it is told', async (t) => {
    const it = await scene(t);
    const other = reopened(t, it.into.path);
    const held = await other.lock.acquire('exclusive', { signal: SIGNAL });
    await assert.rejects(it.pull(['main'], {}, { timeoutMs: 0 }), { code: 'LOCK_TIMEOUT' });
    held.release();
    await it.pull(['main'], {}, { timeoutMs: 0 });
    await assertWhole(it.into, it.published.commit);
  });

  it('asks for nothing but the ref and the detached metadata when all is there', async (t) => {
    const it = await scene(t);
    await it.pull();
    const before = it.server.requests.length;
    const again = await it.pull();
    const asked = it.server.requests.slice(before).map(({ url }) => url);
    assert.deepEqual(asked, [
      '/summary.sig',
      '/summary',
      '/config',
      '/refs/heads/main',
      urlOf(it.published.commit, 'commitmeta'),
    ]);
    assert.equal(again.commits[0]?.isOld, true);
  });

  it('takes the commit of a ref from the summary, and asks for no ref', async (t) => {
    const it = await scene(t);
    await summarize(it);
    await it.pull();
    assert.deepEqual(it.server.requestsFor('/refs/heads/main'), []);
    await assertWhole(it.into, it.published.commit);
  });

  it('believes a summary that does not list a ref', async (t) => {
    const it = await scene(t);
    await summarize(it);
    await assert.rejects(it.pull(['other']), { code: 'REF_MISSING' });
  });

  it('looks only into directories that differ from the commit before', async (t) => {
    const it = await scene(t);
    await it.pull();
    const files = { one: 'one\n', 'usr/two': 'two\n', 'usr/three': 'three\n', 'etc/four': 'changed\n' };
    const second = await publish(it.source, { files, parent: it.published.commit });
    const before = it.server.requests.length;
    const result = await it.pull();
    await assertWhole(it.into, second.commit);
    assert.deepEqual([result.metadata, result.content], [2, 1]);
    assert.equal(it.server.requests.slice(before).filter(({ url }) => url.startsWith('/objects/')).length, 5);
  });

  it('fetches a commit alone, which stays partial until it is pulled as a whole', async (t) => {
    const it = await scene(t);
    await it.pull(['main'], { commitOnly: true });
    assert.equal(isPartial(it.into, it.published.commit), true);
    assert.deepEqual(objectRequests(it), [
      urlOf(it.published.commit, 'commitmeta'),
      urlOf(it.published.commit, 'commit'),
    ]);
    await it.pull();
    await assertWhole(it.into, it.published.commit);
  });

  it('fetches what subpaths name and nothing beside', async (t) => {
    const it = await scene(t);
    await it.pull(['main'], { subpaths: ['/usr/two', '/etc'] });
    const reader = objectsOf(it.into);
    const has = Object.entries(it.published.files).filter(([, checksum]) => reader.has(checksum, 'file'));
    assert.deepEqual(has.map(([path]) => path).sort(), ['etc/four', 'usr/two']);
    assert.equal(isPartial(it.into, it.published.commit), true);
  });

  it('refuses a subpath that the commit does not have', async (t) => {
    const it = await scene(t);
    await assert.rejects(it.pull(['main'], { subpaths: ['/usr/none'] }), { code: 'PATH_MISSING' });
    assert.equal(readRef(it.into, ORIGIN, 'main'), undefined);
  });

  it('follows parents as deep as it is told, and takes a missing one as the end of history', async (t) => {
    const it = await scene(t);
    const second = await publish(it.source, { parent: it.published.commit, files: { two: '2' } });
    const third = await publish(it.source, { parent: second.commit, files: { three: '3' } });
    const one = await it.pull(['main'], { depth: 1 });
    assert.deepEqual(
      one.commits.map(({ checksum }) => checksum),
      [third.commit, second.commit],
    );
    it.server.route(urlOf(it.published.commit, 'commit'), { kind: 'status', status: 404 });
    const all = await it.pull(['main'], { depth: -1 });
    assert.deepEqual(all.missingParents, [{ checksum: it.published.commit, child: second.commit, isDeleted: false }]);
    await assertWhole(it.into, second.commit);
  });

  it('writes refs as the remote has them, and the summary, when it mirrors', async (t) => {
    const it = await scene(t, { mode: 'archive' });
    await publish(it.source, { ref: 'other/ref', files: { x: 'x' } });
    await summarize(it);
    await it.pull([], { mirror: true });
    for (const ref of ['main', 'other/ref']) assert.equal(readRef(it.into, HEAD, ref), readRef(it.source, HEAD, ref));
    const summary = (repository: Repository): Buffer => readFileSync(join(repository.path, 'summary'));
    assert.deepEqual(summary(it.into), summary(it.source));
  });

  it('keeps the bytes of files as they came when it mirrors', async (t) => {
    const it = await scene(t, { mode: 'archive' });
    await it.pull();
    const path = urlOf(it.published.files['one'] ?? '', 'filez');
    assert.deepEqual(readFileSync(join(it.into.path, path)), readFileSync(join(it.source.path, path)));
  });

  it('gets objects from contenturl and refs from url', async (t) => {
    const it = await scene(t);
    const other = await scene(t);
    const settings = [
      ['url', it.server.url],
      ['contenturl', other.server.url],
      ['gpg-verify', 'false'],
    ] as const;
    it.into.updateConfig((file) => {
      for (const [key, value] of settings) file.set('remote "origin"', key, value);
    });
    await it.pull();
    assert.deepEqual(objectRequests(it), [urlOf(it.published.commit, 'commitmeta')]);
    assert.ok(objectRequests(other).includes(urlOf(it.published.commit, 'commit')));
    await assertWhole(it.into, it.published.commit);
  });

  it('passes over mirrors of a list that have no repository', async (t) => {
    const it = await scene(t);
    const list = `# mirrors\n${it.server.url}/none\n${it.server.url}\n`;
    it.server.route('/list', { kind: 'serve', body: list });
    await it.pull(['main'], {}, { url: `mirrorlist=${it.server.url}/list` });
    await assertWhole(it.into, it.published.commit);
  });

  it('passes over mirrors of a list that are for other clients', async (t) => {
    const it = await scene(t);
    it.server.route('/list', { kind: 'serve', body: `rsync://127.0.0.1/x\nnonsense\n${it.server.url}\n` });
    await it.pull(['main'], {}, { url: `mirrorlist=${it.server.url}/list` });
    await assertWhole(it.into, it.published.commit);
  });

  it('sends what the user adds to the servers that are configured, not to those of a list', async (t) => {
    const it = await scene(t);
    const lists = await startHostileServer({
      files: new Map([['/list', it.server.url]]),
    });
    t.after(() => lists.close());
    await it.pull(['main'], {}, { url: `mirrorlist=${lists.url}/list`, headers: { 'x-token': 'secret' } });
    assert.equal(lists.requestsFor('/list')[0]?.headers['x-token'], 'secret');
    assert.deepEqual([...new Set(it.server.requests.map(({ headers }) => headers['x-token']))], [undefined]);
  });

  it('takes objects from a repository on this machine when it has them, verified', async (t) => {
    const it = await scene(t);
    await it.pull(['main'], { caches: [it.source.path] });
    assert.deepEqual(objectRequests(it), [
      urlOf(it.published.commit, 'commitmeta'),
      urlOf(it.published.commit, 'commit'),
    ]);
    await assertWhole(it.into, it.published.commit);
  });

  it('sends headers that it is given, and cookies of the remote', async (t) => {
    const it = await scene(t);
    const line = ['127.0.0.1', 'FALSE', '/', 'FALSE', '0', 'token', 'secret'].join('\t');
    writeFileSync(join(it.into.path, 'origin.cookies.txt'), `${line}\n`);
    await it.pull(['main'], {}, { headers: { 'x-tenant': 'a' } });
    for (const { headers } of it.server.requests) {
      assert.deepEqual([headers['x-tenant'], headers['cookie']], ['a', 'token=secret']);
    }
  });

  it('plans without storing anything', async (t) => {
    const it = await scene(t);
    const before = visible(it.into);
    const access = { http: { userAgent: 'test' }, signal: SIGNAL };
    const asked = [{ ref: 'main', commit: undefined }];
    const [planned] = await planFromRemote(it.into, 'origin', { ...DEFAULTS, asked }, access);
    assert.deepEqual([planned?.to, planned?.isOld, planned?.bytes], [it.published.commit, false, undefined]);
    assert.deepEqual(visible(it.into), before);
  });
});

describe('a cached summary', () => {
  it('is used as long as the signature is the same, and not when it was changed on the disk', async (t) => {
    const it = await scene(t);
    await summarize(it);
    writeFileSync(join(it.source.path, 'summary.sig'), '');
    await it.pull();
    await it.pull();
    assert.equal(it.server.requestsFor('/summary').length, 1);
    rmSync(join(it.into.path, 'tmp/cache/summaries/origin'));
    await it.pull();
    assert.equal(it.server.requestsFor('/summary').length, 2);
  });

  for (const [damage, content] of [
    ['empty', ''],
    ['cut off', 'x'],
  ] as const) {
    it(`that is ${damage} after a power cut is fetched again, once`, async (t) => {
      const it = await scene(t);
      await summarize(it);
      writeFileSync(join(it.source.path, 'summary.sig'), '');
      await it.pull();
      writeFileSync(join(it.into.path, 'tmp/cache/summaries/origin'), content);
      await it.pull();
      await it.pull();
      assert.equal(it.server.requestsFor('/summary').length, 2);
    });
  }
});

describe('two repositories that pull from each other', () => {
  it('do not share what they are told about remotes', async (t) => {
    const into = newRepository(t, 'bare-user');
    await assert.rejects(pullInto(into)(['main']), { code: 'REMOTE_UNKNOWN' });
  });
});
