import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { makeCertificates } from '../support/certificates.ts';
import { withSmallDisk } from '../support/full-disk.ts';
import { type HostileServer, startHostileServer } from '../support/hostile-server.ts';
import { needs } from '../support/needs.ts';
import { type Nginx, type NginxOptions, startNginx } from '../support/nginx.ts';
import { runTako, startTako } from '../support/program.ts';
import {
  ALICE,
  apply,
  BERTA,
  closedOrigin,
  configure,
  type ErrorDocument,
  editState,
  type FetchResult,
  fetch,
  fetched,
  fetchInTurn,
  holdLock,
  type Images,
  linked,
  MALLORY,
  manifestOf,
  newPlace,
  noise,
  type Place,
  partOf,
  provision,
  publish,
  put,
  readState,
  sealLines,
  sha256,
  sizeOf,
  store,
  stored,
  takoJson,
  tree,
  until,
} from './support.ts';

const ONE: Images = { '1.0': 'one\n' };
const TWO: Images = { ...ONE, '1.1': 'two\n' };
const THREE: Images = { ...TWO, '2.0': 'three\n' };

async function nginx(t: TestContext, place: Place, options: Omit<NginxOptions, 'root'> = {}): Promise<Nginx> {
  const server = await startNginx({ root: place.server, ...options });
  t.after(() => server.stop());
  return server;
}
/** A server in this process, over the publisher's directory. */
async function serve(t: TestContext, place: Place): Promise<HostileServer> {
  const server = await startHostileServer({ files: place.server });
  t.after(() => server.close());
  return server;
}
function imagePath(content: string | Uint8Array): string {
  return `/store/${sha256(content)}`;
}
/** A host with these versions fetched one after the other, the last one linked. */
async function hostWith(t: TestContext, images: Images, settings: Parameters<typeof configure>[1] = {}) {
  const place = newPlace(t);
  const config = configure(place, settings);
  await fetchInTurn(place, config, images);
  return { place, config };
}
const versionsOf = (images: Images, ...versions: string[]): string[] =>
  versions.map((version) => sha256(images[version] ?? '')).sort();

describe('a fetch from nginx', { skip: needs('nginx'), concurrency: 3 }, () => {
  it('installs, sees by a conditional request that nothing is new, and updates', async (t) => {
    const place = newPlace(t);
    publish(place.server, ONE);
    const server = await nginx(t, place);
    const config = configure(place, { origin: server.url });
    assert.equal((await fetched(config)).outcome, 'updated');
    assert.equal(linked(place.destination), 'one\n');
    const before = tree(place.destination, { own: false, exact: true });
    assert.equal((await fetched(config)).outcome, 'unchanged');
    assert.deepEqual(tree(place.destination, { own: false, exact: true }), before, 'nothing is rewritten');
    publish(place.server, TWO);
    const result = await fetched(config);
    assert.deepEqual([result.outcome, result.previousVersion, result.version], ['updated', '1.0', '1.1']);
    assert.equal(linked(place.destination), 'two\n');
    assert.deepEqual(
      server.accessLog().map((line) => line.split(' ').slice(0, 3).join(' ')),
      [
        'GET /manifest 200',
        `GET ${imagePath('one\n')} 200`,
        'GET /manifest 304',
        'GET /manifest 200',
        `GET ${imagePath('two\n')} 200`,
      ],
    );
    assert.match(server.accessLog()[0] ?? '', /"tako\/[0-9.]+"$/);
  });

  it('over https trusts a private authority only when it is named', { skip: needs('openssl') }, async (t) => {
    const place = newPlace(t);
    publish(place.server, ONE);
    const certificates = makeCertificates();
    t.after(() => certificates.remove());
    const { ca, serverCert, serverKey, wrongNameCert, wrongNameKey } = certificates;
    const server = await nginx(t, place, { tls: { cert: serverCert, key: serverKey } });
    const config = configure(place, { origin: server.url });
    const { status, code, result } = await fetch(config);
    assert.deepEqual([status, code, linked(place.destination)], [1, 'HTTP_TLS', undefined]);
    assert.match(result.error?.hint ?? '', /--cacert /, 'the hint names an option that there is');
    await fetched(config, ['--cacert', ca]);
    assert.equal(linked(place.destination), 'one\n');
    await fetched(config, [], { env: { SSL_CERT_FILE: ca } });

    const elsewhere = await nginx(t, place, { tls: { cert: wrongNameCert, key: wrongNameKey } });
    const wrong = await fetch(configure(place, { origin: elsewhere.url }), ['--cacert', ca]);
    assert.deepEqual([wrong.status, wrong.code], [1, 'HTTP_TLS'], 'a certificate of another name');
  });

  it('shows its certificate to a server that demands one', { skip: needs('openssl') }, async (t) => {
    const place = newPlace(t);
    publish(place.server, ONE);
    const certificates = makeCertificates();
    t.after(() => certificates.remove());
    const { ca, clientCert, clientKey, serverCert, serverKey } = certificates;
    const server = await nginx(t, place, { tls: { cert: serverCert, key: serverKey, clientCa: ca } });
    const config = configure(place, { origin: server.url });
    const without = await fetch(config, ['--cacert', ca]);
    assert.equal(without.status, 1);
    await fetched(config, ['--cacert', ca, '--cert', clientCert, '--cert-key', clientKey]);
    assert.equal(linked(place.destination), 'one\n');
  });

  it('resumes a download that was killed: the server sends the rest and no more', async (t) => {
    const place = newPlace(t);
    const content = noise(6 << 20);
    publish(place.server, { '1.0': content });
    const server = await nginx(t, place, { extraServer: 'limit_rate 8m;' });
    const config = configure(place, { origin: server.url });
    const first = startTako(['fetch', config]);
    await until('a part', () => sizeOf(partOf(place.destination, content)) > 1 << 20);
    first.kill('SIGKILL');
    await first.done;
    const part = sizeOf(partOf(place.destination, content));
    assert.equal(linked(place.destination), undefined);
    const result = await fetched(config);
    assert.equal(result.bytes, content.length - part);
    const last = server.accessLog().at(-1)?.split(' ') ?? [];
    assert.deepEqual([last[2], last[3], last[4]], ['206', String(content.length - part), `"bytes=${part}-"`]);
    assert.equal(linked(place.destination), content.toString('latin1'));
    assert.deepEqual(fs.readdirSync(join(place.destination, 'store')), [sha256(content)], 'no part is left');
  });

  describe('that answers 410 for what was withdrawn', () => {
    const gone = { extraServer: 'location /store/ { try_files $uri =410; }' };
    const withdraw = (place: Place, ...contents: string[]): void => {
      for (const content of contents) fs.rmSync(join(place.server, imagePath(content)));
    };

    it('takes the next older version', async (t) => {
      const place = newPlace(t);
      publish(place.server, THREE);
      withdraw(place, 'three\n');
      const server = await nginx(t, place, gone);
      const { status, result, stderr } = await fetch(configure(place, { origin: server.url }));
      assert.deepEqual([status, result.version, result.newestVersion], [0, '1.1', '2.0']);
      assert.match(stderr, /2\.0.*withdrawn/);
      assert.equal(linked(place.destination), 'two\n');
    });
    it('stays at the current version rather than go below it', async (t) => {
      const place = newPlace(t);
      provision(place.destination, TWO, '1.1');
      publish(place.server, THREE);
      withdraw(place, 'three\n', 'two\n');
      const server = await nginx(t, place, gone);
      const config = configure(place, { origin: server.url });
      assert.equal((await fetched(config)).outcome, 'unchanged');
      put(join(place.destination, imagePath('two\n')), 'TWO\n', 0o444);
      const damaged = await fetch(config);
      assert.deepEqual(
        [damaged.status, damaged.result.outcome],
        [0, 'no-candidate'],
        'not even when it is damaged here',
      );
      assert.deepEqual(stored(place.destination).includes(sha256('one\n')), true);
      assert.notEqual(fs.readlinkSync(join(place.destination, 'latest')), `store/${sha256('one\n')}`);
    });
    it('has no candidate when all are gone, which is an error for --init alone', async (t) => {
      const place = newPlace(t);
      publish(place.server, TWO);
      withdraw(place, 'one\n', 'two\n');
      const server = await nginx(t, place, gone);
      const config = configure(place, { origin: server.url });
      const plain = await fetch(config);
      assert.deepEqual([plain.status, plain.result.outcome, linked(place.destination)], [0, 'no-candidate', undefined]);
      const init = await fetch(config, ['--init']);
      assert.deepEqual([init.status, init.code], [1, 'NO_CANDIDATE']);
    });
    it('falls back for no other status: an image that is not found is an error', async (t) => {
      const place = newPlace(t);
      publish(place.server, TWO);
      withdraw(place, 'two\n');
      const server = await nginx(t, place);
      const { status, code } = await fetch(configure(place, { origin: server.url }));
      assert.deepEqual([status, code, linked(place.destination)], [1, 'HTTP_NOT_FOUND', undefined]);
    });
  });
});

describe('a fetch without a candidate', { concurrency: 3 }, () => {
  it('succeeds, says what is published, and touches neither store/ nor latest', async (t) => {
    const place = newPlace(t);
    publish(place.server, TWO);
    const { status, result, stderr } = await fetch(configure(place, { version: '3.*' }));
    assert.deepEqual([status, result.outcome, result.version], [0, 'no-candidate', null]);
    assert.match(stderr, /1\.0, 1\.1/);
    assert.deepEqual(Object.keys(tree(place.destination, { own: false })), ['.', 'manifest']);
  });
  it('keeps what is linked when the pattern was changed to one that matches nothing', async (t) => {
    const { place } = await hostWith(t, ONE);
    await fetched(configure(place, { version: '3.*' }));
    assert.equal(linked(place.destination), 'one\n');
  });
  it('goes to an older version when the pattern was changed to one that only that matches', async (t) => {
    const { place } = await hostWith(t, TWO);
    assert.equal((await fetched(configure(place, { version: '1.0' }))).version, '1.0');
    assert.equal(linked(place.destination), 'one\n');
  });
  it('fails with --init', async (t) => {
    const place = newPlace(t);
    publish(place.server, TWO);
    const { status, code } = await fetch(configure(place, { version: '3.*' }), ['--init']);
    assert.deepEqual([status, code], [1, 'NO_CANDIDATE']);
  });
});

describe('mirrors', { concurrency: 3 }, () => {
  /** Two servers with the same content, the first of which is about to fail. */
  async function pair(t: TestContext, images: Images = TWO) {
    const place = newPlace(t);
    publish(place.server, images);
    const [bad, good] = [await serve(t, place), await serve(t, place)];
    const config = configure(place, { origin: [bad.url, good.url] });
    return { place, bad, good, config };
  }

  it('are asked in their order, and the second not at all when the first is well', async (t) => {
    const { good, config } = await pair(t);
    await fetched(config);
    assert.deepEqual(good.requests, []);
  });
  it('stand in for one that cannot be reached, with a warning', async (t) => {
    const { place, bad, config } = await pair(t);
    await bad.close();
    const { status, stderr } = await fetch(config);
    assert.deepEqual([status, linked(place.destination)], [0, 'two\n']);
    assert.match(stderr, new RegExp(bad.url));
  });
  it('stand in for a stale one: its older manifest is skipped', async (t) => {
    const { place, bad, config } = await pair(t);
    provision(place.destination, TWO, '1.0');
    publish(place.server, THREE);
    bad.route('/manifest', { kind: 'serve', body: manifestOf(ONE) });
    const { status, stderr } = await fetch(config);
    assert.deepEqual([status, linked(place.destination)], [0, 'three\n']);
    assert.match(stderr, new RegExp(`${bad.url}.*older`));
  });
  for (const [title, body] of [
    ['damaged', manifestOf(TWO).subarray(0, -20)],
    ['signed by nobody we know', manifestOf(TWO, MALLORY)],
    ['an error page', Buffer.from('<html>sorry</html>')],
  ] as const) {
    it(`stand in for one whose manifest is ${title}`, async (t) => {
      const { place, bad, good, config } = await pair(t);
      bad.route('/manifest', { kind: 'serve', body });
      const { status, stderr } = await fetch(config);
      assert.deepEqual([status, linked(place.destination)], [0, 'two\n']);
      assert.match(stderr, new RegExp(bad.url));
      assert.equal(good.requestsFor('/manifest').length, 1);
    });
  }
  for (const [title, behaviour] of [
    ['other bytes', { kind: 'serve', body: 'TWO\n' }],
    ['fewer bytes', { kind: 'serve', body: 'two' }],
    ['more bytes', { kind: 'chunked', body: 'two\ntwo\n' }],
    ['an error', { kind: 'status', status: 404 }],
  ] as const) {
    it(`stand in for one that serves ${title} under the name of the image`, async (t) => {
      const { place, bad, good, config } = await pair(t);
      bad.route(imagePath('two\n'), behaviour);
      const { status, stderr } = await fetch(config);
      assert.deepEqual([status, linked(place.destination)], [0, 'two\n']);
      assert.match(stderr, new RegExp(bad.url));
      assert.equal(good.requestsFor(imagePath('two\n')).length, 1);
    });
  }
  it('that break off in the middle of an image are carried on by the next one', async (t) => {
    const content = noise(300_000);
    const { place, bad, good, config } = await pair(t, { '1.0': content });
    bad.route(imagePath(content), { kind: 'truncate', after: 100_000 });
    await fetched(config, ['--retry', '0']);
    assert.equal(linked(place.destination), content.toString('latin1'));
    assert.equal(good.requestsFor(imagePath(content))[0]?.headers.range, 'bytes=100000-');
  });
  it('that gave a damaged beginning cost one more download, not the image', async (t) => {
    const content = noise(300_000);
    const { place, bad, config } = await pair(t, { '1.0': content });
    const wrong = Buffer.from(content);
    wrong[50] = (wrong[50] ?? 0) ^ 1;
    bad.route(imagePath(content), { kind: 'truncate', after: 100_000, body: wrong });
    await fetched(config, ['--retry', '0']);
    assert.equal(linked(place.destination), content.toString('latin1'));
  });

  it('that all fail end the run with the gravest of their errors', async (t) => {
    const { bad, good, config } = await pair(t);
    good.route('/manifest', { kind: 'status', status: 404 });
    bad.route('/manifest', { kind: 'serve', body: manifestOf(TWO, MALLORY) });
    const refused = await fetch(config);
    assert.deepEqual([refused.status, refused.code], [3, 'INVALID_SIGNATURE']);
    await bad.close();
    const failed = await fetch(config);
    assert.deepEqual([failed.status, failed.code], [1, 'HTTP_NOT_FOUND']);
    await good.close();
    const temporary = await fetch(config);
    assert.deepEqual([temporary.status, temporary.code], [4, 'HTTP_UNREACHABLE']);
  });
  it('are not asked any more when a well-signed manifest contradicts the stored one', async (t) => {
    const { place, bad, good, config } = await pair(t);
    provision(place.destination, ONE, '1.0');
    bad.route('/manifest', { kind: 'serve', body: manifestOf({ '1.0': 'another\n', '1.1': 'two\n' }) });
    const before = tree(place.destination, { own: false, exact: true });
    const { status, code } = await fetch(config);
    assert.deepEqual([status, code, good.requests.length], [3, 'NOT_A_SUPERSET', 0]);
    assert.deepEqual(tree(place.destination, { own: false, exact: true }), before);
  });
});

describe('several configurations', { concurrency: 3 }, () => {
  it('are all tried; one that fails does not stop the others', async (t) => {
    const place = newPlace(t);
    publish(place.server, TWO);
    const make = (name: string, settings: Parameters<typeof configure>[1] = {}): string => {
      fs.mkdirSync(join(place.root, `${name}.d`));
      return configure(place, { ...settings, name, destination: join(place.root, `${name}.d`) });
    };
    const configs = [
      make('a'),
      make('b', { key: MALLORY.publicText }),
      join(place.root, 'missing'),
      make('c', { version: '1.0' }),
      make('d'),
      make('e'),
    ];
    const { status, document } = await takoJson<{ results: FetchResult[] }>(['fetch', ...configs]);
    assert.equal(status, 3);
    assert.deepEqual(
      document.results.map(({ config, version, error }) => [config, version ?? error?.code]),
      [
        [configs[0], '1.1'],
        [configs[1], 'INVALID_SIGNATURE'],
        [configs[2], 'NO_CONFIG'],
        [configs[3], '1.0'],
        [configs[4], '1.1'],
        [configs[5], '1.1'],
      ],
    );
    assert.equal(linked(join(place.root, 'e.d')), 'two\n');
  });

  it('of one destination take turns: the image comes once', async (t) => {
    const place = newPlace(t);
    publish(place.server, TWO);
    const server = await serve(t, place);
    const one = configure(place, { origin: server.url, name: 'one' });
    const two = configure(place, { origin: server.url, name: 'two', destination: `${place.destination}/../host/` });
    const { status, stdout } = await runTako(['fetch', one, two]);
    assert.deepEqual([status, stdout], [0, `${one}: installed 1.1 (4 B fetched)\n${two}: 1.1 is current\n`]);
    assert.equal(server.requestsFor(imagePath('two\n')).length, 1);
  });

  it('that share a server share its connection', async (t) => {
    const place = newPlace(t);
    publish(place.server, TWO);
    const server = await serve(t, place);
    const config = configure(place, { origin: server.url });
    await fetched(config);
    assert.equal(new Set(server.requests.map(({ port }) => port)).size, 1);
  });
});

describe('a download', { concurrency: 3 }, () => {
  const content = noise(2_000_000);
  async function big(t: TestContext) {
    const place = newPlace(t);
    publish(place.server, { '1.0': content });
    const server = await serve(t, place);
    const config = configure(place, { origin: server.url });
    return { place, server, config, path: imagePath(content), part: partOf(place.destination, content) };
  }

  it('that the server cuts is carried on in the same run, on condition that the file is the same', async (t) => {
    const { server, config, path } = await big(t);
    server.route(path, [{ kind: 'truncate', after: 700_000 }, { kind: 'reset', after: 500_000 }, { kind: 'serve' }]);
    const result = await fetched(config);
    assert.equal(result.bytes, content.length);
    const [first, second, third] = server.requestsFor(path);
    assert.equal(first?.headers.range, undefined);
    assert.equal(second?.headers.range, 'bytes=700000-');
    assert.ok(second?.headers['if-range'] !== undefined);
    assert.match(third?.headers.range ?? '', /^bytes=[0-9]{6,7}-$/);
  });
  it('that the server cuts for good leaves its part to the next run, status 4', async (t) => {
    const { place, server, config, path, part } = await big(t);
    server.route(path, [{ kind: 'truncate', after: 700_000 }, { kind: 'serve' }]);
    const { status, code } = await fetch(config, ['--retry', '0']);
    assert.deepEqual([status, code, sizeOf(part)], [4, 'HTTP_INTERRUPTED', 700_000]);
    const plan = await fetch(config, ['--dry-run']);
    assert.equal(plan.result.bytes, 1_300_000, 'a plan counts what is there');
    assert.equal((await fetched(config)).bytes, 1_300_000);
    assert.equal(server.requestsFor(path).at(-1)?.headers.range, 'bytes=700000-');
    assert.deepEqual(fs.readdirSync(join(place.destination, 'store')), [sha256(content)]);
  });
  for (const [title, rest] of [
    ['a server that knows no ranges', { kind: 'ignore-range' }],
    ['a server that sends another range', { kind: 'wrong-range', shift: 10 }],
    ['a server that says another length', { kind: 'wrong-range', total: 3_000_000 }],
  ] as const) {
    it(`is begun again with ${title}`, async (t) => {
      const { place, server, config, path, part } = await big(t);
      server.route(path, { kind: 'truncate', after: 700_000 });
      assert.equal((await fetch(config, ['--retry', '0'])).status, 4);
      assert.equal(sizeOf(part), 700_000);
      server.route(path, rest);
      const { status, result } = await fetch(config);
      assert.deepEqual([status, result.bytes], [0, content.length]);
      assert.equal(linked(place.destination), content.toString('latin1'));
    });
  }
  for (const [title, bytes] of [
    ['other bytes', noise(700_000, 'other')],
    ['more bytes than the image', noise(2_000_001, 'other')],
    ['as many bytes as the image', noise(2_000_000, 'other')],
  ] as const) {
    it(`whose part holds ${title} is begun again`, async (t) => {
      const { place, config, part } = await big(t);
      fs.mkdirSync(join(place.destination, 'store'));
      put(part, bytes, 0o600);
      await fetched(config);
      assert.equal(linked(place.destination), content.toString('latin1'));
      assert.equal(fs.existsSync(part), false);
    });
  }
  it('whose part holds all of it needs no request', async (t) => {
    const { place, server, config, path, part } = await big(t);
    fs.mkdirSync(join(place.destination, 'store'));
    put(part, content, 0o600);
    assert.equal((await fetched(config)).bytes, 0);
    assert.equal(server.requestsFor(path).length, 0);
    assert.equal(linked(place.destination), content.toString('latin1'));
  });

  it('removes parts that are not wanted any more or are older than a week', async (t) => {
    const { place, server, config, path, part } = await big(t);
    fs.mkdirSync(join(place.destination, 'store'));
    const other = join(place.destination, 'store', `.${sha256('other')}.part`);
    put(other, 'half', 0o600);
    put(part, content.subarray(0, 1000), 0o600);
    fs.utimesSync(part, 0, Date.now() / 1000 - 8 * 86_400);
    await fetched(config);
    assert.equal(fs.existsSync(other), false);
    assert.equal(server.requestsFor(path)[0]?.headers.range, undefined, 'the old part was not resumed');
  });

  it('is not begun when there is no space for it: status 1, and no byte of it was asked for', {
    skip: needs('mount'),
  }, async (t) => {
    const place = newPlace(t);
    publish(place.server, { '1.0': noise(4 << 20) });
    const server = await serve(t, place);
    await withSmallDisk({ sizeKiB: 2048, kind: 'tmpfs' }, async (disk) => {
      const config = configure(place, { origin: server.url, destination: disk.path });
      fs.chmodSync(disk.path, 0o755);
      const { status, code, result } = await fetch(config);
      assert.deepEqual([status, code], [1, 'DISK_FULL']);
      assert.match(result.error?.message ?? '', /4\.0 MiB.*free/);
      assert.deepEqual(
        server.requests.map(({ url }) => url),
        ['/manifest'],
      );
      assert.deepEqual(stored(disk.path), []);
    });
  });

  it('counts the bytes on the wire, whatever encoding the server claims', async (t) => {
    const place = newPlace(t);
    publish(place.server, { '1.0': 'not really gzip\n' });
    const server = await serve(t, place);
    server.route(imagePath('not really gzip\n'), { kind: 'serve', headers: { 'content-encoding': 'gzip' } });
    await fetched(configure(place, { origin: server.url }));
    assert.equal(linked(place.destination), 'not really gzip\n');
    for (const { headers } of server.requests) assert.equal(headers['accept-encoding'], 'identity');
  });

  it('succeeds with chunked bodies, bodies that end with the connection, and after a redirect', async (t) => {
    for (const behaviour of [{ kind: 'chunked' }, { kind: 'until-close' }] as const) {
      const { place, server, config, path } = await big(t);
      server.route(path, behaviour);
      server.route('/manifest', behaviour);
      await fetched(config);
      assert.equal(linked(place.destination), content.toString('latin1'));
    }
    const { place, server, config, path } = await big(t);
    server.route(path, { kind: 'redirect', to: '/elsewhere' });
    server.route('/elsewhere', { kind: 'serve', body: content });
    await fetched(config);
    assert.equal(linked(place.destination), content.toString('latin1'));
  });
  it('is repeated after a failure of the server that passes', async (t) => {
    const { place, server, config, path } = await big(t);
    server.route('/manifest', [{ kind: 'status', status: 503 }, { kind: 'serve' }]);
    server.route(path, [{ kind: 'status', status: 429, headers: { 'retry-after': '1' } }, { kind: 'serve' }]);
    const { status, stderr } = await fetch(config);
    assert.deepEqual([status, linked(place.destination)], [0, content.toString('latin1')]);
    assert.match(stderr, /503.*retry 1 of 4/);
  });
  for (const [status, expected, code] of [
    [404, 1, 'HTTP_NOT_FOUND'],
    [403, 1, 'HTTP_DENIED'],
    [418, 1, 'HTTP_STATUS'],
    [503, 4, 'HTTP_UNAVAILABLE'],
  ] as const) {
    it(`that is answered with ${status} ends the run with status ${expected}, even if the body is right`, async (t) => {
      const { place, server, config } = await big(t);
      server.route('/manifest', { kind: 'status', status, body: manifestOf({ '1.0': content }) });
      const answer = await fetch(config, ['--retry', '0']);
      assert.deepEqual([answer.status, answer.code], [expected, code]);
      assert.match(answer.result.error?.message ?? '', new RegExp(`${server.url}/manifest.*${status}`));
      assert.deepEqual(Object.keys(tree(place.destination, { own: false })), ['.']);
    });
  }

  it('keeps below --limit-rate', async (t) => {
    const { config } = await big(t);
    const begin = performance.now();
    await fetched(config, ['--limit-rate', '1000K']);
    const seconds = (performance.now() - begin) / 1000;
    assert.ok(seconds > 1 && seconds < 6, `${seconds} s for 2 MB at 1 MB/s`);
  });

  for (const [signal, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`that ${signal} interrupts ends with status ${expected} and can be resumed`, async (t) => {
      const { place, server, config, path, part } = await big(t);
      server.route(path, { kind: 'stall', after: 700_000 });
      const running = startTako(['fetch', config]);
      await until('a part', () => sizeOf(part) === 700_000);
      running.signal(signal);
      const { status, stderr } = await running.done;
      assert.deepEqual([status, sizeOf(part)], [expected, 700_000], stderr);
      assert.match(stderr, /interrupted|terminated/);
      server.route(path, { kind: 'serve' });
      assert.equal((await fetched(config)).bytes, 1_300_000);
      assert.equal(linked(place.destination), content.toString('latin1'));
    });
  }
});

describe('a stored image', { concurrency: 3 }, () => {
  for (const [title, damage] of [
    ['bytes', 'TWO\n'],
    ['size', 'two'],
  ] as const) {
    it(`of wrong ${title} is fetched again in the same run`, async (t) => {
      const { place, config } = await hostWith(t, TWO);
      put(join(place.destination, imagePath('two\n')), damage, 0o444);
      const { status, result, stderr } = await fetch(config);
      assert.deepEqual([status, result.outcome, result.bytes], [0, 'unchanged', 4]);
      assert.match(stderr, /damaged/);
      assert.equal(linked(place.destination), 'two\n');
    });
  }
  it('that is missing behind a dangling link is fetched again', async (t) => {
    const { place, config } = await hostWith(t, TWO);
    fs.rmSync(join(place.destination, imagePath('two\n')));
    await fetched(config);
    assert.equal(linked(place.destination), 'two\n');
  });
  it('is not hashed with --no-verify, which is printed and shown by status', async (t) => {
    const { place, config } = await hostWith(t, TWO);
    put(join(place.destination, imagePath('two\n')), 'TWO\n', 0o444);
    const { status, result, stderr } = await fetch(config, ['--no-verify']);
    assert.deepEqual([status, result.outcome, result.bytes], [0, 'unchanged', 0]);
    assert.match(stderr, /--no-verify/);
    assert.match((await runTako(['status', config])).stdout, /--no-verify/);
    const { document } = await takoJson<{ results: { unchecked: string[] }[] }>(['status', config]);
    assert.equal(document.results[0]?.unchecked.length, 1);
    put(join(place.destination, imagePath('two\n')), 'two', 0o444);
    assert.equal((await fetched(config, ['--no-verify'])).bytes, 4, 'its size is checked');
    publish(place.server, THREE);
    put(join(place.server, imagePath('three\n')), 'THREE\n', 0o444);
    assert.equal((await fetch(config, ['--no-verify'])).code, 'INVALID_DIGEST', 'a download is checked');
    put(join(place.server, imagePath('three\n')), 'three\n', 0o444);
    await fetched(config);
    assert.doesNotMatch((await runTako(['status', config])).stdout, /--no-verify/, 'of the last run only');
  });
});

describe('the local manifest', { concurrency: 3 }, () => {
  for (const [title, bytes, status, code] of [
    ['is damaged', manifestOf(TWO).subarray(3), 1, 'INVALID_MANIFEST'],
    ['is signed by another key', manifestOf(TWO, MALLORY), 3, 'INVALID_SIGNATURE'],
    [
      'has a signature that is none',
      Buffer.from(
        sealLines([])
          .toString('latin1')
          .replace(/.{88}\n$/, `${'!'.repeat(88)}\n`),
      ),
      1,
      'INVALID_SIGNATURE_DATA',
    ],
  ] as const) {
    it(`that ${title} ends the run before the network is asked, and the message says that it is local`, async (t) => {
      const place = newPlace(t);
      provision(place.destination, TWO, '1.0');
      put(join(place.destination, 'manifest'), bytes, 0o444);
      publish(place.server, THREE);
      const server = await serve(t, place);
      const before = tree(place.destination, { own: false, exact: true });
      const answer = await fetch(configure(place, { origin: server.url }));
      assert.deepEqual([answer.status, answer.code, server.requests.length], [status, code, 0]);
      assert.match(answer.result.error?.message ?? '', /local manifest/);
      assert.deepEqual(tree(place.destination, { own: false, exact: true }), before);
    });
  }
  const local: readonly string[] = ['1.0 A', '1.1 B'];
  for (const [title, before, remote, expected] of [
    ['lacks an entry', local, ['1.0 A'], 'OLDER_MANIFEST'],
    ['names another image', local, ['1.0 C', '1.1 B'], 'NOT_A_SUPERSET'],
    ['says another size', local, ['1.0 A+', '1.1 B'], 'NOT_A_SUPERSET'],
    ['spells a version differently', local, ['1 A', '1.1.0 B'], undefined],
    ['has an entry twice', local, ['1.0 A', '1.0 A', '1.1 B'], undefined],
    ['has an entry once that was there twice', ['1.0 A', '1.0 A'], ['1.0 A'], 'OLDER_MANIFEST'],
    ['has an older version added', ['1.1 B'], ['1.0 A', '1.1 B'], undefined],
    ['is reordered', local, ['1.1 B', '1.0 A'], 'NOT_A_SUPERSET'],
  ] as const) {
    it(`${expected === undefined ? 'accepts' : 'refuses'} a remote one that ${title}`, async (t) => {
      const place = newPlace(t);
      const line = (text: string): string => {
        const [version, name = ''] = text.split(' ');
        const [size, content] = name.endsWith('+') ? [5, name.slice(0, -1)] : [4, name];
        return `${version} ${size} ${sha256(content.repeat(4))}`;
      };
      fs.mkdirSync(join(place.server, 'store'));
      for (const name of ['A', 'B', 'C']) put(join(place.server, imagePath(name.repeat(4))), name.repeat(4), 0o444);
      put(join(place.server, 'manifest'), sealLines(before.map(line)), 0o444);
      const config = configure(place, { version: '1.1' });
      await fetched(config);
      const kept = fs.readFileSync(join(place.destination, 'manifest'));
      put(join(place.server, 'manifest'), sealLines(remote.map(line)), 0o444);
      const { status, code } = await fetch(config);
      // Which of the two refusals it is, is of our making; that it is one is the format's.
      assert.deepEqual([status, code], expected === undefined ? [0, undefined] : [3, expected]);
      const now = fs.readFileSync(join(place.destination, 'manifest'));
      assert.equal(now.equals(kept), expected !== undefined);
    });
  }
});

describe('fetch --init', { concurrency: 3 }, () => {
  it('needs nothing but a good image: no network, no lock, nothing written', async (t) => {
    const { place, config } = await hostWith(t, TWO);
    configure(place, { origin: await closedOrigin() });
    const holder = await holdLock(t, place.destination);
    const before = tree(place.destination, { exact: true });
    const begin = performance.now();
    const { status, result } = await fetch(config, ['--init']);
    assert.deepEqual([status, result.outcome, result.version], [0, 'present', '1.1']);
    assert.ok(performance.now() - begin < 5000, 'it does not wait for the lock');
    assert.deepEqual(tree(place.destination, { exact: true }), before);
    holder.kill();
  });
  it('is content with a destination that the original program has made', async (t) => {
    const place = newPlace(t);
    provision(place.destination, TWO, '1.0');
    const before = tree(place.destination, { exact: true });
    await fetched(configure(place, { origin: await closedOrigin() }), ['--init']);
    assert.deepEqual(tree(place.destination, { exact: true }), before);
  });

  const flaws: readonly (readonly [string, (destination: string) => void])[] = [
    ['its image is damaged', (at) => put(join(at, imagePath('two\n')), 'TWO\n', 0o444)],
    ['its image is too short', (at) => put(join(at, imagePath('two\n')), 'two', 0o444)],
    ['its image is gone', (at) => fs.rmSync(join(at, imagePath('two\n')))],
    ['its link is gone', (at) => fs.rmSync(join(at, 'latest'))],
    ['its manifest is gone', (at) => fs.rmSync(join(at, 'manifest'))],
    [
      'its link leads elsewhere',
      (at) => {
        fs.rmSync(join(at, 'latest'));
        fs.symlinkSync('/etc/passwd', join(at, 'latest'));
      },
    ],
    [
      'its link leads to an image that no version names',
      (at) => {
        put(join(at, imagePath('stranger')), 'stranger', 0o444);
        fs.rmSync(join(at, 'latest'));
        fs.symlinkSync(`store/${sha256('stranger')}`, join(at, 'latest'));
      },
    ],
  ];
  for (const [title, damage] of flaws) {
    it(`goes to the network when ${title}, and fails without one`, async (t) => {
      const { place, config } = await hostWith(t, TWO);
      damage(place.destination);
      configure(place, { origin: await closedOrigin() });
      const { status, code } = await fetch(config, ['--init']);
      assert.deepEqual([status, code], [4, 'HTTP_UNREACHABLE']);
      configure(place);
      await fetched(config, ['--init']);
      assert.equal(linked(place.destination), 'two\n');
    });
  }
  it('goes to the network when the pattern does not allow the linked version any more', async (t) => {
    const { place } = await hostWith(t, TWO);
    const config = configure(place, { version: '1.0', origin: await closedOrigin() });
    assert.equal((await fetch(config, ['--init'])).status, 4);
    configure(place, { version: '1.0' });
    assert.equal((await fetched(config, ['--init'])).version, '1.0');
  });
  it('installs the newest image when there is none', async (t) => {
    const place = newPlace(t);
    publish(place.server, TWO);
    assert.equal((await fetched(configure(place), ['--init'])).outcome, 'updated');
    assert.equal(linked(place.destination), 'two\n');
  });
  it('judges each of several configurations on its own', async (t) => {
    const { place, config } = await hostWith(t, TWO);
    configure(place, { origin: await closedOrigin() });
    const empty = join(place.root, 'empty');
    fs.mkdirSync(empty);
    const second = configure(place, { destination: empty, name: 'second' });
    const { status, document } = await takoJson<{ results: FetchResult[] }>(['fetch', '--init', config, second]);
    assert.equal(status, 0);
    assert.deepEqual(
      document.results.map(({ outcome }) => outcome),
      ['present', 'updated'],
    );
  });
});

describe('a staged update', { concurrency: 3 }, () => {
  it('is downloaded by --stage, shown by status, and linked by apply without a network', async (t) => {
    const { place, config } = await hostWith(t, ONE);
    publish(place.server, TWO);
    const staged = await fetched(config, ['--stage']);
    assert.deepEqual([staged.outcome, staged.version, staged.bytes], ['staged', '1.1', 4]);
    assert.equal(linked(place.destination), 'one\n');
    const { document } = await takoJson<{ results: Record<string, unknown>[] }>(['status', config]);
    const [status] = document.results;
    assert.deepEqual(
      [status?.['currentVersion'], status?.['updateVersion'], status?.['updateStaged']],
      ['1.0', '1.1', true],
    );
    configure(place, { origin: await closedOrigin() });
    const applied = await apply(config);
    assert.deepEqual([applied.status, applied.result.outcome, linked(place.destination)], [0, 'updated', 'two\n']);
    const again = await apply(config);
    assert.deepEqual([again.status, again.result.outcome], [0, 'unchanged']);
  });
  it('is verified again by apply: a damaged one is not linked', async (t) => {
    const { place, config } = await hostWith(t, ONE);
    publish(place.server, TWO);
    await fetched(config, ['--stage']);
    put(join(place.destination, imagePath('two\n')), 'TWO\n', 0o444);
    const { status, stderr } = await apply(config);
    assert.equal(linked(place.destination), 'one\n');
    assert.equal(status, 0);
    assert.match(stderr, /damaged/);
  });
  it('needs a fetch before', async (t) => {
    const place = newPlace(t);
    const { status, code } = await apply(configure(place));
    assert.deepEqual([status, code], [1, 'NO_MANIFEST']);
  });
  it('survives the garbage collection until it is applied', async (t) => {
    const { place, config } = await hostWith(t, TWO, { more: ['KeepVersions=2'] });
    publish(place.server, THREE);
    await fetched(config, ['--stage']);
    assert.equal((await runTako(['gc', config])).status, 0);
    assert.ok(stored(place.destination).includes(sha256('three\n')));
    assert.equal((await apply(config)).result.version, '2.0');
  });
});

describe('a plan', { concurrency: 3 }, () => {
  it('of --check tells by status 10 that there is an update and how many bytes it needs', async (t) => {
    const { place, config } = await hostWith(t, ONE);
    assert.equal((await runTako(['fetch', '--check', config])).status, 0);
    publish(place.server, TWO);
    const before = tree(place.root, { exact: true });
    const { status, result } = await fetch(config, ['--check']);
    assert.deepEqual([status, result.outcome, result.version, result.bytes], [10, 'would-update', '1.1', 4]);
    const words = await runTako(['fetch', '--check', config]);
    assert.equal(words.status, 10);
    assert.match(words.stdout, /would fetch 4 B, link 1\.1 from 1\.0/);
    assert.deepEqual(tree(place.root, { exact: true }), before);
    await fetched(config);
    assert.equal((await runTako(['fetch', '--check', config])).status, 0);
  });
  it('of --check says 4 rather than 10 when an origin could not be asked', async (t) => {
    const { place, config } = await hostWith(t, ONE);
    publish(place.server, TWO);
    const empty = join(place.root, 'empty');
    fs.mkdirSync(empty);
    const closed = configure(place, { origin: await closedOrigin(), destination: empty, name: 'closed' });
    assert.equal((await runTako(['fetch', '--check', config, closed])).status, 4);
  });

  it('changes nothing, for any command that changes something', async (t) => {
    const { place, config } = await hostWith(t, THREE, { more: ['KeepVersions=2'] });
    for (const content of ['one\n', 'two\n']) put(join(place.destination, imagePath(content)), content, 0o444);
    put(join(place.destination, imagePath('two\n')), 'TWO\n', 0o444);
    const { server, keyFile } = place;
    const image = join(place.root, 'image');
    put(image, 'four\n');
    put(join(place.root, 'new.key'), BERTA.secretText, 0o600);
    const fresh = join(place.root, 'fresh');
    fs.mkdirSync(fresh);
    const first = configure(place, { destination: fresh, name: 'first' });
    const before = tree(place.root, { exact: true });
    for (const [args, expected] of [
      [['fetch', '--dry-run', config], /2\.0 is current/],
      [['fetch', '--dry-run', first], /would fetch 6 B, link 2\.0/],
      [['fetch', '--dry-run', '--stage', first], /would fetch 6 B and stage 2\.0/],
      [['apply', '--dry-run', config], /2\.0 is current/],
      [['verify', '--repair', '--dry-run', config], /1 of 3 images? damaged or missing|damaged/],
      [['rollback', '--dry-run', config, '1.0'], /would roll back to 1\.0 from 2\.0/],
      [['hold', '--dry-run', config], /would hold 2\.0/],
      [['unhold', '--dry-run', config], /nothing was held/],
      [['gc', '--dry-run', config], /would delete 1 image \(4 B\)/],
      [['store', '--dry-run', '-f', keyFile, '-o', server, image, '3.0'], /^3\.0 -> /],
      [['store', '--dry-run', '--remove-image', '1.0', '-o', server], /would be deleted/],
      [
        [
          'sign',
          '--dry-run',
          '--rotate',
          '--old-public-key',
          ALICE.publicText,
          '-f',
          join(place.root, 'new.key'),
          '-o',
          server,
        ],
        /would be signed anew/,
      ],
    ] as const) {
      const { status, stdout, stderr } = await runTako(args);
      assert.equal(status, 0, stderr);
      assert.match(stdout, expected);
      assert.deepEqual(tree(place.root, { exact: true }), before, args.join(' '));
    }
  });
});

describe('retention', { concurrency: 3 }, () => {
  const FOUR: Images = { ...THREE, '3.0': 'four\n' };

  it('of KeepVersions= keeps the current, the previous and as many others, after each update', async (t) => {
    const { place } = await hostWith(t, FOUR, { more: ['KeepVersions=2'] });
    assert.deepEqual(stored(place.destination), versionsOf(FOUR, '2.0', '3.0'));
    assert.equal(fs.readFileSync(join(place.destination, 'manifest'), 'latin1').split('\n').length, 9, 'entries stay');
  });
  it('keeps everything when no limit is set', async (t) => {
    const { place, config } = await hostWith(t, FOUR);
    await runTako(['gc', config]);
    assert.equal(stored(place.destination).length, 4);
  });
  it('of KeepBytes= deletes the oldest versions, never the current and the previous one', async (t) => {
    const images: Images = {
      '1': noise(2000, 'a'),
      '2': noise(2000, 'b'),
      '3': noise(2000, 'c'),
      '4': noise(2000, 'd'),
    };
    const { place } = await hostWith(t, images, { more: ['KeepBytes=6000'] });
    assert.deepEqual(stored(place.destination), versionsOf(images, '2', '3', '4'));
    const config = configure(place, { more: ['KeepBytes=1K'] });
    const { document } = await takoJson<{ results: { images: { version: string; size: number }[] }[] }>(['gc', config]);
    assert.deepEqual(
      document.results[0]?.images.map(({ version, size }) => [version, size]),
      [['2', 2000]],
    );
    assert.deepEqual(stored(place.destination), versionsOf(images, '3', '4'));
  });
  it('deletes an image when either limit wants it gone', async (t) => {
    const { place } = await hostWith(t, FOUR, { more: ['KeepVersions=3', 'KeepBytes=1'] });
    assert.deepEqual(stored(place.destination), versionsOf(FOUR, '2.0', '3.0'));
  });
  it('spares a held version, and goes on when it is released', async (t) => {
    const { place, config } = await hostWith(t, FOUR);
    assert.equal((await runTako(['hold', config, '1.0'])).status, 0);
    configure(place, { more: ['KeepVersions=2'] });
    await runTako(['gc', config]);
    assert.ok(stored(place.destination).includes(sha256('one\n')));
    await runTako(['unhold', config]);
    await runTako(['gc', config]);
    assert.deepEqual(stored(place.destination), versionsOf(FOUR, '2.0', '3.0'));
  });
  it('touches no file that is not an image or a leftover of ours', async (t) => {
    const { place, config } = await hostWith(t, FOUR, { more: ['KeepVersions=2'] });
    const mine = ['readme', `${sha256('x')}.txt`, sha256('x').toUpperCase(), '.hidden'];
    for (const name of mine) put(join(place.destination, 'store', name), 'mine');
    await runTako(['gc', config]);
    for (const name of mine) assert.ok(fs.existsSync(join(place.destination, 'store', name)), name);
  });
  it('of gc reports what it deleted, and nothing the second time', async (t) => {
    const { place, config } = await hostWith(t, FOUR);
    configure(place, { more: ['KeepVersions=2'] });
    put(partOf(place.destination, 'stranger'), 'half');
    const { stdout } = await runTako(['gc', config]);
    assert.match(stdout, /deleted 2 images \(8 B\) and 1 leftover/);
    assert.match((await runTako(['gc', config])).stdout, /nothing to delete/);
  });
});

describe('an administrator', { concurrency: 3 }, () => {
  it('rolls back; the version that was left is skipped until a newer one appears', async (t) => {
    const { place, config } = await hostWith(t, TWO);
    const { status, document } = await takoJson(['rollback', config]);
    assert.deepEqual([status, document['version'], document['previousVersion']], [0, '1.0', '1.1']);
    assert.equal(linked(place.destination), 'one\n');
    assert.equal((await fetched(config)).outcome, 'unchanged');
    assert.equal(linked(place.destination), 'one\n');
    assert.equal((await runTako(['fetch', '--check', config])).status, 0);
    assert.match((await runTako(['status', config])).stdout, /skipped: +1\.1 \(rollback\)/);
    publish(place.server, THREE);
    assert.equal((await fetched(config)).version, '2.0');
  });
  it('takes a rollback back with unhold', async (t) => {
    const { place, config } = await hostWith(t, TWO);
    await runTako(['rollback', config]);
    const { document } = await takoJson<{ forgotten: { version: string; reason: string }[] }>(['unhold', config]);
    assert.deepEqual(
      document.forgotten.map(({ version, reason }) => [version, reason]),
      [['1.1', 'rollback']],
    );
    assert.equal((await fetched(config)).version, '1.1');
    assert.equal(linked(place.destination), 'two\n');
  });
  it('rolls back to a version by name, and not to one that is not stored, not published, newer or damaged', async (t) => {
    const { place, config } = await hostWith(t, THREE);
    const rollback = async (version: string) => {
      const { status, document } = await takoJson(['rollback', config, version]);
      return [status, document['code'] ?? document['version']];
    };
    assert.deepEqual(await rollback('7'), [1, 'UNKNOWN_VERSION']);
    put(join(place.destination, imagePath('two\n')), 'TWO\n', 0o444);
    assert.deepEqual(await rollback('1.1'), [3, 'INVALID_DIGEST']);
    fs.rmSync(join(place.destination, imagePath('two\n')));
    assert.deepEqual(await rollback('1.1'), [1, 'IMAGE_MISSING']);
    assert.equal(linked(place.destination), 'three\n');
    assert.deepEqual(await rollback('1.0'), [0, '1.0']);
    assert.equal(linked(place.destination), 'one\n');
    assert.deepEqual(await rollback('2.0'), [1, 'UNKNOWN_VERSION'], 'a newer one');
  });
  it('holds the current version: no newer one is linked until unhold', async (t) => {
    const { place, config } = await hostWith(t, ONE);
    const { status, document } = await takoJson(['hold', config]);
    assert.deepEqual([status, document['version']], [0, '1.0']);
    publish(place.server, TWO);
    const held = await fetched(config);
    assert.deepEqual([held.outcome, held.newestVersion, linked(place.destination)], ['unchanged', '1.1', 'one\n']);
    assert.match((await runTako(['status', config])).stdout, /held: +1\.0 since/);
    await runTako(['unhold', config]);
    assert.equal((await fetched(config)).version, '1.1');
  });
  it('holds another version by name, and the next fetch brings it', async (t) => {
    const { place, config } = await hostWith(t, THREE);
    fs.rmSync(join(place.destination, imagePath('two\n')));
    assert.equal((await runTako(['hold', config, '1.1'])).status, 0);
    const result = await fetched(config);
    assert.deepEqual([result.version, result.bytes, linked(place.destination)], ['1.1', 4, 'two\n']);
    assert.equal((await takoJson(['hold', config, '7'])).document['code'], 'UNKNOWN_VERSION');
    configure(place, { version: '2.*' });
    assert.equal((await takoJson(['hold', config, '1.1'])).document['code'], 'UNKNOWN_VERSION');
  });
  it('cannot roll back where nothing was fetched, linked or kept', async (t) => {
    const place = newPlace(t);
    const config = configure(place);
    const codes = async () => (await takoJson(['rollback', config])).document['code'];
    assert.equal(await codes(), 'NO_MANIFEST');
    publish(place.server, ONE);
    await fetched(configure(place, { version: '7' }));
    assert.equal(await codes(), 'IMAGE_MISSING');
    await fetched(configure(place));
    assert.equal(await codes(), 'IMAGE_MISSING');
  });

  it('verifies every stored image, and repairs what is damaged', async (t) => {
    const { place, config } = await hostWith(t, THREE);
    const verify = async (...options: string[]) => {
      const { status, document } = await takoJson<{
        results: { images?: { version: string | null; condition: string }[]; error: ErrorDocument | null }[];
      }>(['verify', ...options, config]);
      const [result] = document.results;
      const images = result?.images?.map(({ version, condition }) => `${version} ${condition}`);
      return [status, images ?? result?.error?.code];
    };
    assert.deepEqual(await verify(), [0, ['1.0 whole', '1.1 whole', '2.0 whole']]);
    put(join(place.destination, imagePath('two\n')), 'TWO\n', 0o444);
    fs.rmSync(join(place.destination, imagePath('three\n')));
    put(join(place.destination, imagePath('stranger')), 'stranger', 0o444);
    const found = ['null unlisted', '1.0 whole', '1.1 damaged', '2.0 missing'];
    assert.deepEqual(await verify(), [3, found]);
    assert.deepEqual(await verify('--repair', '--dry-run'), [0, found]);
    configure(place, { origin: await closedOrigin() });
    assert.deepEqual(await verify('--repair'), [3, found]);
    configure(place);
    assert.deepEqual(await verify('--repair'), [0, ['null unlisted', '1.0 whole', '1.1 repaired', '2.0 repaired']]);
    assert.equal(linked(place.destination), 'three\n');
    assert.deepEqual(await verify(), [0, ['null unlisted', '1.0 whole', '1.1 whole', '2.0 whole']]);
  });
  it('keeps the damaged image when there is nothing to repair it with', async (t) => {
    const { place, config } = await hostWith(t, ONE);
    put(join(place.destination, imagePath('one\n')), 'ONE\n', 0o444);
    configure(place, { origin: await closedOrigin() });
    await runTako(['verify', '--repair', config]);
    assert.match((await runTako(['status', config])).stdout, /current: +1\.0/);
  });
});

describe('what a host remembers', { concurrency: 3 }, () => {
  it('is shown by status, list and history', async (t) => {
    const { place, config } = await hostWith(t, TWO, { version: '1.*' });
    publish(place.server, THREE);
    await fetched(config);
    const { document } = await takoJson<{ results: Record<string, unknown>[] }>(['status', config]);
    const { checkedAt, changedAt, succeededAt, ...facts } = document.results[0] ?? {};
    for (const time of [checkedAt, changedAt, succeededAt]) assert.ok(Date.now() - Date.parse(String(time)) < 60_000);
    assert.deepEqual(facts, {
      config,
      pattern: '1.*',
      origins: [place.origin],
      destination: place.destination,
      currentVersion: '1.1',
      currentDigest: `sha256:${sha256('two\n')}`,
      currentSize: 4,
      newestCompatibleVersion: '1.1',
      newestPublishedVersion: '2.0',
      updateVersion: null,
      updateStaged: false,
      storeBytes: 8,
      storedImages: 2,
      hold: null,
      skip: [],
      owed: null,
      health: 'good',
      unchecked: [],
      error: null,
    });
    const list = await takoJson<{ versions: Record<string, unknown>[] }>(['list', config]);
    assert.deepEqual(
      list.document.versions.map(({ version, matches, stored: here, current }) => [version, matches, here, current]),
      [
        ['1.0', true, true, false],
        ['1.1', true, true, true],
        ['2.0', false, false, false],
      ],
    );
    await runTako(['rollback', config]);
    const history = await takoJson<{ entries: Record<string, unknown>[] }>(['history', config]);
    assert.deepEqual(
      history.document.entries.map(({ action, version, previousVersion, result }) => [
        action,
        version,
        previousVersion,
        result,
      ]),
      [
        ['install', '1.0', null, 'done'],
        ['update', '1.1', '1.0', 'done'],
        ['rollback', '1.0', '1.1', 'done'],
      ],
    );
    const words = await runTako(['history', config]);
    assert.equal(words.stdout.trimEnd().split('\n').length, 3);
  });

  it('can be looked at before the first fetch, and writes nothing', async (t) => {
    const place = newPlace(t);
    const config = configure(place);
    for (const command of ['status', 'list', 'history']) {
      assert.equal((await runTako([command, config])).status, 0, command);
    }
    assert.deepEqual(Object.keys(tree(place.destination)), ['.']);
  });
  it('does not need the network, and asks it with --refresh without storing the answer', async (t) => {
    const { place, config } = await hostWith(t, ONE);
    publish(place.server, TWO);
    const before = tree(place.destination, { exact: true });
    const newest = async (...options: string[]) => {
      const { document } = await takoJson<{ results: Record<string, unknown>[] }>(['status', ...options, config]);
      return document.results[0]?.['updateVersion'];
    };
    assert.deepEqual([await newest(), await newest('--refresh')], [null, '1.1']);
    assert.deepEqual(tree(place.destination, { exact: true }), before);
  });

  const odd: readonly (readonly [string, string, boolean])[] = [
    ['is damaged', '{"schema": "tako.state/1", "hold"', true],
    ['has fields of the wrong kind', '{"schema": "tako.state/1", "hold": 7}', true],
    ['is no JSON object', '[]', true],
    ['is binary', '\u0000\u0001', true],
    ['was written by a newer program', '{"schema": "tako.state/2", "hold": "1.0"}', true],
  ];
  for (const [title, text, kept] of odd) {
    it(`is as if empty when it ${title}, with a warning, and is kept beside`, async (t) => {
      const { place, config } = await hostWith(t, TWO);
      const state = join(place.destination, '.tako', 'state.json');
      put(state, text);
      const status = await runTako(['status', config]);
      assert.equal(status.status, 0);
      assert.match(status.stderr, /state\.json/);
      assert.match(status.stdout, /current: +1\.1/);
      assert.equal(fs.readFileSync(state, 'utf8'), text, 'looking changes nothing');
      for (const command of ['list', 'history']) assert.equal((await runTako([command, config])).status, 0);
      const { status: ended, stderr } = await fetch(config);
      assert.equal(ended, 0);
      assert.match(stderr, /state\.json/);
      assert.equal(readState(place.destination)['schema'], 'tako.state/1');
      const beside = join(place.destination, '.tako', 'state.json.unread');
      assert.equal(fs.existsSync(beside) && fs.readFileSync(beside, 'utf8') === text, kept);
      assert.equal((await fetch(config)).stderr, '', 'the warning comes once');
    });
  }
  it('is as if empty when it is missing', async (t) => {
    const { place, config } = await hostWith(t, TWO);
    fs.rmSync(join(place.destination, '.tako'), { recursive: true });
    assert.equal((await runTako(['status', config])).status, 0);
    assert.equal((await fetched(config)).outcome, 'unchanged');
    assert.deepEqual(await rolledBack(config), [0, '1.0'], 'even a rollback finds its way');
  });
  async function rolledBack(config: string) {
    const { status, document } = await takoJson(['rollback', config]);
    return [status, document['version']];
  }

  it('has no warning about an old manifest unless one is asked for', async (t) => {
    const { place, config } = await hostWith(t, ONE);
    editState(place.destination, { changedAt: '2020-01-01T00:00:00Z' });
    assert.equal((await fetch(config)).stderr, '');
    configure(place, { more: ['WarnUnchanged=30d'] });
    const { status, stderr } = await fetch(config);
    assert.equal(status, 0);
    assert.match(stderr, /manifest has not changed for .*WarnUnchanged/);
    publish(place.server, TWO);
    assert.doesNotMatch((await fetch(config)).stderr, /WarnUnchanged/);
  });
});

describe('a publisher', { concurrency: 3 }, () => {
  it('changes the key: hosts that list both follow, hosts that list one of them are told what to do', async (t) => {
    const place = newPlace(t);
    const newKey = join(place.root, 'new.key');
    put(newKey, BERTA.secretText, 0o600);
    await store(place, 'one\n', '1.0');
    const config = configure(place);
    await fetched(config);
    const lateHost = join(place.root, 'late');
    fs.cpSync(place.destination, lateHost, { recursive: true, verbatimSymlinks: true });
    const sign = (...options: string[]) => takoJson(['sign', '--rotate', '-o', place.server, ...options]);

    const wrong = await sign('--old-public-key', MALLORY.publicText, '-f', newKey);
    assert.deepEqual([wrong.status, wrong.document['code']], [3, 'INVALID_SIGNATURE']);
    const rotated = await sign('--old-public-key', ALICE.publicText, '-f', newKey);
    assert.deepEqual([rotated.status, rotated.document['outcome'], rotated.document['entries']], [0, 'signed', 1]);
    assert.deepEqual(fs.readFileSync(join(place.server, 'manifest')), manifestOf(ONE, BERTA));
    const again = await sign('--old-public-key', ALICE.publicText, '-f', newKey);
    assert.deepEqual([again.status, again.document['outcome']], [0, 'unchanged']);

    const old = await fetch(config);
    assert.deepEqual([old.status, old.code], [3, 'INVALID_SIGNATURE'], 'a host with the old key alone');
    const hasty = await fetch(configure(place, { key: BERTA.publicText, destination: lateHost, name: 'hasty' }));
    assert.deepEqual([hasty.status, hasty.code], [3, 'INVALID_SIGNATURE'], 'a host with the new key alone, too early');
    assert.match(hasty.result.error?.hint ?? '', /two PublicKey= lines/);

    configure(place, { key: [ALICE.publicText, BERTA.publicText] });
    await fetched(config);
    assert.deepEqual(fs.readFileSync(join(place.destination, 'manifest')), manifestOf(ONE, BERTA));
    put(place.keyFile, BERTA.secretText, 0o600);
    await store(place, 'two\n', '1.1');
    configure(place, { key: [BERTA.publicText, ALICE.publicText] });
    await fetched(config);
    configure(place, { key: BERTA.publicText });
    assert.equal((await fetched(config)).outcome, 'unchanged', 'the old key can go');
    assert.equal(linked(place.destination), 'two\n');

    put(place.keyFile, ALICE.secretText, 0o600);
    const image = join(place.root, 'image');
    const refused = await takoJson(['store', '-f', place.keyFile, '-o', place.server, image, '1.2']);
    assert.deepEqual([refused.status, refused.document['code']], [3, 'INVALID_SIGNATURE'], 'the old key signs no more');
  });

  it('withdraws an image: its file goes, its entry stays, and nothing is signed', async (t) => {
    const place = newPlace(t);
    const manifest = publish(place.server, { ...TWO, '1.1-again': 'two\n' });
    const remove = async (version: string) => {
      const { status, document } = await takoJson(['store', '--remove-image', version, '-o', place.server]);
      return [status, document['code'] ?? document['removed']];
    };
    assert.deepEqual(await remove('1.0.0'), [0, true], 'by a version however spelled');
    assert.deepEqual(await remove('1.0'), [0, false], 'again is no error');
    assert.deepEqual(await remove('1.1'), [1, 'SHARED_IMAGE']);
    assert.deepEqual(await remove('7'), [1, 'UNKNOWN_VERSION']);
    assert.deepEqual(stored(place.server), [sha256('two\n')]);
    assert.deepEqual(fs.readFileSync(join(place.server, 'manifest')), manifest);
    const empty = join(place.root, 'empty');
    fs.mkdirSync(empty);
    const { document } = await takoJson(['store', '--remove-image', '1.0', '-o', empty]);
    assert.equal(document['code'], 'NO_MANIFEST');
  });

  describe('checks the directory', { concurrency: 3 }, () => {
    interface Finding {
      readonly severity: string;
      readonly code: string;
      readonly subject: string;
    }
    async function check(place: Place, ...options: string[]) {
      const args = ['check-server', '--public-key', ALICE.publicText, ...options, place.server];
      const { status, document } = await takoJson<{ findings: Finding[]; entries: number; images: number }>(args);
      const { findings = [], entries, images } = document;
      return {
        status,
        entries,
        images,
        findings: findings.map(({ severity, code, subject }) => [severity, code, subject]),
      };
    }

    it('and finds nothing in a good one', async (t) => {
      const place = newPlace(t);
      publish(place.server, { ...TWO, '1.2': 'two\n' });
      const before = tree(place.root, { exact: true });
      assert.deepEqual(await check(place), { status: 0, entries: 3, images: 2, findings: [] });
      assert.deepEqual(tree(place.root, { exact: true }), before);
    });
    const at = (place: Place): string => join(place.server, imagePath('two\n'));
    const flaws: readonly (readonly [string, (place: Place) => void, number, readonly (readonly string[])[]])[] = [
      ['an image of other bytes', (p) => put(at(p), 'TWO\n', 0o444), 3, [['problem', 'DIGEST', '1.1']]],
      ['an image of another size', (p) => put(at(p), 'two', 0o444), 3, [['problem', 'SIZE', '1.1']]],
      ['a missing image', (p) => fs.rmSync(at(p)), 0, [['note', 'MISSING', '1.1']]],
      ['an image that the web server cannot read', (p) => fs.chmodSync(at(p), 0o400), 1, [['problem', 'MODE', '1.1']]],
      ['an image that can be written', (p) => fs.chmodSync(at(p), 0o644), 0, [['note', 'MODE', '1.1']]],
      [
        'a manifest that the web server cannot read',
        (p) => fs.chmodSync(join(p.server, 'manifest'), 0o400),
        1,
        [['problem', 'MODE', 'manifest']],
      ],
      [
        'a store that the web server cannot enter',
        (p) => fs.chmodSync(join(p.server, 'store'), 0o700),
        1,
        [['problem', 'MODE', 'store']],
      ],
      [
        'a directory that everybody may write',
        (p) => fs.chmodSync(p.server, 0o777),
        1,
        [['problem', 'OWNER', 'SERVER']],
      ],
      ['a directory of another user', (p) => fs.chownSync(p.server, 1234, 1234), 1, [['problem', 'OWNER', 'SERVER']]],
      [
        'a stray image and a stray file',
        (p) => {
          put(join(p.server, imagePath('stranger')), 'stranger', 0o444);
          put(join(p.server, 'store', '0readme'), 'hello', 0o444);
        },
        0,
        [
          ['note', 'STRAY', 'store/0readme'],
          ['note', 'STRAY', `store/${sha256('stranger')}`],
        ],
      ],
      [
        'entries out of order',
        (p) => publish(p.server, { '1.1': 'two\n', '1.0': 'one\n' }),
        1,
        [['problem', 'ORDER', '1.0']],
      ],
      [
        'an entry twice',
        (p) => put(join(p.server, 'manifest'), sealLines([0, 1].map(() => `1.0 4 ${sha256('one\n')}`)), 0o444),
        0,
        [
          ['note', 'DUPLICATE', '1.0'],
          ['note', 'STRAY', `store/${sha256('two\n')}`],
        ],
      ],
      ['a manifest of another key', (p) => publish(p.server, TWO, MALLORY), 3, [['problem', 'SIGNATURE', 'manifest']]],
    ];
    for (const [title, damage, status, findings] of flaws) {
      it(`and finds ${title}`, async (t) => {
        const place = newPlace(t);
        publish(place.server, TWO);
        damage(place);
        const found = await check(place);
        const expected = findings.map((finding) => finding.map((word) => (word === 'SERVER' ? place.server : word)));
        assert.deepEqual([found.status, found.findings.sort()], [status, expected.sort()]);
      });
    }
    it('and says that the signature was not checked when no key is given', async (t) => {
      const place = newPlace(t);
      publish(place.server, TWO);
      const { status, document } = await takoJson<{ findings: Finding[] }>(['check-server', place.server]);
      assert.deepEqual([status, document.findings.map(({ code }) => code)], [0, ['NOT_CHECKED']]);
    });
    it('and finds that hosts with an older manifest would refuse the present one', async (t) => {
      const place = newPlace(t);
      publish(place.server, TWO);
      const older = join(place.root, 'older');
      put(older, manifestOf(ONE));
      assert.equal((await check(place, '--older', older)).status, 0);
      put(older, manifestOf({ ...ONE, '1.1': 'another\n' }));
      const { status, findings } = await check(place, '--older', older);
      assert.deepEqual([status, findings], [3, [['problem', 'NOT_A_SUPERSET', 'manifest']]]);
    });
    it('and fails where there is no manifest, or none that can be read', async (t) => {
      const place = newPlace(t);
      const code = async () => (await takoJson(['check-server', place.server])).document['code'];
      assert.equal(await code(), 'NO_MANIFEST');
      put(join(place.server, 'manifest'), '<html>', 0o444);
      assert.equal(await code(), 'INVALID_MANIFEST');
    });
  });
});

describe('an origin of another kind:', { concurrency: 3 }, () => {
  it('a directory by a file: URL, with percent-encoding', async (t) => {
    const place = newPlace(t);
    const server = join(place.root, 'a b%ü');
    publish(server, TWO);
    const origin = `file://${place.root}/${encodeURIComponent('a b%ü')}`;
    const result = await fetched(configure(place, { origin }));
    assert.deepEqual([result.version, result.bytes], ['1.1', 4]);
    assert.equal(linked(place.destination), 'two\n');
  });
  it('a directory that is not there, or lacks the image', async (t) => {
    const place = newPlace(t);
    const config = configure(place);
    assert.deepEqual([(await fetch(config)).status, (await fetch(config)).code], [1, 'ORIGIN_UNREADABLE']);
    publish(place.server, TWO);
    fs.rmSync(join(place.server, imagePath('two\n')));
    assert.equal((await fetch(config)).code, 'ORIGIN_UNREADABLE');
    assert.equal(linked(place.destination), undefined);
  });

  it('a server behind a proxy, as the environment says', async (t) => {
    const place = newPlace(t);
    publish(place.server, TWO);
    const server = await serve(t, place);
    const proxy = await startProxy(t, server.port);
    const config = configure(place, { origin: 'http://tako.test:8888/' });
    await fetched(config, [], { env: { http_proxy: proxy.url } });
    assert.ok(
      proxy.asked.length > 0 && proxy.asked.every((what) => what.includes('tako.test:8888')),
      proxy.asked.join(),
    );
    assert.equal(linked(place.destination), 'two\n');

    const asked = proxy.asked.length;
    const direct = configure(place, { origin: server.url });
    await fetched(direct, [], { env: { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' } });
    assert.equal(proxy.asked.length, asked, 'NO_PROXY is obeyed');
  });

  /** A proxy that leads every name to one port of this machine. */
  async function startProxy(t: TestContext, port: number) {
    const asked: string[] = [];
    const proxy = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://none.test');
      asked.push(url.href);
      const onward = httpRequest({ port, path: url.pathname, headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
    proxy.on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      const onward = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      for (const each of [onward, socket]) each.on('error', () => onward.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      proxy.close();
      proxy.closeAllConnections();
    });
    return { asked, url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
  }
});

describe('runs at the same time', () => {
  it('wait for the lock, say so, and go on when it is free', async (t) => {
    const place = newPlace(t);
    publish(place.server, TWO);
    const holder = await holdLock(t, place.destination);
    const running = startTako(['fetch', configure(place)]);
    await running.says(/another run is at work, waiting/);
    assert.equal(linked(place.destination), undefined);
    holder.kill();
    assert.equal((await running.done).status, 0);
    assert.equal(linked(place.destination), 'two\n');
  });
  it('give up after --lock-timeout with status 4, for every command that needs the lock', async (t) => {
    const { place, config } = await hostWith(t, TWO);
    await holdLock(t, place.destination);
    await holdLock(t, place.server);
    put(join(place.root, 'new.key'), BERTA.secretText, 0o600);
    const image = join(place.root, 'image');
    put(image, 'three\n');
    const before = tree(place.root, { exact: true });
    for (const args of [
      ['fetch', config],
      ['apply', config],
      ['rollback', config],
      ['hold', config],
      ['unhold', config],
      ['gc', config],
      ['verify', '--repair', config],
      ['store', '-f', place.keyFile, '-o', place.server, image, '2.0'],
      ['store', '--remove-image', '1.0', '-o', place.server],
      ['sign', '--rotate', '--old-public-key', ALICE.publicText, '-f', join(place.root, 'new.key'), '-o', place.server],
    ]) {
      const { status, stderr, stdout } = await runTako([...args, '--lock-timeout', '200ms', '--json']);
      assert.equal(status, 4, `${args.join(' ')}: ${stderr}`);
      assert.match(stdout, /"LOCK_TIMEOUT"/);
      assert.match(stderr, /locked by another/);
    }
    assert.deepEqual(tree(place.root, { exact: true }), before);
  });
  it('do not need the lock to look', async (t) => {
    const { place, config } = await hostWith(t, TWO);
    await holdLock(t, place.destination);
    for (const args of [['status'], ['list'], ['history'], ['verify'], ['fetch', '--check'], ['gc', '--dry-run']]) {
      assert.equal((await runTako([...args, config], { timeoutMs: 10_000 })).status, 0, args.join(' '));
    }
  });

  it('of one destination, four at once: all succeed, and the image comes once', async (t) => {
    const place = newPlace(t);
    const content = noise(1_000_000);
    publish(place.server, { '1.0': content });
    const server = await serve(t, place);
    const config = configure(place, { origin: server.url });
    const ended = await Promise.all([1, 2, 3, 4].map(() => runTako(['fetch', config])));
    assert.deepEqual(
      ended.map(({ status }) => status),
      [0, 0, 0, 0],
    );
    assert.equal(server.requestsFor(imagePath(content)).length, 1);
    assert.equal(linked(place.destination), content.toString('latin1'));
  });
  it('that had to wait find what the other one has brought', async (t) => {
    const place = newPlace(t);
    publish(place.server, TWO);
    const server = await serve(t, place);
    const holder = await holdLock(t, place.destination);
    const running = startTako(['fetch', configure(place, { origin: server.url })]);
    await running.says(/waiting/);
    provision(place.destination, TWO, '1.1');
    holder.kill();
    const { status, stdout } = await running.done;
    assert.equal(status, 0);
    assert.match(stdout, /1\.1 is current/);
    assert.deepEqual(server.requestsFor(imagePath('two\n')), [], 'it is not fetched once more');
  });
  it('into one directory, four publishers at once: no entry is lost', async (t) => {
    const place = newPlace(t);
    for (let round = 0; round < 3; round++) {
      const ended = await Promise.all(
        ['a', 'b', 'c', 'd'].map((name) => {
          const image = join(place.root, `image-${round}-${name}`);
          put(image, `image ${round} ${name}`);
          return runTako(['store', '-f', place.keyFile, '-o', place.server, image, `${round}.${name}`]);
        }),
      );
      assert.deepEqual(
        ended.map(({ status }) => status),
        [0, 0, 0, 0],
      );
    }
    const rounds = [0, 1, 2].flatMap((round) =>
      ['a', 'b', 'c', 'd'].map((name) => [`${round}.${name}`, `image ${round} ${name}`]),
    );
    assert.deepEqual(fs.readFileSync(join(place.server, 'manifest')), manifestOf(Object.fromEntries(rounds)));
  });
});
