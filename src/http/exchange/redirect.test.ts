import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Certificates, makeCertificates } from '../../../test/support/certificates.ts';
import { type HostileServer, startHostileServer } from '../../../test/support/hostile-server.ts';
import { bench, IMAGE, never, sink } from '../client.fixture.ts';

describe('a redirect', () => {
  const b = bench();
  let other: HostileServer;
  let secure: HostileServer;
  let certificates: Certificates;
  before(async () => {
    certificates = makeCertificates();
    other = await startHostileServer({ files: new Map([['/manifest', 'other']]) });
    secure = await startHostileServer({ tls: { cert: certificates.serverCert, key: certificates.serverKey } });
  });
  after(async () => {
    await Promise.all([other.close(), secure.close()]);
    certificates.remove();
  });
  const get = (url: string, settings = {}) => b.client(settings).getDocument(url, { limit: 100, signal: never });
  const withPassword = (path: string) => `${b.server.url.replace('//', '//user:pass@')}${path}`;

  for (const status of [301, 302, 303, 307, 308]) {
    it(`with status ${status} is followed, and the final address is told`, async () => {
      b.server.route('/moved', { kind: 'redirect', to: '/manifest', status });
      const found = await get(`${b.server.url}/moved`);
      assert.equal(found.kind === 'document' && found.url, `${b.server.url}/manifest`);
    });
  }

  it('to another host does not take the credentials along, and one back does not bring them back', async () => {
    b.server.route('/out', { kind: 'redirect', to: `${other.url}/back` });
    other.route('/back', { kind: 'redirect', to: `${b.server.url}/manifest?back` });
    await get(withPassword('/out'));
    assert.match(b.server.requestsFor('/out')[0]?.headers.authorization ?? '', /^Basic /);
    assert.equal(other.requestsFor('/back')[0]?.headers.authorization, undefined);
    assert.equal(b.server.requests.find(({ url }) => url.endsWith('?back'))?.headers.authorization, undefined);
  });

  it('to another host takes no header along that the caller added, whatever its name', async () => {
    b.server.route('/token', { kind: 'redirect', to: `${other.url}/token` });
    other.route('/token', { kind: 'serve', body: 'x' });
    const headers = { 'PRIVATE-TOKEN': 's', 'x-api-key': 's', cookie: 's', accept: 'text/plain' };
    await b.client().getDocument(`${b.server.url}/token`, { limit: 100, headers, signal: never });
    const [sent, leaked] = [b.server, other].map((server) => server.requestsFor('/token')[0]?.headers);
    assert.deepEqual([sent?.['private-token'], sent?.['x-api-key']], ['s', 's']);
    assert.deepEqual([leaked?.['private-token'], leaked?.['x-api-key'], leaked?.cookie], Array(3).fill(undefined));
    assert.equal(leaked?.accept, 'text/plain');
  });

  it('on the same host takes the credentials along', async () => {
    b.server.route('/near', { kind: 'redirect', to: '/manifest?near' });
    await get(withPassword('/near'));
    const { headers } = b.server.requests.find(({ url }) => url.endsWith('?near')) ?? assert.fail('no request');
    assert.equal(headers.authorization, `Basic ${Buffer.from('user:pass').toString('base64')}`);
  });

  it('does not make up credentials', async () => {
    b.server.route('/made-up', { kind: 'redirect', to: `${other.url.replace('//', '//a:b@')}/manifest` });
    await get(`${b.server.url}/made-up`);
    assert.equal(other.requestsFor('/manifest').at(-1)?.headers.authorization, undefined);
  });

  it('may be one of ten, not of eleven', async () => {
    b.server.route('/hop/0', { kind: 'redirect', to: '/manifest' });
    for (let i = 1; i <= 10; i++) b.server.route(`/hop/${i}`, { kind: 'redirect', to: `/hop/${i - 1}` });
    assert.equal((await get(`${b.server.url}/hop/9`)).kind, 'document');
    await assert.rejects(get(`${b.server.url}/hop/10`), { code: 'HTTP_REDIRECT' });
  });

  it('in a circle is refused as soon as it closes', async () => {
    b.server.route('/circle/a', { kind: 'redirect', to: '/circle/b' });
    b.server.route('/circle/b', { kind: 'redirect', to: '/circle/a' });
    await assert.rejects(get(`${b.server.url}/circle/a`), { code: 'HTTP_REDIRECT' });
    assert.equal(b.server.requestsFor('/circle/a').length, 1);
  });

  for (const [where, to] of [
    ['a file', 'file:///etc/passwd'],
    ['ftp', 'ftp://127.0.0.1/x'],
    ['data', 'data:text/plain,x'],
    ['nonsense', 'http://[::1/'],
  ] as const) {
    it(`to ${where} is refused`, async () => {
      b.server.route('/away', { kind: 'redirect', to });
      await assert.rejects(get(`${b.server.url}/away`), { code: 'HTTP_REDIRECT' });
    });
  }

  it('without a Location is refused', async () => {
    b.server.route('/nowhere', { kind: 'status', status: 302 });
    await assert.rejects(get(`${b.server.url}/nowhere`), { code: 'HTTP_REDIRECT' });
  });

  it('from https to http is refused before anything is sent there', async () => {
    secure.route('/down', { kind: 'redirect', to: `${other.url}/plain` });
    await assert.rejects(get(`${secure.url}/down`, { caFile: certificates.ca }), { code: 'HTTP_REDIRECT' });
    assert.equal(other.requestsFor('/plain').length, 0);
  });

  it('from http to https is followed', async () => {
    secure.route('/up', { kind: 'serve', body: 'x' });
    b.server.route('/up', { kind: 'redirect', to: `${secure.url}/up` });
    const found = await get(`${b.server.url}/up`, { caFile: certificates.ca });
    assert.equal(found.kind === 'document' && found.url, `${secure.url}/up`);
  });

  it('with an endless body is followed without receiving that', async () => {
    b.server.route('/chatty', {
      kind: 'custom',
      handle: (_, response) => {
        response.writeHead(302, { location: '/manifest' });
        const timer = setInterval(() => response.write(Buffer.alloc(2048)), 1);
        response.once('close', () => clearInterval(timer));
      },
    });
    assert.equal((await get(`${b.server.url}/chatty`)).kind, 'document');
  });

  it('takes the range of a resumed download along', async () => {
    b.server.route('/image-moved', { kind: 'redirect', to: '/image' });
    const target = sink(IMAGE.subarray(0, 9));
    await b
      .client()
      .download(`${b.server.url}/image-moved`, { ...target, size: IMAGE.length, offset: 9, signal: never });
    assert.ok(target.content().equals(IMAGE));
  });

  it('does not turn an upload into a download', async () => {
    b.server.route('/upload', { kind: 'redirect', to: '/manifest', status: 302 });
    const pending = b
      .client()
      .request(`${b.server.url}/upload`, { method: 'POST', body: Buffer.from('x'), signal: never });
    await assert.rejects(pending, { code: 'HTTP_REDIRECT' });
  });
});
