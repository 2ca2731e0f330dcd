import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { startFakeRegistry } from '../../../test/support/fake-registry.ts';
import { needs } from '../../../test/support/needs.ts';
import { run } from '../../../test/support/program.ts';
import { formatNamed, parseNamed } from '../../oci/index.ts';
import { host, loaded, USER } from './registries.fixture.ts';
import { registryBlocked, resolveRegistry } from './resolve.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const registry = (...lines: string[]) => `[[registry]]\n${lines.join('\n')}\n`;
const mirror = (...lines: string[]) => `[[registry.mirror]]\n${lines.join('\n')}\n`;

async function resolved(t: TestContext, text: string, name: string) {
  const { endpoints, ...rest } = resolveRegistry(await loaded(t, text), parseNamed(name));
  return { ...rest, endpoints: endpoints.map(({ reference }) => formatNamed(reference)), full: endpoints };
}

describe('a name in a registry', () => {
  it('is looked for where it says when nobody says otherwise', async (t) => {
    const { endpoints, blocked, insecure, rule } = await resolved(t, registry('location="a.test"'), 'b.test/x:1');
    assert.deepEqual([endpoints, blocked, insecure, rule], [['b.test/x:1'], false, false, undefined]);
  });

  it('is looked for at the mirrors in their order, and then in the place itself', async (t) => {
    const text =
      registry('prefix="a.test/foo"', 'location="b.test/bar"', 'insecure=true') +
      mirror('location="m.test"') +
      mirror('location="n.test:5000/foo"', 'insecure=true');
    const { full, insecure } = await resolved(t, text, `a.test/foo/x:1@${DIGEST}`);
    assert.deepEqual(
      full.map(({ reference, ...rest }) => ({ name: formatNamed(reference), ...rest })),
      [
        { name: `m.test/x:1@${DIGEST}`, insecure: false, isMirror: true },
        { name: `n.test:5000/foo/x:1@${DIGEST}`, insecure: true, isMirror: true },
        { name: `b.test/bar/x:1@${DIGEST}`, insecure: true, isMirror: false },
      ],
    );
    assert.equal(insecure, true);
  });

  it('is looked for at a mirror for digests only by digest, at one for tags only by tag', async (t) => {
    const text =
      registry('location="a.test"') +
      mirror('location="d.test"', 'pull-from-mirror="digest-only"') +
      mirror('location="t.test"', 'pull-from-mirror="tag-only"') +
      mirror('location="m.test"', 'pull-from-mirror="all"');
    assert.deepEqual((await resolved(t, text, 'a.test/x:1')).endpoints, ['t.test/x:1', 'm.test/x:1', 'a.test/x:1']);
    const byDigest = (await resolved(t, text, `a.test/x@${DIGEST}`)).endpoints;
    assert.deepEqual(byDigest, [`d.test/x@${DIGEST}`, `m.test/x@${DIGEST}`, `a.test/x@${DIGEST}`]);
    const allByDigest = registry('location="a.test"', 'mirror-by-digest-only=true') + mirror('location="m.test"');
    assert.deepEqual((await resolved(t, allByDigest, 'a.test/x:1')).endpoints, ['a.test/x:1']);
    assert.equal((await resolved(t, allByDigest, `a.test/x@${DIGEST}`)).endpoints.length, 2);
  });

  for (const [prefix, name, matches] of [
    ['a.test', 'a.test/x', true],
    ['a.test', 'a.test:5000/x', true],
    ['a.test', 'a.testing/x', false],
    ['a.test', 'b.a.test/x', false],
    ['a.test:5000', 'a.test/x', false],
    ['a.test/foo', 'a.test/foo:1', true],
    ['a.test/foo', 'a.test/foo/x', true],
    ['a.test/foo', 'a.test/foobar', false],
    ['a.test/foo:1', 'a.test/foo:1', true],
    ['a.test/foo:1', 'a.test/foo:12', false],
    ['docker.io/library', 'busybox', true],
    ['docker.io/busybox', 'busybox', false],
    ['*.a.test', 'x.a.test/foo', true],
    ['*.a.test', 'x.y.a.test:5000/foo', true],
    ['*.a.test', 'a.test/foo', false],
    ['*.a.test', 'xa.test/foo', false],
    ['*.a.test', 'x.a.test.b.test/foo', false],
    ['*.a.test', 'x.a.test.a.test/foo', true],
    ['*.a.test', 'b.test/x.a.test', false],
  ] as const) {
    it(`${name} is ${matches ? '' : 'not '}meant by ${prefix}`, async (t) => {
      const { blocked } = await resolved(t, registry(`prefix="${prefix}"`, 'location="z.test"', 'blocked=true'), name);
      assert.equal(blocked, matches);
    });
  }

  it('follows the longest prefix alone', async (t) => {
    const text =
      registry('location="a.test"', 'blocked=true') +
      registry('prefix="a.test/foo/bar"', 'location="c.test"') +
      registry('prefix="a.test/foo"', 'location="b.test"');
    assert.deepEqual((await resolved(t, text, 'a.test/foo/bar/x')).endpoints, ['c.test/x']);
    assert.deepEqual((await resolved(t, text, 'a.test/foo/x')).endpoints, ['b.test/x']);
    assert.equal((await resolved(t, text, 'a.test/x')).blocked, true);
  });

  it('stays as it is below a wildcard without a place, but its mirrors count', async (t) => {
    const text = registry('prefix="*.a.test"', 'insecure=true') + mirror('location="m.test/all"');
    const { endpoints, insecure } = await resolved(t, text, 'x.a.test/foo:1');
    assert.deepEqual([endpoints, insecure], [['m.test/all/foo:1', 'x.a.test/foo:1'], true]);
  });

  it('that a rule makes into none is an error about the rule', async (t) => {
    const text = registry('prefix="a.test/foo"', 'location="b.test/BAR"');
    await assert.rejects(resolved(t, text, 'a.test/foo/x'), { code: 'BAD_REGISTRIES_CONF' });
  });

  it('that is blocked has no place, and the error says by which rule', async (t) => {
    const conf = await loaded(t, registry('location="a.test"', 'blocked=true'));
    const reference = parseNamed('a.test/x:1');
    const found = resolveRegistry(conf, reference);
    assert.deepEqual([found.blocked, found.endpoints], [true, []]);
    const error = registryBlocked(reference, found);
    assert.deepEqual([error.code, error.subject], ['REGISTRY_BLOCKED', 'a.test/x:1']);
    assert.match(error.message, /a\.test.*registries\.conf/);
  });
});

describe('skopeo', { skip: needs('skopeo') }, () => {
  for (const [title, text, name] of [
    ['a location', registry('prefix="a.test/foo"', 'location="HOST/bar"', 'insecure=true'), 'a.test/foo/x:1'],
    [
      'mirrors',
      registry('location="HOST"', 'insecure=true') +
        mirror('location="HOST/m"', 'insecure=true') +
        mirror('location="HOST/n"', 'insecure=true'),
      'HOST/x:1',
    ],
    [
      'mirrors by tag and digest',
      registry('prefix="a.test"', 'location="HOST"', 'insecure=true') +
        mirror('location="HOST/m"', 'insecure=true', 'pull-from-mirror="tag-only"') +
        mirror('location="HOST/n"', 'insecure=true', 'pull-from-mirror="digest-only"'),
      'a.test/x:1',
    ],
    [
      'mirrors by digest',
      registry('prefix="a.test"', 'location="HOST"', 'insecure=true', 'mirror-by-digest-only=true') +
        mirror('location="HOST/m"', 'insecure=true'),
      `a.test/x@${DIGEST}`,
    ],
    ['a wildcard', registry('prefix="*.a.test"', 'location="HOST/w"', 'insecure=true'), 'b.c.a.test/x/y:1'],
    [
      'the longest prefix',
      registry('prefix="a.test"', 'location="HOST/short"', 'insecure=true') +
        registry('prefix="a.test/x"', 'location="HOST/long"', 'insecure=true'),
      'a.test/x/y:1',
    ],
    [
      "Docker's registry",
      registry('prefix="docker.io/library"', 'location="HOST/hub"', 'insecure=true'),
      'docker.io/busybox:1',
    ],
  ] as const) {
    it(`asks where we would ask: ${title}`, async (t) => {
      const server = await startFakeRegistry();
      t.after(() => server.close());
      const conf = text.replaceAll('HOST', server.host);
      const reference = name.replaceAll('HOST', server.host);
      const { env, dir } = host(t, { [USER]: conf });
      const words = ['inspect', '--no-creds', `docker://${reference}`];
      await run('skopeo', words, { env: { ...env, TMPDIR: dir, XDG_RUNTIME_DIR: join(dir, 'run') } });
      const asked = server.requestsFor('/manifests/').map(({ url }) => url);
      const { full } = await resolved(t, conf, reference);
      const ours = full.map(({ reference: { path, tag, digest } }) => `/v2/${path}/manifests/${digest ?? tag}`);
      assert.ok(ours.length > 0);
      assert.deepEqual(asked, ours);
    });
  }
});
