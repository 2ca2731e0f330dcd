import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { type Descriptor, digestOf, MEDIA, parseManifest, type RawManifest, rawManifest } from '../../oci/index.ts';
import { referrersTag } from '../index.ts';
import { bench, never } from '../registry.fixture.ts';
import { nextPage } from './pages.ts';

const SUBJECT = rawManifest(Buffer.from('{"schemaVersion":2,"layers":[]}'), MEDIA.ociManifest);

function referrer(artifactType: string, subject = SUBJECT): { raw: RawManifest; descriptor: Descriptor } {
  const of = { mediaType: subject.mediaType, digest: subject.digest, size: subject.bytes.length };
  const content = { schemaVersion: 2, mediaType: MEDIA.ociManifest, artifactType, layers: [], subject: of };
  const raw = rawManifest(Buffer.from(JSON.stringify(content)));
  return { raw, descriptor: { mediaType: raw.mediaType, digest: raw.digest, size: raw.bytes.length, artifactType } };
}

describe('the tags of a repository', () => {
  it('are gathered from all pages', async (t) => {
    const { server, repository } = await bench(t, { server: { pageSize: 2 } });
    for (const tag of ['a', 'b', 'c', 'd', 'e']) server.store.addManifest('team/app', '{}', MEDIA.ociManifest, tag);
    assert.deepEqual(await repository.listTags(never), ['a', 'b', 'c', 'd', 'e']);
    assert.equal(server.requestsFor('/tags/list').length, 3);
    assert.match(server.requests[0]?.url ?? '', /\?n=1000$/);
  });

  it('may be none, and null', async (t) => {
    const { server, repository } = await bench(t);
    server.fault({ path: '/tags/' }, { kind: 'status', status: 200, body: '{"name":"a","tags":null}' });
    assert.deepEqual(await repository.listTags(never), []);
  });

  for (const [what, body, headers] of [
    ['are no JSON', '<html>', {}],
    ['are no list', '{"tags":{}}', {}],
    ['have a name that no tag has', '{"tags":["a\\u001b[2J"]}', {}],
    ['nest without end', `{"tags":[${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}]}`, {}],
    ['go on at another host', '{"tags":["a"]}', { link: '<http://127.0.0.1:1/v2/x>; rel="next"' }],
    ['go on at the same page for ever', '{"tags":["a"]}', { link: '</v2/team/app/tags/list?n=1000>; rel="next"' }],
  ] as const) {
    it(`that ${what} are refused`, async (t) => {
      const { server, repository } = await bench(t);
      server.fault({ path: '/tags/' }, { kind: 'status', status: 200, body, headers: { ...headers } });
      await assert.rejects(repository.listTags(never), { code: 'REGISTRY_PROTOCOL' });
    });
  }

  it('may not fill the memory, on however many pages', async (t) => {
    const { server, repository } = await bench(t);
    const body = JSON.stringify({ tags: Array.from({ length: 25_000 }, (_, i) => `${'t'.repeat(120)}${i}`) });
    let page = 0;
    const handle = (_: IncomingMessage, response: ServerResponse): void => {
      page++;
      response.writeHead(200, { link: `</v2/team/app/tags/list?n=1000&last=${page}>; rel="next"` }).end(body);
    };
    server.fault({ path: '/tags/' }, { kind: 'custom', handle });
    await assert.rejects(repository.listTags(never), { code: 'REGISTRY_PROTOCOL' });
    assert.ok(page < (64 * 2 ** 20) / body.length + 2, `${page} pages`);
  });

  it('on pages without any are not asked for without end', async (t) => {
    const { server, repository } = await bench(t);
    let page = 0;
    const handle = (_: IncomingMessage, response: ServerResponse): void => {
      page++;
      response.writeHead(200, { link: `</v2/team/app/tags/list?n=1000&last=${page}>; rel="next"` }).end('{"tags":[]}');
    };
    server.fault({ path: '/tags/' }, { kind: 'custom', handle });
    await assert.rejects(repository.listTags(never), { code: 'REGISTRY_PROTOCOL' });
    assert.equal(page, 1000);
  });

  it('of a repository that is not there are an error', async (t) => {
    const { repository } = await bench(t);
    await assert.rejects(repository.listTags(never), { code: 'REGISTRY_NOT_FOUND' });
  });

  it('have their next page in any of the forms of a Link header', () => {
    assert.equal(nextPage('</a?b=c>; rel="next"'), '/a?b=c');
    assert.equal(nextPage('<x>; rel=prev, <y>;rel=next'), 'y');
    assert.equal(nextPage('<x>; title="a"; rel="last next"'), 'x');
    for (const none of [undefined, '', '<x>', '<x>; rel="nextish"', '<x>; rel=prev'])
      assert.equal(nextPage(none), undefined);
  });
});

describe('referrers', () => {
  it('are listed by the registry that knows them, by type and over pages', async (t) => {
    const { server, repository } = await bench(t, { server: { pageSize: 1 } });
    await repository.putManifest(SUBJECT, 'v1', never);
    const all = [referrer('a/signature'), referrer('a/sbom')];
    for (const { raw, descriptor } of all) {
      await repository.putManifest(raw, raw.digest, never);
      await repository.addReferrer(SUBJECT.digest, descriptor, never);
    }
    assert.deepEqual(
      (await repository.referrers(SUBJECT.digest, undefined, never)).map(({ digest }) => digest).sort(),
      all.map(({ descriptor }) => descriptor.digest).sort(),
    );
    const signatures = await repository.referrers(SUBJECT.digest, 'a/signature', never);
    assert.deepEqual(
      signatures.map(({ digest, size }) => [digest, size]),
      [[all[0]?.descriptor.digest, all[0]?.descriptor.size]],
    );
    assert.deepEqual([...server.store.repository('team/app').tags.keys()], ['v1']);
  });

  it('are kept under a tag where the registry does not know them', async (t) => {
    const { server, repository } = await bench(t, { server: { referrers: false } });
    await repository.putManifest(SUBJECT, 'v1', never);
    const all = [referrer('a/signature'), referrer('a/sbom')];
    for (const { raw, descriptor } of [...all, ...all]) {
      await repository.putManifest(raw, raw.digest, never);
      await repository.addReferrer(SUBJECT.digest, descriptor, never);
    }
    const found = await repository.referrers(SUBJECT.digest, undefined, never);
    assert.deepEqual(
      found.map(({ digest, artifactType }) => [digest, artifactType]),
      [
        [all[0]?.descriptor.digest, 'a/signature'],
        [all[1]?.descriptor.digest, 'a/sbom'],
      ],
    );
    assert.equal((await repository.referrers(SUBJECT.digest, 'a/sbom', never)).length, 1);
    const tag = `sha256-${SUBJECT.digest.slice(7)}`;
    assert.ok(server.store.repository('team/app').tags.has(tag));
    assert.equal((await repository.getManifest(tag, never)).mediaType, MEDIA.ociIndex);
    await repository.removeReferrer(SUBJECT.digest, all[0]?.descriptor.digest ?? 'sha256:', never);
    assert.equal((await repository.referrers(SUBJECT.digest, undefined, never)).length, 1);
  });

  it('added to an index leave everything else in it as it was', async (t) => {
    const { server, repository } = await bench(t, { server: { referrers: false } });
    const known = { mediaType: MEDIA.ociManifest, digest: digestOf(Buffer.from('x')), size: 1, future: [1] };
    const index = {
      schemaVersion: 2,
      mediaType: MEDIA.ociIndex,
      manifests: [known],
      annotations: { a: 'b' },
      later: 1,
    };
    server.store.addManifest('team/app', 'x', MEDIA.ociManifest);
    server.store.addManifest('team/app', JSON.stringify(index), MEDIA.ociIndex, referrersTag(SUBJECT.digest));
    const { raw, descriptor } = referrer('a/b');
    await repository.putManifest(raw, raw.digest, never);
    await repository.addReferrer(SUBJECT.digest, descriptor, never);
    const stored = await repository.getManifest(referrersTag(SUBJECT.digest), never);
    const document = JSON.parse(Buffer.from(stored.bytes).toString());
    assert.deepEqual({ ...document, manifests: document.manifests.slice(0, 1) }, index);
    const parsed = parseManifest(stored);
    assert.equal(parsed.kind === 'index' && parsed.manifests.length, 2);
  });

  it('of a subject that is missing are none, with the API and without', async (t) => {
    for (const referrers of [true, false]) {
      const { server, repository } = await bench(t, { server: { referrers } });
      server.store.repository('team/app');
      assert.deepEqual(await repository.referrers(SUBJECT.digest, undefined, never), []);
    }
  });

  it('in a page of HTML are none', async (t) => {
    const { server, repository } = await bench(t);
    const page = { kind: 'status', status: 200, body: '<html>', headers: { 'content-type': 'text/html' } } as const;
    server.fault({ path: '/referrers/' }, page);
    assert.deepEqual(await repository.referrers(SUBJECT.digest, undefined, never), []);
  });

  it('have a tag that any registry takes', () => {
    assert.equal(referrersTag(`sha256:${'a'.repeat(64)}`), `sha256-${'a'.repeat(64)}`);
    assert.equal(referrersTag(`sha512:${'b'.repeat(128)}`), `sha512-${'b'.repeat(64)}`);
  });
});
