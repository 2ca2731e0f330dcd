import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { digestOf } from './digest.ts';
import { familiarName, formatNamed, type NamedReference, parseNamed, withDefaultTag } from './reference.ts';

const DIGEST = digestOf(Buffer.alloc(0));

describe('the name of an image', () => {
  for (const [text, full, familiar = text] of [
    ['busybox', 'docker.io/library/busybox'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36', 'busybox'],
    [`busybox@${DIGEST}`, `docker.io/library/busybox@${DIGEST}`, 'busybox'],
    [`busybox:a@${DIGEST}`, `docker.io/library/busybox:a@${DIGEST}`, 'busybox'],
    ['some/app', 'docker.io/some/app'],
    ['docker.io/busybox', 'docker.io/library/busybox', 'busybox'],
    ['index.docker.io/some/app', 'docker.io/some/app', 'some/app'],
    ['index.docker.io/busybox', 'docker.io/library/busybox', 'busybox'],
    ['docker.io/library/a/b', 'docker.io/library/a/b', 'library/a/b'],
    ['docker.io/localhost/a', 'docker.io/localhost/a'],
    ['docker.io/a.b/c', 'docker.io/a.b/c'],
    ['localhost/app', 'localhost/app'],
    ['localhost:5000/app', 'localhost:5000/app'],
    ['localhost:5000/app:5000', 'localhost:5000/app:5000', 'localhost:5000/app'],
    ['quay.io/some/deep/app', 'quay.io/some/deep/app'],
    ['Host/app', 'Host/app'],
    ['[::1]:5000/app', '[::1]:5000/app'],
    ['127.0.0.1:5000/a__b/c--d/e.f-g_h', '127.0.0.1:5000/a__b/c--d/e.f-g_h'],
    [`x/${'a'.repeat(243)}`, `docker.io/x/${'a'.repeat(243)}`],
  ] as const) {
    it(`${text.slice(0, 60)} is ${full.slice(0, 60)}`, () => {
      assert.equal(formatNamed(parseNamed(text)), full);
      assert.equal(familiarName(parseNamed(text)), familiar);
    });
  }

  for (const text of [
    '',
    ':tag',
    'Busybox',
    'quay.io/Some/app',
    'a//b',
    '/a',
    'a/',
    'a/:tag',
    'quay.io/',
    'a b',
    'a\n',
    '-a',
    'a-',
    'a..b',
    'a___b',
    'a:',
    'a:-x',
    `a:${'x'.repeat(129)}`,
    'a:b:c',
    'ho_st.x/a',
    '-host.x/a',
    'host:port/a',
    'host:/a',
    'https://quay.io/a',
    '../a',
    'a/../b',
    'ä/b',
    '0'.repeat(64),
    `x/${'a'.repeat(244)}`,
    'a'.repeat(2000),
  ]) {
    it(`is not ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.throws(() => parseNamed(text), { name: 'OciError', code: 'BAD_REFERENCE' });
    });
  }

  it('with a digest that nobody can verify is refused as such', () => {
    for (const digest of ['', 'sha256:abc', 'md5:aa', `${DIGEST}@${DIGEST}`, `${DIGEST}:tag`]) {
      assert.throws(() => parseNamed(`a@${digest}`), { code: 'INVALID_DIGEST' });
    }
  });

  it('gets the tag latest only when it has neither tag nor digest', () => {
    assert.equal(withDefaultTag(parseNamed('a')).tag, 'latest');
    assert.equal(withDefaultTag(parseNamed('a:b')).tag, 'b');
    assert.equal(withDefaultTag(parseNamed(`a@${DIGEST}`)).tag, undefined);
  });

  it('means the same after it was written, in full and as people do', () => {
    fc.assert(
      fc.property(names, (reference) => {
        assert.deepEqual(parseNamed(formatNamed(reference)), reference);
        const { domain, path } = reference;
        assert.deepEqual(parseNamed(familiarName(reference)), { domain, path });
      }),
      { numRuns: 500 },
    );
  });

  it('does not take long to refuse', () => {
    const start = performance.now();
    for (const text of [`${'a'.repeat(900)}!`, `${'a-'.repeat(450)}!`, `a/${'a.'.repeat(450)}`]) {
      assert.throws(() => parseNamed(text), { code: 'BAD_REFERENCE' });
    }
    assert.ok(performance.now() - start < 500);
  });
});

const component = fc.stringMatching(/^[a-z0-9]{1,4}((\.|_|__|-{1,2})[a-z0-9]{1,3}){0,2}$/);
const names: fc.Arbitrary<NamedReference> = fc
  .record({
    domain: fc.constantFrom('docker.io', 'localhost', 'quay.io', '127.0.0.1:5000', 'Upper'),
    components: fc.array(fc.oneof(component, fc.constantFrom('library', 'localhost', 'a.b')), {
      minLength: 1,
      maxLength: 3,
    }),
    tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,6}$/), { nil: undefined }),
    digest: fc.option(fc.constant(DIGEST), { nil: undefined }),
  })
  .map(({ domain, components, tag, digest }) => ({
    domain,
    path: (domain === 'docker.io' && components.length === 1 ? ['library', ...components] : components).join('/'),
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  }));
