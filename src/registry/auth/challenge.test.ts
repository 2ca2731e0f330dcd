import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mutate, seededRandom } from '../../../test/support/mutate.ts';
import { parseChallenges } from './challenge.ts';

const parsed = (text: string) =>
  parseChallenges(text)?.map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

const HUB =
  'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/busybox:pull"';

describe('a challenge', () => {
  it('is its scheme and its parameters, quoted or not', () => {
    assert.deepEqual(parsed(HUB), [
      [
        'bearer',
        {
          realm: 'https://auth.docker.io/token',
          service: 'registry.docker.io',
          scope: 'repository:library/busybox:pull',
        },
      ],
    ]);
    assert.deepEqual(parsed('BASIC Realm=here'), [['basic', { realm: 'here' }]]);
    assert.deepEqual(parsed('Basic realm="say \\"hi\\", \\\\o"'), [['basic', { realm: 'say "hi", \\o' }]]);
    assert.deepEqual(parsed('Bearer realm = "a" , service = b'), [['bearer', { realm: 'a', service: 'b' }]]);
  });

  it('may be one of several, in one header or in several that were joined', () => {
    assert.deepEqual(parsed('Negotiate, Basic realm="x", Bearer realm="y",service="z"'), [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
      ['bearer', { realm: 'y', service: 'z' }],
    ]);
    assert.deepEqual(parsed('NTLM TlRMTVNTUAACAAAA==, Basic realm="x"'), [
      ['ntlm', {}],
      ['basic', { realm: 'x' }],
    ]);
  });

  for (const [flaw, text] of [
    ['a quote that does not end', 'Bearer realm="x'],
    ['a parameter without value', 'Bearer service="x",realm='],
    ['a parameter given twice', 'Bearer realm="x",realm="y"'],
    ['a control character', 'Bearer realm="x\u0001y"'],
    ['something behind a value', 'Bearer realm="x"y'],
    ['no scheme', '="x"'],
    ['more than anybody needs', `Bearer realm="${'x'.repeat(9000)}"`],
  ] as const) {
    it(`with ${flaw} is none`, () => assert.equal(parseChallenges(text), undefined));
  }

  it('that is damaged gives a value or none, and quickly', () => {
    const random = seededRandom(5);
    const original = Buffer.from(`${HUB}, Basic realm="x\\"y"`);
    const started = performance.now();
    for (let i = 0; i < 3000; i++) {
      const text = mutate(original, random).toString('latin1');
      for (const { parameters } of parseChallenges(text) ?? []) assert.ok(parameters instanceof Map);
    }
    parseChallenges(`Bearer realm="${'\\'.repeat(8000)}`);
    parseChallenges(`${'a'.repeat(8000)}=`);
    parseChallenges(`Bearer ${'a '.repeat(4000)}`);
    assert.ok(performance.now() - started < 5000);
  });
});
