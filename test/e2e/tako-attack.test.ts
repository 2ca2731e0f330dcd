import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { makeCertificates } from '../support/certificates.ts';
import { type Behaviour, type HostileServer, startHostileServer } from '../support/hostile-server.ts';
import { needs } from '../support/needs.ts';
import { must, runTako } from '../support/program.ts';
import {
  ALICE,
  configure,
  editState,
  fetch,
  fetched,
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
  sealLines,
  sha256,
  stored,
  takoJson,
  tree,
} from './support.ts';

/** What the host has before an attack on its update, and what the publisher has published since. */
const BEFORE: Images = { '1.0': 'one\n', '1.1': 'two\n' };
const AFTER: Images = { ...BEFORE, '1.2': 'three\n' };
const NEWEST = `/store/${sha256('three\n')}`;
/** The order of the group, little-endian: S + L signs what S signs, for those who do not look. */
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

interface Attack {
  readonly title: string;
  /** Turn the origin bad. */
  readonly on: (origin: { readonly server: HostileServer; readonly place: Place }) => void;
  readonly code: string;
  readonly status: number;
  /** Options of fetch without which the attack would take too long. */
  readonly options?: readonly string[];
  /** A first fetch cannot tell: it has nothing to compare with. */
  readonly onlyUpdates?: true;
  /** The manifest was good and may be kept. */
  readonly manifestIsGood?: true;
  /** No more than so many bytes of it were taken, give or take what sockets hold. */
  readonly maxBytes?: readonly [path: string, bytes: number];
}

const serveManifest = (body: Uint8Array | string) => ({
  on: ({ server }: { readonly server: HostileServer }) => server.route('/manifest', { kind: 'serve', body }),
});
const serveImage = (behaviour: Behaviour) => ({
  on: ({ server }: { readonly server: HostileServer }) => server.route(NEWEST, behaviour),
  manifestIsGood: true as const,
});

const ATTACKS: readonly Attack[] = [
  // Arbitrary files.
  {
    title: 'an error page in the place of the manifest',
    ...serveManifest('<html>hello</html>'),
    code: 'INVALID_MANIFEST',
    status: 1,
  },
  { title: 'an empty manifest', ...serveManifest(''), code: 'INVALID_MANIFEST', status: 1 },
  {
    title: 'a manifest of a future format',
    ...serveManifest('Tako Manifest 2\n\n'),
    code: 'INVALID_MANIFEST',
    status: 1,
  },
  {
    title: 'a manifest with one changed digit',
    ...serveManifest(Buffer.from(manifestOf(AFTER).toString('latin1').replace('1.2 6', '1.2 7'))),
    code: 'INVALID_SIGNATURE',
    status: 3,
  },
  {
    title: 'a manifest with an entry of its own behind the signature',
    ...serveManifest(Buffer.concat([manifestOf(AFTER), Buffer.from(`9 5 ${sha256('evil\n')}\n`)])),
    code: 'INVALID_MANIFEST',
    status: 1,
  },
  {
    title: 'other bytes as the image',
    ...serveImage({ kind: 'serve', body: 'evil!\n' }),
    code: 'INVALID_DIGEST',
    status: 3,
  },
  // Wrong software: an image that is published, but not as this version.
  {
    title: 'the image of another version, of another size',
    ...serveImage({ kind: 'serve', body: 'two\n' }),
    code: 'INVALID_SIZE',
    status: 3,
  },
  {
    title: 'the image of another version, of the same size',
    on: ({ server }) => {
      const images: Images = { ...BEFORE, '1.2': 'THREE\n', '1.3': 'three\n' };
      server.route('/manifest', { kind: 'serve', body: manifestOf(images) });
      server.route(NEWEST, { kind: 'serve', body: 'THREE\n' });
    },
    manifestIsGood: true,
    code: 'INVALID_DIGEST',
    status: 3,
  },
  // Rollback, and mix-and-match.
  {
    title: 'an older manifest',
    ...serveManifest(manifestOf({ '1.0': 'one\n' })),
    code: 'OLDER_MANIFEST',
    status: 3,
    onlyUpdates: true,
  },
  {
    title: 'a manifest without entries',
    ...serveManifest(manifestOf({})),
    code: 'OLDER_MANIFEST',
    status: 3,
    onlyUpdates: true,
  },
  {
    title: 'a manifest of another application, signed by the same key',
    ...serveManifest(manifestOf({ '1.0': 'another\n', '7.0': 'application\n' })),
    code: 'NOT_A_SUPERSET',
    status: 3,
    onlyUpdates: true,
  },
  {
    title: 'a manifest that keeps one entry and changes the other',
    ...serveManifest(manifestOf({ '1.0': 'one\n', '1.1': 'evil\n', '1.2': 'three\n' })),
    code: 'NOT_A_SUPERSET',
    status: 3,
    onlyUpdates: true,
  },
  {
    title: 'a manifest that says two things about one version',
    ...serveManifest(sealLines([...lines(AFTER), `1.2.0 5 ${sha256('evil\n')}`])),
    code: 'INVALID_MANIFEST',
    status: 1,
  },
  // Wrong keys.
  {
    title: 'a manifest that another key has signed',
    ...serveManifest(manifestOf(AFTER, MALLORY)),
    code: 'INVALID_SIGNATURE',
    status: 3,
  },
  {
    title: 'entries of one manifest under the signature of another',
    ...serveManifest(Buffer.concat([manifestOf(AFTER).subarray(0, -89), manifestOf(BEFORE).subarray(-89)])),
    code: 'INVALID_SIGNATURE',
    status: 3,
  },
  {
    title: 'a signature with S + L',
    ...serveManifest(malleable(manifestOf(AFTER))),
    code: 'INVALID_SIGNATURE',
    status: 3,
  },
  // Endless data.
  {
    title: 'an endless manifest',
    on: ({ server }) => server.route('/manifest', { kind: 'endless' }),
    code: 'TOO_LARGE',
    status: 3,
    maxBytes: ['/manifest', 16 << 20],
  },
  {
    title: 'a manifest that says that it has a gigabyte',
    on: ({ server }) => server.route('/manifest', { kind: 'endless', headers: { 'content-length': '1000000000' } }),
    code: 'TOO_LARGE',
    status: 3,
    maxBytes: ['/manifest', 0],
  },
  {
    title: 'an endless image',
    ...serveImage({ kind: 'endless' }),
    code: 'INVALID_SIZE',
    status: 3,
    maxBytes: [NEWEST, 0],
  },
  {
    title: 'an image that says that it has a gigabyte',
    ...serveImage({ kind: 'endless', headers: { 'content-length': '1000000000' } }),
    code: 'INVALID_SIZE',
    status: 3,
    maxBytes: [NEWEST, 0],
  },
  {
    title: 'an image that is one byte too long',
    ...serveImage({ kind: 'chunked', body: 'three\n!' }),
    code: 'INVALID_SIZE',
    status: 3,
  },
  {
    title: 'an image that is one byte too short',
    ...serveImage({ kind: 'chunked', body: 'three' }),
    code: 'INVALID_SIZE',
    status: 3,
  },
  // Slow retrieval.
  ...(['stall', 'drip'] as const).flatMap((kind) => {
    const slow = {
      options: ['--speed-time', '1s', '--speed-limit', '1K', '--retry', '0'],
      code: 'HTTP_STALLED',
      status: 4,
    };
    const how = kind === 'stall' ? 'nothing at all' : 'a byte now and then';
    const behaviour: Behaviour = kind === 'stall' ? { kind } : { kind, bytes: 1, everyMs: 300 };
    return [
      {
        title: `${how} of the manifest`,
        on: ({ server }: { server: HostileServer }) => server.route('/manifest', behaviour),
        ...slow,
      },
      { title: `${how} of the image`, ...serveImage(behaviour), ...slow },
    ];
  }),
  // Redirects.
  ...[
    ['to a file', 'file:///etc/passwd'],
    ['to another protocol', 'ftp://127.0.0.1/manifest'],
    ['without end', '/manifest'],
  ].map(([where = '', to = '']) => ({
    title: `a redirect ${where}`,
    on: ({ server }: { server: HostileServer }) => server.route('/manifest', { kind: 'redirect', to }),
    code: 'HTTP_REDIRECT',
    status: 3,
  })),
  {
    title: 'a redirect of the image to a file',
    ...serveImage({ kind: 'redirect', to: 'file:///etc/passwd' }),
    code: 'HTTP_REDIRECT',
    status: 3,
  },
  // Names that lead out of the destination.
  ...['../../../etc/passwd', '..', '/etc/passwd'].map((name) => ({
    title: `a digest that is the path ${name}`,
    ...serveManifest(sealLines([...lines(AFTER), `1.3 6 ${name}`])),
    code: 'INVALID_MANIFEST',
    status: 1,
  })),
  {
    title: 'a digest that is a path of the right length',
    ...serveManifest(sealLines([...lines(AFTER), `1.3 6 ${'../'.repeat(21)}x`])),
    code: 'INVALID_MANIFEST',
    status: 1,
  },
];

function lines(images: Images): string[] {
  return Object.entries(images).map(([version, content]) => `${version} ${content.length} ${sha256(content)}`);
}

function malleable(manifest: Buffer): Buffer {
  const signature = Buffer.from(manifest.subarray(-89, -1).toString('latin1'), 'base64');
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + GROUP_ORDER;
  const bytes = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
  const text = Buffer.concat([signature.subarray(0, 32), bytes]).toString('base64');
  return Buffer.concat([manifest.subarray(0, -89), Buffer.from(`${text}\n`)]);
}

/** Names in a store that are no partial downloads, which may stay. */
function withoutParts(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).filter(([name]) => !name.endsWith('.part')));
}

/** Bytes that a server can get rid of while nobody reads: what the kernel lets two sockets hold, and a little more. */
const SOCKET_BUFFERS = ['rmem', 'wmem'].reduce((sum, which) => {
  const text = fs.readFileSync(`/proc/sys/net/ipv4/tcp_${which}`, 'latin1');
  return sum + Number(text.trim().split(/\s+/)[2]);
}, 8 << 20);

async function hostile(t: TestContext): Promise<{ place: Place; server: HostileServer; config: string }> {
  const place = newPlace(t);
  publish(place.server, AFTER);
  const server = await startHostileServer({ files: place.server });
  t.after(() => server.close());
  return { place, server, config: configure(place, { origin: server.url }) };
}

for (const [way, options, isUpdate] of [
  ['the first fetch', [], false],
  ['fetch --init', ['--init'], false],
  ['fetch --init where the link was lost', ['--init'], 'without a link'],
  ['an update', [], true],
  ['an update that is staged', ['--stage'], true],
] as const) {
  describe(`${way} refuses`, { concurrency: 4 }, () => {
    for (const attack of ATTACKS) {
      if (attack.onlyUpdates && isUpdate === false) continue;
      it(`${attack.title}: ${attack.code}, status ${attack.status}`, async (t) => {
        const { place, server, config } = await hostile(t);
        if (isUpdate !== false) provision(place.destination, BEFORE, '1.1');
        if (isUpdate === 'without a link') fs.rmSync(join(place.destination, 'latest'));
        attack.on({ server, place });
        const before = tree(place.destination, { own: false, exact: true });
        const { status, code, result } = await fetch(config, [...options, ...(attack.options ?? ['--retry', '0'])]);
        assert.deepEqual([status, code], [attack.status, attack.code], result.error?.message);
        const after = tree(place.destination, { own: false, exact: true });
        if (attack.manifestIsGood) {
          // A signed manifest is kept although its image was refused; nothing else may have changed.
          const names = Object.keys(withoutParts(after)).filter((name) => name !== 'manifest' && name !== 'store');
          assert.deepEqual(
            names,
            Object.keys(before).filter((name) => name !== 'manifest' && name !== 'store'),
          );
          assert.deepEqual(after['latest'], before['latest']);
        } else {
          assert.deepEqual(after, before);
        }
        assert.equal(linked(place.destination), isUpdate === true ? 'two\n' : undefined);
        const [path, bytes] = attack.maxBytes ?? ['', 0];
        for (const request of server.requestsFor(path))
          assert.ok(request.bytesSent <= bytes + SOCKET_BUFFERS, String(request.bytesSent));
      });
    }
  });
}

describe('an attack that was refused', () => {
  it('does not keep the host from the next honest answer', async (t) => {
    const { place, server, config } = await hostile(t);
    for (const body of ['<html>', manifestOf(AFTER, MALLORY)]) {
      server.route('/manifest', { kind: 'serve', body });
      assert.notEqual((await fetch(config)).status, 0);
    }
    server.route('/manifest', []);
    server.route(NEWEST, [{ kind: 'serve', body: 'evil!\n' }, { kind: 'serve' }]);
    assert.equal((await fetch(config)).code, 'INVALID_DIGEST');
    assert.equal(fs.existsSync(partOf(place.destination, 'three\n')), false, 'nothing of the wrong image is kept');
    await fetched(config);
    assert.equal(linked(place.destination), 'three\n');
  });
  it('is not recorded as success', async (t) => {
    const { server, config } = await hostile(t);
    server.route('/manifest', { kind: 'serve', body: manifestOf(AFTER, MALLORY) });
    await fetch(config);
    const { document } = await takoJson<{ results: Record<string, unknown>[] }>(['status', config]);
    assert.deepEqual([document.results[0]?.['succeededAt'], document.results[0]?.['currentVersion']], [null, null]);
  });
});

describe('a freeze', () => {
  it('cannot be refused, since manifests have no date, but is reported when WarnUnchanged= is set', async (t) => {
    const { place, server } = await hostile(t);
    const config = configure(place, { origin: server.url, more: ['WarnUnchanged=7d'] });
    await fetched(config);
    editState(place.destination, { changedAt: '2024-01-01T00:00:00Z' });
    for (const frozen of ['not modified', 'the same bytes']) {
      if (frozen !== 'not modified') server.route('/manifest', { kind: 'serve', headers: { etag: `"new"` } });
      const { status, stderr } = await fetch(config);
      assert.equal(status, 0);
      assert.match(stderr, /has not changed for/);
    }
  });
});

describe('a redirect', () => {
  it('from https to http is refused', { skip: needs('openssl') }, async (t) => {
    const { place, server: plain } = await hostile(t);
    const certificates = makeCertificates();
    t.after(() => certificates.remove());
    const { ca, serverCert, serverKey } = certificates;
    const secure = await startHostileServer({ files: place.server, tls: { cert: serverCert, key: serverKey } });
    t.after(() => secure.close());
    const config = configure(place, { origin: secure.url });
    secure.route('/manifest', { kind: 'redirect', to: `${plain.url}/manifest` });
    const { status, code } = await fetch(config, ['--cacert', ca]);
    assert.deepEqual([status, code, plain.requests.length], [3, 'HTTP_REDIRECT', 0]);
    secure.route('/manifest', []);
    secure.route(NEWEST, { kind: 'redirect', to: `${plain.url}${NEWEST}` });
    const image = await fetch(config, ['--cacert', ca]);
    assert.deepEqual(
      [image.status, image.code, plain.requests.length, linked(place.destination)],
      [3, 'HTTP_REDIRECT', 0, undefined],
    );
  });
  it('to another host does not take the password along', async (t) => {
    const { place, server } = await hostile(t);
    const other = await startHostileServer({ files: place.server });
    t.after(() => other.close());
    server.route('/manifest', { kind: 'redirect', to: `${other.url}/manifest` });
    const config = configure(place, { origin: server.url.replace('//', '//user:hush0815@'), mode: 0o600 });
    await fetched(config);
    assert.ok(server.requests.every(({ headers }) => headers.authorization !== undefined));
    assert.deepEqual(
      other.requests.map(({ headers }) => headers.authorization),
      [undefined],
    );
  });
  for (const [count, expected] of [
    [10, 0],
    [11, 3],
  ] as const) {
    it(`after ${count - 1} others ${expected === 0 ? 'is followed' : 'is not followed any more'}`, async (t) => {
      const { server, config } = await hostile(t);
      for (let i = 0; i < count; i++) {
        server.route(i === 0 ? '/manifest' : `/hop-${i}`, { kind: 'redirect', to: `/hop-${i + 1}` });
      }
      server.route(`/hop-${count}`, { kind: 'serve', body: manifestOf(AFTER) });
      assert.equal((await fetch(config)).status, expected);
    });
  }
});

describe('a weak public key', { concurrency: 4 }, () => {
  const points = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ];
  for (const point of points) {
    it(`${point.slice(0, 8)}..., with which anybody could sign, is refused before anything is asked, with either sign`, async (t) => {
      const { place, server } = await hostile(t);
      for (const top of [0, 0x80]) {
        const raw = Buffer.from(point, 'hex');
        raw[31] = (raw[31] ?? 0) | top;
        const config = configure(place, { origin: server.url, key: [ALICE.publicText, raw.toString('base64')] });
        const { status, code } = await fetch(config);
        assert.deepEqual([status, code, server.requests.length], [3, 'WEAK_PUBLIC_KEY', 0]);
      }
      assert.deepEqual(Object.keys(tree(place.destination)), ['.']);
    });
  }
});

describe('a file: origin', { concurrency: 4 }, () => {
  const ways: readonly (readonly [string, (place: Place) => unknown, string, number])[] = [
    ['with an error page as manifest', (p) => put(join(p.server, 'manifest'), '<html>'), 'INVALID_MANIFEST', 1],
    ['with an older manifest', (p) => publish(p.server, { '1.0': 'one\n' }), 'OLDER_MANIFEST', 3],
    ['with a manifest of another application', (p) => publish(p.server, { '1.0': 'other\n' }), 'NOT_A_SUPERSET', 3],
    ['with a manifest of another key', (p) => publish(p.server, AFTER, MALLORY), 'INVALID_SIGNATURE', 3],
    ['with a huge manifest', (p) => put(join(p.server, 'manifest'), Buffer.alloc((16 << 20) + 1)), 'TOO_LARGE', 3],
    ['with a device as manifest', (p) => link(p, 'manifest', '/dev/zero'), 'ORIGIN_UNREADABLE', 1],
    ['with a FIFO as manifest', (p) => fifo(p, 'manifest'), 'ORIGIN_UNREADABLE', 1],
    ['with a directory as manifest', (p) => directory(p, 'manifest'), 'ORIGIN_UNREADABLE', 1],
    ['with other bytes as image', (p) => put(join(p.server, NEWEST), 'evil!\n'), 'INVALID_DIGEST', 3],
    ['with a larger image', (p) => put(join(p.server, NEWEST), 'three\nand more'), 'INVALID_SIZE', 3],
    ['with a smaller image', (p) => put(join(p.server, NEWEST), 'thr'), 'INVALID_SIZE', 3],
    ['with a device as image', (p) => link(p, NEWEST, '/dev/zero'), 'ORIGIN_UNREADABLE', 1],
    ['with a FIFO as image', (p) => fifo(p, NEWEST), 'ORIGIN_UNREADABLE', 1],
    ['with a directory as image', (p) => directory(p, NEWEST), 'ORIGIN_UNREADABLE', 1],
  ];
  for (const [title, spoil, code, status] of ways) {
    it(`${title} is refused: ${code}, status ${status}`, async (t) => {
      const place = newPlace(t);
      provision(place.destination, BEFORE, '1.1');
      publish(place.server, AFTER);
      await spoil(place);
      const before = tree(place.destination, { own: false, exact: true });
      const answer = await fetch(configure(place));
      assert.deepEqual([answer.status, answer.code], [status, code], answer.result.error?.message);
      assert.equal(linked(place.destination), 'two\n');
      const after = tree(place.destination, { own: false, exact: true });
      if (title.endsWith('image'))
        assert.deepEqual(stored(place.destination), [sha256('one\n'), sha256('two\n')].sort());
      else assert.deepEqual(after, before);
    });
  }
  function link(place: Place, name: string, target: string): void {
    fs.rmSync(join(place.server, name));
    fs.symlinkSync(target, join(place.server, name));
  }
  function fifo(place: Place, name: string): Promise<unknown> {
    fs.rmSync(join(place.server, name));
    return must('mkfifo', [join(place.server, name)]);
  }
  function directory(place: Place, name: string): void {
    fs.rmSync(join(place.server, name));
    fs.mkdirSync(join(place.server, name));
  }
});

const STRANGER = 1234;

/** Whose destination it is, or who else may write there. */
const UNSAFE: readonly (readonly [string, string, (path: string) => void, RegExp])[] = [
  ['the destination', '', (path) => fs.chownSync(path, STRANGER, STRANGER), /chown root/],
  ['store/', 'store', (path) => fs.chownSync(path, STRANGER, STRANGER), /chown root/],
  ['.tako/', '.tako', (path) => fs.chownSync(path, STRANGER, STRANGER), /chown root/],
  ['the destination', '', (path) => fs.chmodSync(path, 0o777), /chmod .*o-w/],
  ['store/', 'store', (path) => fs.chmodSync(path, 0o757), /chmod o-w/],
  ['.tako/', '.tako', (path) => fs.chmodSync(path, 0o1777), /chmod .*o-w/],
  ['the destination', '', (path) => fs.chmodSync(path, 0o775), /chmod g-w/],
  ['store/', 'store', (path) => fs.chmodSync(path, 0o775), /chmod g-w/],
  ['.tako/', '.tako', (path) => fs.chmodSync(path, 0o2775), /chmod g-w/],
];

describe('a destination that another user could change', { skip: needs('root'), concurrency: 4 }, () => {
  async function updated(t: TestContext) {
    const place = newPlace(t);
    const config = configure(place);
    publish(place.server, BEFORE);
    await fetched(config);
    publish(place.server, AFTER);
    return { place, config };
  }
  for (const [what, name, spoil, mend] of UNSAFE) {
    it(`is refused, with the command that mends it: ${what}, ${spoil.toString().replace(/^.*fs\./, '')}`, async (t) => {
      const { place, config } = await updated(t);
      spoil(join(place.destination, name));
      const before = tree(place.destination, { exact: true });
      for (const args of [
        ['fetch', config],
        ['fetch', '--init', config],
        ['fetch', '--stage', config],
        ['apply', config],
        ['verify', '--repair', config],
        ['gc', config],
        ['rollback', config],
        ['hold', config],
        ['unhold', config],
      ]) {
        const { status, stdout } = await runTako([...args, '--json']);
        assert.deepEqual([status, /"UNSAFE_OWNER"/.test(stdout)], [3, true], `${args.join(' ')}: ${stdout}`);
        assert.match(stdout, mend);
      }
      assert.deepEqual(tree(place.destination, { exact: true }), before);
      for (const args of [['status'], ['list'], ['history'], ['verify']]) {
        const { status, stderr } = await runTako([...args, config]);
        assert.equal(status, 0, `${args.join(' ')}: ${stderr}`);
        assert.match(stderr, mend, 'commands that only read warn');
      }
    });
  }
  it('is no place to publish to either', async (t) => {
    const { place } = await updated(t);
    fs.chmodSync(place.server, 0o777);
    const before = tree(place.server, { exact: true });
    const image = join(place.root, 'image');
    put(image, 'four\n');
    for (const args of [
      ['store', '-f', place.keyFile, '-o', place.server, image, '2.0'],
      ['store', '--remove-image', '1.0', '-o', place.server],
      ['sign', '--rotate', '--old-public-key', MALLORY.publicText, '-f', place.keyFile, '-o', place.server],
    ]) {
      const { status, document } = await takoJson(args);
      assert.deepEqual([status, document['code']], [3, 'UNSAFE_OWNER'], args.join(' '));
    }
    assert.deepEqual(tree(place.server, { exact: true }), before);
  });

  for (const name of ['store', '.tako']) {
    it(`is refused when its ${name} is a link, and what the link leads to is not touched`, async (t) => {
      const { place, config } = await updated(t);
      const elsewhere = join(place.root, 'elsewhere');
      fs.renameSync(join(place.destination, name), elsewhere);
      fs.symlinkSync(elsewhere, join(place.destination, name));
      const before = tree(place.root, { exact: true });
      for (const options of [[], ['--init']]) {
        const { status, code } = await fetch(config, options);
        assert.deepEqual([status, code], [3, 'NOT_A_DIRECTORY']);
      }
      assert.deepEqual(tree(place.root, { exact: true }), before);
    });
    it(`is refused when its ${name} is a file`, async (t) => {
      const { place, config } = await updated(t);
      fs.rmSync(join(place.destination, name), { recursive: true });
      put(join(place.destination, name), 'file');
      const { status, code } = await fetch(config);
      assert.deepEqual([status, code], [3, 'NOT_A_DIRECTORY']);
    });
  }

  it('is refused behind a link that somebody else owns or could replace', async (t) => {
    const { place } = await updated(t);
    const shared = join(place.root, 'shared');
    fs.mkdirSync(shared);
    fs.symlinkSync(place.destination, join(shared, 'link'));
    const config = configure(place, { destination: join(shared, 'link'), name: 'linked' });
    const outcome = async () => {
      const { status, code } = await fetch(config, ['--init']);
      return [status, code];
    };
    assert.deepEqual(await outcome(), [0, undefined], 'a link of root in a directory of root');
    fs.chmodSync(shared, 0o777);
    assert.deepEqual(await outcome(), [3, 'UNSAFE_LINK'], 'in a directory where all may write');
    fs.chmodSync(shared, 0o1777);
    assert.deepEqual(await outcome(), [0, undefined], "root's link in a sticky directory");
    fs.lchownSync(join(shared, 'link'), STRANGER, STRANGER);
    assert.deepEqual(await outcome(), [3, 'UNSAFE_LINK'], "somebody's link in a sticky directory");
    fs.lchownSync(join(shared, 'link'), 0, 0);
    fs.chmodSync(shared, 0o755);
    fs.chownSync(shared, STRANGER, STRANGER);
    assert.deepEqual(await outcome(), [3, 'UNSAFE_LINK'], "root's link in somebody's directory");
  });
});

describe('a name in the destination that is not what it should be', { concurrency: 4 }, () => {
  async function installed(t: TestContext) {
    const place = newPlace(t);
    publish(place.server, BEFORE);
    const config = configure(place, { version: '1.0' });
    await fetched(config);
    configure(place);
    const path = (name: string): string => join(place.destination, name);
    return { place, config, path };
  }
  const image = `store/${sha256('two\n')}`;

  for (const [what, make] of [
    ['a file', (path: string) => fs.writeFileSync(path, 'precious')],
    ['a directory', (path: string) => fs.mkdirSync(path)],
  ] as const) {
    it(`latest, ${what}, is refused and kept`, async (t) => {
      const { place, config, path } = await installed(t);
      fs.rmSync(path('latest'));
      make(path('latest'));
      const before = tree(place.destination, { own: false, exact: true })['latest'];
      for (const options of [[], ['--init']]) {
        const { status, code } = await fetch(config, options);
        assert.deepEqual([status, code], [1, 'LATEST_NOT_A_LINK']);
      }
      assert.equal(tree(place.destination, { own: false, exact: true })['latest'], before);
    });
  }
  for (const target of ['/etc/passwd', '../../etc/passwd', `store/../${image}`, `/${image}`, 'store', 'nowhere']) {
    it(`latest, a link to ${target.slice(0, 20)}, is replaced, and is not taken for an image`, async (t) => {
      const { place, config, path } = await installed(t);
      fs.rmSync(path('latest'));
      fs.symlinkSync(target, path('latest'));
      assert.match((await runTako(['status', config])).stdout, /current: +none/);
      await fetched(config);
      assert.equal(linked(place.destination), 'two\n');
    });
  }

  for (const [what, make] of [
    ['a link', (path: string, place: Place) => fs.symlinkSync(join(place.root, 'precious'), path)],
    ['a FIFO', (path: string) => must('mkfifo', [path])],
    [
      'a hard link to a file of somebody',
      (path: string, place: Place) => fs.linkSync(join(place.root, 'precious'), path),
    ],
  ] as const) {
    it(`the image, ${what}, is replaced by a regular file, and nothing is written through it`, async (t) => {
      const { place, config, path } = await installed(t);
      put(join(place.root, 'precious'), 'precious');
      await make(path(image), place);
      await fetched(config);
      assert.equal(linked(place.destination), 'two\n');
      assert.ok(fs.lstatSync(path(image)).isFile());
      assert.equal(fs.readFileSync(join(place.root, 'precious'), 'latin1'), 'precious');
    });
    it(`the partial download, ${what}, is replaced, and nothing is written through it`, async (t) => {
      const { place, config } = await installed(t);
      put(join(place.root, 'precious'), 'prec');
      await make(partOf(place.destination, 'two\n'), place);
      await fetched(config);
      assert.equal(linked(place.destination), 'two\n');
      assert.equal(fs.readFileSync(join(place.root, 'precious'), 'latin1'), 'prec');
    });
  }
  it('the image, a directory, is an error that names it, and what is linked stays', async (t) => {
    const { place, config, path } = await installed(t);
    fs.mkdirSync(path(image));
    fs.writeFileSync(join(path(image), 'precious'), 'precious');
    const { status, result, code } = await fetch(config);
    assert.ok(status === 1 || status === 3);
    assert.notEqual(code, 'UNEXPECTED');
    assert.ok(result.error?.message.includes(sha256('two\n')), result.error?.message);
    assert.equal(linked(place.destination), 'one\n');
    assert.ok(fs.existsSync(join(path(image), 'precious')));
  });

  for (const name of ['manifest', '.tako/lock', '.tako/state.json']) {
    it(`${name}, a link, is refused, and what it leads to is not touched`, async (t) => {
      const { place, config, path } = await installed(t);
      const precious = join(place.root, 'precious');
      fs.renameSync(path(name), precious);
      fs.symlinkSync(precious, path(name));
      const before = tree(place.root, { exact: true })['precious'];
      const { status, code } = await fetch(config);
      assert.deepEqual([status, code], [3, 'NOT_A_REGULAR_FILE']);
      assert.equal(tree(place.root, { exact: true })['precious'], before);
      assert.equal(linked(place.destination), 'one\n');
    });
    it(`${name}, a FIFO, is refused without waiting for its other end`, async (t) => {
      const { config, path } = await installed(t);
      fs.rmSync(path(name));
      await must('mkfifo', [path(name)]);
      const { status, code } = await fetch(config, [], { timeoutMs: 10_000 });
      assert.deepEqual([status, code], [3, 'NOT_A_REGULAR_FILE']);
    });
  }
  for (const name of ['manifest.tmp', 'latest.tmp', 'state.json.tmp']) {
    it(`.tako/${name}, a link, is replaced, and nothing is written through it`, async (t) => {
      const { place, config, path } = await installed(t);
      put(join(place.root, 'precious'), 'precious');
      fs.symlinkSync(join(place.root, 'precious'), path(`.tako/${name}`));
      publish(place.server, AFTER);
      await fetched(config);
      assert.equal(fs.readFileSync(join(place.root, 'precious'), 'latin1'), 'precious');
      assert.deepEqual(fs.readdirSync(path('.tako')).sort(), ['lock', 'state.json']);
    });
  }
});

describe('a configuration', { skip: needs('root'), concurrency: 4 }, () => {
  const spoils: readonly (readonly [string, (path: string) => void])[] = [
    ['of another user', (path) => fs.chownSync(path, STRANGER, STRANGER)],
    ['that everybody may write', (path) => fs.chmodSync(path, 0o646)],
    ['that a group may write', (path) => fs.chmodSync(path, 0o664)],
  ];
  for (const [title, spoil] of spoils) {
    for (const more of [[], ['HealthCheck=/bin/true']]) {
      it(`${title}${more.length > 0 ? ', with a command in it,' : ''} is refused with the command that mends it`, async (t) => {
        const { place, server } = await hostile(t);
        const config = configure(place, { origin: server.url, more });
        spoil(config);
        const { status, code, result } = await fetch(config);
        assert.deepEqual([status, code, server.requests.length], [3, 'UNSAFE_OWNER', 0]);
        assert.match(result.error?.hint ?? '', /^ch(own|mod) /);
        assert.deepEqual(Object.keys(tree(place.destination)), ['.']);
      });
    }
  }
  for (const [mode, expected] of [
    [0o600, 0],
    [0o640, 0],
    [0o644, 3],
    [0o604, 3],
  ] as const) {
    it(`with a password in it is ${expected === 0 ? 'taken' : 'refused'} with mode ${mode.toString(8)}`, async (t) => {
      const { place, server } = await hostile(t);
      const config = configure(place, { origin: server.url.replace('//', '//user:hush0815@'), mode });
      const { status, result } = await fetch(config);
      assert.deepEqual([status, result.error?.code], [expected, expected === 0 ? undefined : 'UNSAFE_OWNER']);
      if (expected !== 0) assert.match(result.error?.hint ?? '', /chmod o-r/);
    });
  }
  it('behind a link that another user could change is refused', async (t) => {
    const { place, server } = await hostile(t);
    const config = configure(place, { origin: server.url });
    const shared = join(place.root, 'shared');
    fs.mkdirSync(shared);
    fs.symlinkSync(config, join(shared, 'app'));
    assert.equal((await fetch(join(shared, 'app'), ['--check'])).status, 10);
    fs.chmodSync(shared, 0o777);
    const { status, code } = await fetch(join(shared, 'app'));
    assert.deepEqual([status, code], [3, 'UNSAFE_LINK']);
  });
  for (const [what, make] of [
    ['a FIFO', (path: string) => must('mkfifo', [path])],
    ['a directory', (path: string) => fs.mkdirSync(path)],
    ['a megabyte', (path: string) => fs.writeFileSync(path, noise((1 << 20) + 1).toString('base64'))],
  ] as const) {
    it(`that is ${what} is refused`, async (t) => {
      const place = newPlace(t);
      const config = join(place.root, 'odd');
      await make(config);
      const { status } = await fetch(config, [], { timeoutMs: 10_000 });
      assert.equal(status, 3);
    });
  }
});
