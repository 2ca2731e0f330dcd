import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { needs } from '../../../test/support/needs.ts';
import { run } from '../../../test/support/program.ts';
import { codeOf } from '../../base/error.ts';
import { parseConfFile } from './conf-file.ts';
import { host, USER } from './registries.fixture.ts';

const parse = (text: string) => parseConfFile('/x/registries.conf', Buffer.from(text));
const registry = (...lines: string[]) => `[[registry]]\n${lines.join('\n')}\n`;

describe('a registries.conf', () => {
  it('tells of registries, their places, mirrors and safety', async () => {
    const { rules } = await parse(`
[[registry]]
prefix = "example.com/foo/"
location = "internal.test/bar"
mirror-by-digest-only = true
[[registry.mirror]]
location = "mirror-0.test/foo"
[[registry]]
location = "quay.io"
insecure = true
blocked = true
unknown = "passed over"
[[registry.mirror]]
location = "mirror-1.test"
insecure = true
pull-from-mirror = "tag-only"
[[registry]]
prefix = "*.example.com"
`);
    const file = '/x/registries.conf';
    const digestOnly = { location: 'mirror-0.test/foo', insecure: false, pullFromMirror: 'digest-only' };
    const tagOnly = { location: 'mirror-1.test', insecure: true, pullFromMirror: 'tag-only' };
    const safe = { insecure: false, blocked: false, file };
    assert.deepEqual(rules, [
      { prefix: 'example.com/foo', location: 'internal.test/bar', ...safe, mirrors: [digestOnly] },
      { prefix: 'quay.io', location: 'quay.io', insecure: true, blocked: true, file, mirrors: [tagOnly] },
      { prefix: '*.example.com', location: '', ...safe, mirrors: [] },
    ]);
  });

  it('takes keys in any case, as the tools do: a block must not be lost by a capital letter', async () => {
    assert.equal((await parse(registry('Location="a.test"', 'BLOCKED=true'))).rules[0]?.blocked, true);
  });

  for (const [flaw, text, names] of [
    ['text for a truth value', registry('location="a.test"', 'blocked="true"'), /registry\[0\]\.blocked/],
    ['a number for a place', registry('location=5'), /registry\[0\]\.location/],
    ['one table for a list', '[registry]\nlocation="a.test"', /registry/],
    ['text for a list', 'unqualified-search-registries="a.test"', /unqualified-search-registries/],
    ['a number in a list', 'unqualified-search-registries=["a.test", 5]', /unqualified-search-registries/],
    ['a number for a mode', 'short-name-mode=1', /short-name-mode/],
    ['a number for an alias', '[aliases]\nx=1', /aliases\.x/],
    ['no TOML', 'x = [', /line 1/],
    ['an unclosed quote in line 3', 'a=1\nb=2\nc="', /line 3/],
  ] as const) {
    it(`with ${flaw} is refused by file and key`, async () => {
      await assert.rejects(parse(text), (error: Error) => {
        assert.equal(codeOf(error), 'BAD_REGISTRIES_CONF');
        assert.match(error.message, /^\/x\/registries\.conf: /);
        assert.match(error.message, names);
        assert.ok(!error.message.includes('\n'));
        return true;
      });
    });
  }

  it('of any text is a value or an error with a code', async () => {
    const words = fc.constantFrom(
      '[[registry]]',
      '[aliases]',
      'location',
      '=',
      '"a.test"',
      '\n',
      '{',
      '[',
      ']',
      '"',
      '\\',
      'é',
      '__proto__',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.array(words).map((all) => all.join(' ')),
        ),
        async (text) => {
          await parse(text).catch((error: unknown) => assert.equal(codeOf(error), 'BAD_REGISTRIES_CONF'));
        },
      ),
      { numRuns: 300 },
    );
    await assert.rejects(parseConfFile('/x', Buffer.from([0xff])), { code: 'BAD_REGISTRIES_CONF' });
    await assert.rejects(parse(`x = ${'['.repeat(100_000)}`), { code: 'BAD_REGISTRIES_CONF' });
  });
});

/** Refused by us and, where it can be asked, by skopeo. */
const REFUSED = [
  ['no place at all', registry('insecure=true')],
  ['a prefix alone', registry('prefix="a.test"')],
  ['a URL', registry('location="https://a.test"')],
  ['a wildcard with a path', registry('prefix="*.test/foo"')],
  ['a wildcard in the middle', registry('prefix="a.*.test"')],
  ['a mirror without a place', `${registry('location="a.test"')}[[registry.mirror]]\ninsecure=true`],
  [
    'a mirror with another use',
    `${registry('location="a.test"')}[[registry.mirror]]\nlocation="b.test"\npull-from-mirror="x"`,
  ],
  [
    'two words about digests',
    `${registry('location="a.test"', 'mirror-by-digest-only=true')}[[registry.mirror]]\nlocation="b.test"\npull-from-mirror="all"`,
  ],
  ['a registry used as a mirror', registry('location="a.test"', 'pull-from-mirror="all"')],
  [
    'two opinions about safety',
    registry('location="a.test"', 'insecure=true') + registry('prefix="b.test"', 'location="a.test"'),
  ],
  [
    'two opinions about a block',
    registry('location="a.test"', 'blocked=true') + registry('prefix="b.test"', 'location="a.test"'),
  ],
  ['a path to search', 'unqualified-search-registries=["a.test/x"]'],
  ['an unknown mode', 'short-name-mode="wrong"'],
  ['an alias for a tag', '[aliases]\n"a:1"="b.test/x"'],
  ['an alias for a full name', '[aliases]\n"a.test/x"="b.test/x"'],
  ['an alias with a tag', '[aliases]\n"a"="b.test/x:1"'],
  ['an alias without a host', '[aliases]\n"a"="x/y"'],
] as const;

describe('a registries.conf that makes no sense', () => {
  for (const [flaw, text] of REFUSED) {
    it(`is refused: ${flaw}`, () => assert.rejects(parse(text), { code: 'BAD_REGISTRIES_CONF' }));
  }

  it('is refused by skopeo, too', { skip: needs('skopeo') }, async (t: TestContext) => {
    const { env, write, dir } = host(t);
    for (const [flaw, text] of REFUSED) {
      write(USER, text);
      const words = ['inspect', '--no-creds', 'docker://127.0.0.1:1/a/b:1'];
      const { stderr } = await run('skopeo', words, {
        env: { ...env, TMPDIR: dir, XDG_RUNTIME_DIR: join(dir, 'run') },
      });
      assert.match(stderr, /loading registries configuration/, flaw);
    }
  });
});
