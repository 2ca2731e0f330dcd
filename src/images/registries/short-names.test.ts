import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startFakeRegistry } from '../../../test/support/fake-registry.ts';
import { needs } from '../../../test/support/needs.ts';
import { run } from '../../../test/support/program.ts';
import { formatNamed } from '../../oci/index.ts';
import type { ShortNameMode } from './conf-file.ts';
import { host, USER } from './registries.fixture.ts';
import { isShortName, resolveShortName } from './short-names.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

function resolve(
  text: string,
  unqualifiedSearch: readonly string[] = [],
  aliases: Readonly<Record<string, string>> = {},
  shortNameMode: ShortNameMode = 'permissive',
) {
  const conf = { unqualifiedSearch, aliases: new Map(Object.entries(aliases)), shortNameMode };
  const { candidates, by } = resolveShortName(conf, text);
  return [by, ...candidates.map(formatNamed)];
}

describe('a name without a host', () => {
  for (const [text, isShort] of [
    ['busybox', true],
    ['busybox:1.36', true],
    [`busybox@${DIGEST}`, true],
    ['team/app', true],
    ['localhost/app', false],
    ['localhost:5000/app', false],
    ['quay.io/app', false],
    ['host:5000/app', false],
  ] as const) {
    it(`${isShort ? 'is' : 'is not'} ${text}`, () => assert.equal(isShortName(text), isShort));
  }

  it('is one of docker.io when nothing is configured', () => {
    assert.deepEqual(resolve('busybox'), ['docker', 'docker.io/library/busybox']);
    assert.deepEqual(resolve('team/app:1'), ['docker', 'docker.io/team/app:1']);
  });

  it('may be an alias, which keeps tag and digest', () => {
    const aliases = { app: 'quay.io/team/app', 'team/x': 'docker.io/x' };
    const expected = [
      'quay.io/team/app',
      'quay.io/team/app:1',
      `quay.io/team/app@${DIGEST}`,
      `quay.io/team/app:1@${DIGEST}`,
    ];
    const texts = ['app', 'app:1', `app@${DIGEST}`, `app:1@${DIGEST}`];
    assert.deepEqual(
      texts.map((text) => resolve(text, ['a.test', 'b.test'], aliases, 'enforcing')[1]),
      expected,
    );
    assert.deepEqual(resolve('team/x', [], aliases), ['alias', 'docker.io/library/x']);
    assert.deepEqual(resolve('team/app', [], aliases), ['docker', 'docker.io/team/app']);
  });

  it('is searched for in every registry, in their order', () => {
    const hosts = ['a.test', 'docker.io', 'b.test:5000'];
    assert.deepEqual(resolve('app:1', hosts), [
      'search',
      'a.test/app:1',
      'docker.io/library/app:1',
      'b.test:5000/app:1',
    ]);
    assert.deepEqual(resolve('app:1', hosts, {}, 'disabled').length, 4);
  });

  it('is refused when that must be clear and is not, with what it may be', () => {
    assert.deepEqual(resolve('app', ['a.test'], {}, 'enforcing'), ['search', 'a.test/app']);
    assert.throws(() => resolve('app', ['a.test', 'b.test'], {}, 'enforcing'), {
      code: 'SHORT_NAME',
      subject: 'app',
      message: /a\.test\/app, b\.test\/app/,
    });
  });

  it('does not touch a name in full, whatever is configured', () => {
    assert.deepEqual(resolve('quay.io/app:1', ['a.test'], { app: 'b.test/app' }), ['name', 'quay.io/app:1']);
  });

  it('that is no name is an error', () => {
    for (const text of ['', 'UPPER', 'a b', 'a:', 'a@sha256:x']) {
      assert.throws(() => resolve(text, ['a.test']), { name: 'OciError' }, text);
    }
  });
});

describe('podman', { skip: needs('podman', 'root') }, () => {
  for (const [title, conf, name] of [
    ['every registry to search', 'short-name-mode="permissive"\nSEARCH', 'app:1'],
    ['every registry to search without a mode', 'SEARCH', 'team/app:1'],
    ['an alias alone', 'short-name-mode="enforcing"\nSEARCH\n[aliases]\n"app"="SECOND/other/app"', 'app:1'],
  ] as const) {
    it(`asks where we would ask: ${title}`, async (t) => {
      const [first, second] = [await startFakeRegistry(), await startFakeRegistry()];
      for (const server of [first, second]) t.after(() => server.close());
      const insecure = [first, second].map((one) => `[[registry]]\nlocation="${one.host}"\ninsecure=true\n`).join('');
      const search = `unqualified-search-registries=${JSON.stringify([first.host, second.host])}`;
      const text = `${conf.replace('SEARCH', search).replace('SECOND', second.host)}\n${insecure}`;
      const { env, dir, load } = host(t, { [USER]: text });
      const store = ['--root', `${dir}/store`, '--runroot', `${dir}/run`, '--storage-driver=vfs'];
      await run('podman', [...store, 'pull', name], {
        env: { ...env, TMPDIR: dir, XDG_RUNTIME_DIR: dir, XDG_CACHE_HOME: `${dir}/cache` },
      });
      const asked = [first, second].flatMap((server) =>
        server
          .requestsFor('/manifests/')
          .map(({ url }) => `${server.host}${url.replace('/v2/', '/').replace('/manifests/', ':')}`),
      );
      const { candidates } = resolveShortName(await load(), name);
      assert.deepEqual([...new Set(asked)], candidates.map(formatNamed));
    });
  }
});
