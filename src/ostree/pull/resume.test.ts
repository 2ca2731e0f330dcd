import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { codeOf } from '../../base/error.ts';
import { assertWhole, noise, type Scene, scene, urlOf } from './pull.fixture.ts';

describe('a pull that was broken off', () => {
  it('does not fetch again what it had received', async (t) => {
    const it = await scene(t);
    const lost = it.published.files['etc/four'] ?? '';
    it.server.route(urlOf(lost, 'filez'), { kind: 'status', status: 404 });
    await assert.rejects(it.pull(), { code: 'OBJECT_MISSING' });
    it.server.route(urlOf(lost, 'filez'), []);
    const before = it.server.requests.length;
    await it.pull();
    const again = it.server.requests
      .slice(before)
      .map(({ url }) => url)
      .filter((url) => url.endsWith('dirtree'));
    assert.deepEqual(again, []);
    await assertWhole(it.into, it.published.commit);
  });

  const large = async (t: TestContext, mode: 'archive' | 'bare-user'): Promise<Scene & { readonly path: string }> => {
    const it = await scene(t, { mode, shape: { files: { large: noise(5 * 2 ** 20) } } });
    return { ...it, path: urlOf(it.published.files['large'] ?? '', 'filez') };
  };

  for (const mode of ['archive', 'bare-user'] as const) {
    it(`carries on with a large file where it stopped, into mode ${mode}`, async (t) => {
      const it = await large(t, mode);
      it.server.route(it.path, [
        { kind: 'serve' }, // given up by its length
        { kind: 'serve' }, // HEAD
        { kind: 'truncate', after: 2 ** 20 },
        { kind: 'status', status: 500 },
      ]);
      await assert.rejects(it.pull(), { code: 'HTTP_UNAVAILABLE' });
      it.server.route(it.path, []);
      await it.pull();
      const ranges = it.server.requestsFor(it.path).map(({ headers }) => headers.range);
      const last = /^bytes=([0-9]+)-$/.exec(ranges.at(-1) ?? '')?.[1] ?? '0';
      assert.ok(Number(last) >= 2 ** 19, `resumed at ${last}`);
      await assertWhole(it.into, it.published.commit);
    });
  }

  it('leaves no part of a large file that turns out to be another one', async (t) => {
    const it = await large(t, 'bare-user');
    it.server.route(it.path, {
      kind: 'serve',
      body: Buffer.concat([readFileSync(join(it.source.path, it.path)).subarray(0, -9), noise(9)]),
    });
    await assert.rejects(it.pull(), (error) => codeOf(error)?.startsWith('OBJECT_') === true);
    it.server.route(it.path, []);
    await it.pull();
    await assertWhole(it.into, it.published.commit);
  });
});
