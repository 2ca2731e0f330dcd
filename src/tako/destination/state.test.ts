import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { mutate, seededRandom } from '../../../test/support/mutate.ts';
import { digest } from '../manifest/manifest.fixture.ts';
import { decodeState, EMPTY_STATE, encodeState, HISTORY_LIMIT, STATE_SCHEMA, type State } from './state.ts';

const AT = '2024-02-29T12:00:00Z';
const FULL: State = {
  ...EMPTY_STATE,
  etag: '"abc"',
  origin: 'https://example.com/app/',
  checkedAt: AT,
  changedAt: AT,
  previous: digest('a'),
  owed: {
    restart: ['app.service', 'app@1.service', 'srv-my\\x2dapp.mount'],
    reload: ['nginx.service'],
    image: digest('b'),
    previous: digest('a'),
    reason: 'update',
    at: AT,
    runner: { pid: 4711, startTime: 123456, bootId: '0a0b-0c', startedAt: 0 },
  },
  hold: { version: '1.0', reason: 'hold', at: AT },
  skip: [
    { version: '2.0', reason: 'rollback', at: AT },
    { version: '2.1', reason: 'health', at: AT },
  ],
  history: [
    { at: AT, action: 'install', version: '1.0', sha256: digest('a'), previousVersion: null, result: 'done' },
    { at: AT, action: 'update', version: '2.0', sha256: digest('b'), previousVersion: '1.0', result: 'health failed' },
    { at: AT, action: 'health', version: '1.0', sha256: digest('a'), previousVersion: '2.0', result: 'restart failed' },
    { at: AT, action: 'rollback', version: '1.0', sha256: digest('a'), previousVersion: null, result: 'pending' },
  ],
};

const decode = (value: unknown) => decodeState(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
async function stateOf(value: unknown): Promise<State> {
  const decoded = await decode(value);
  assert.equal(decoded.kind, 'state', JSON.stringify(decoded));
  return decoded.kind === 'state' ? decoded.state : EMPTY_STATE;
}
const withSchema = (fields: object) => ({ schema: STATE_SCHEMA, ...fields });

describe('the state of a destination', () => {
  it('comes back as it went in', async () => {
    for (const state of [EMPTY_STATE, FULL]) {
      assert.deepEqual(await decodeState(encodeState(state)), { kind: 'state', state });
    }
  });

  it('comes back whatever texts it holds', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(text, text, fc.nat(), async (version, etag, pid) => {
        const state: State = {
          ...FULL,
          etag,
          hold: { version, reason: 'hold', at: AT },
          owed: FULL.owed && { ...FULL.owed, runner: { pid, startTime: pid, bootId: version, startedAt: 0 } },
        };
        assert.deepEqual(await decodeState(encodeState(state)), { kind: 'state', state });
      }),
    );
  });

  it('is one JSON document with its schema first and a newline at its end', () => {
    const text = Buffer.from(encodeState(FULL)).toString();
    assert.ok(text.endsWith('}\n'));
    assert.equal(Object.keys(JSON.parse(text))[0], 'schema');
    assert.equal(JSON.parse(text).schema, 'tako.state/1');
  });

  it('drops the oldest entries of a long history', async () => {
    const history = Array.from({ length: HISTORY_LIMIT + 1 }, (_, i) => ({
      at: AT,
      action: 'update' as const,
      version: `1.${i}`,
      sha256: digest('a'),
      previousVersion: null,
      result: 'done' as const,
    }));
    const full = await stateOf(Buffer.from(encodeState({ ...FULL, history: history.slice(1) })).toString());
    assert.equal(full.history.length, HISTORY_LIMIT);
    const cut = await stateOf(Buffer.from(encodeState({ ...FULL, history })).toString());
    assert.equal(cut.history.length, HISTORY_LIMIT);
    assert.equal(cut.history[0]?.version, '1.1');
    assert.equal(cut.history.at(-1)?.version, `1.${HISTORY_LIMIT}`);
  });

  it('of which fields are missing has defaults in their place', async () => {
    assert.deepEqual(await stateOf(withSchema({})), EMPTY_STATE);
    assert.deepEqual(await stateOf(withSchema({ etag: '"x"' })), { ...EMPTY_STATE, etag: '"x"' });
  });

  it('may hold fields that a later version added', async () => {
    assert.deepEqual(await stateOf(withSchema({ future: { x: 1 }, etag: null })), EMPTY_STATE);
  });
});

describe('a state that a newer program wrote', () => {
  for (const schema of ['tako.state/2', 'tako.state/10', 'tako.state/999']) {
    it(`(${schema}) is told apart from a damaged one, whatever it holds`, async () => {
      assert.deepEqual(await decode({ schema, etag: 5, skip: 'x' }), { kind: 'newer', schema });
    });
  }
});

describe('a damaged state', () => {
  for (const [what, text] of [
    ['an empty file', ''],
    ['a newline', '\n'],
    ['zeros, as after a crash', '\0\0\0\0'],
    ['not JSON', '{'],
    ['a document cut in half', Buffer.from(encodeState(FULL)).toString().slice(0, 200)],
    ['two documents', `${Buffer.from(encodeState(FULL))}{}`],
    ['null', 'null'],
    ['a number', '1'],
    ['a text', `"${STATE_SCHEMA}"`],
    ['an array', '[]'],
    ['an array with a schema', `["${STATE_SCHEMA}"]`],
    ['deep nesting', '['.repeat(100_000)],
    ['a byte order mark', `\ufeff${Buffer.from(encodeState(FULL))}`],
  ] as const) {
    it(`is ${what}`, async () => assert.equal((await decode(text)).kind, 'damaged'));
  }

  it('is one that is not UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from(encodeState(FULL)), Buffer.of(0xff)]);
    assert.equal((await decodeState(bytes)).kind, 'damaged');
  });

  for (const schema of [
    undefined,
    null,
    1,
    '',
    'tako.state',
    'tako.state/',
    'tako.state/0',
    'tako.state/01',
    'tako.state/-1',
    'tako.state/1 ',
    'tako.state/1\n',
    ' tako.state/1',
    'Tako.state/1',
    'tako.state/1.5',
    'tako.state/x',
    'tako.fetch/1',
    'tako.fetch/2',
    ['tako.state/2'],
  ]) {
    it(`is one with the schema ${JSON.stringify(schema) ?? 'undefined'}`, async () => {
      assert.equal((await decode({ ...FULL, schema })).kind, 'damaged');
    });
  }

  const owed = FULL.owed ?? assert.fail();
  const [done] = FULL.history;
  for (const [what, fields] of [
    ['an etag that is a number', { etag: 5 }],
    ['an etag beyond all measure', { etag: 'x'.repeat(5000) }],
    ['a time that is none', { checkedAt: 'yesterday' }],
    ['a time in another zone', { changedAt: '2024-01-01T00:00:00+01:00' }],
    ['a time that is a number', { checkedAt: 0 }],
    ['an image that is a path', { previous: '../../../etc/passwd' }],
    ['an image in upper case', { previous: 'A'.repeat(64) }],
    ['an image that is too short', { previous: 'a'.repeat(63) }],
    ['an image that is too long', { previous: 'a'.repeat(65) }],
    ['an image and a newline', { previous: `${'a'.repeat(64)}\n` }],
    ['a hold that is a text', { hold: '1.0' }],
    ['a hold without a version', { hold: { reason: 'hold', at: AT } }],
    ['a hold without a time', { hold: { version: '1.0', reason: 'hold' } }],
    ['a hold for an unknown reason', { hold: { version: '1.0', reason: 'mood', at: AT } }],
    ['skips that are an object', { skip: {} }],
    ['skips that are null', { skip: null }],
    ['a skip that is null', { skip: [null] }],
    ['a skip whose version is a number', { skip: [{ version: 1, reason: 'health', at: AT }] }],
    ['a history that is a text', { history: 'x' }],
    ['an unknown action', { history: [{ ...done, action: 'explode' }] }],
    ['an unknown result', { history: [{ ...done, result: 'maybe' }] }],
    ['a history of an image that is a path', { history: [{ ...done, sha256: '../x' }] }],
    ['a debt without an image', { owed: { ...owed, image: undefined } }],
    ['a debt for an image that is a path', { owed: { ...owed, image: 'store/x' } }],
    ['a debt that came from a path', { owed: { ...owed, previous: '..' } }],
    ['a debt for an unknown reason', { owed: { ...owed, reason: 'hold' } }],
    ['a debt without units', { owed: { ...owed, restart: undefined } }],
    ['a debt without a runner', { owed: { ...owed, runner: undefined } }],
    ['a debt whose runner is a number', { owed: { ...owed, runner: 1 } }],
    ['a runner with a negative process id', { owed: { ...owed, runner: { ...owed.runner, pid: -1 } } }],
    ['a runner with half a process id', { owed: { ...owed, runner: { ...owed.runner, pid: 1.5 } } }],
    ['a runner whose process id is a text', { owed: { ...owed, runner: { ...owed.runner, pid: '1' } } }],
    ['a runner without a boot', { owed: { ...owed, runner: { pid: 1, startTime: 1 } } }],
  ] as const) {
    it(`is one with ${what}`, async () => assert.equal((await decode(withSchema(fields))).kind, 'damaged'));
  }

  for (const unit of [
    '',
    '-app',
    '--force',
    '--now',
    'a/b',
    '/etc/shadow',
    'a b',
    'a\nb',
    'a\tb',
    'a\0b',
    '\x7f',
    ' a',
    5,
    null,
  ]) {
    it(`is one that owes a restart of ${JSON.stringify(unit)}: nothing in it becomes an option of systemctl`, async () => {
      assert.equal((await decode(withSchema({ owed: { ...owed, restart: [unit] } }))).kind, 'damaged');
      assert.equal((await decode(withSchema({ owed: { ...owed, reload: ['good.service', unit] } }))).kind, 'damaged');
    });
  }

  it('says what is wrong with it', async () => {
    const decoded = await decode(withSchema({ previous: 'x' }));
    assert.ok(decoded.kind === 'damaged' && decoded.reason.includes('previous'));
  });

  it('is decoded to one of the three kinds, whatever the damage', async (t) => {
    const seed = 8_3;
    t.diagnostic(`seed ${seed}, 2000 mutations`);
    const random = seededRandom(seed);
    const counts: Record<string, number> = {};
    for (let run = 0; run < 2000; run++) {
      const { kind } = await decodeState(mutate(encodeState(FULL), random));
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    assert.ok(
      Object.keys(counts).every((kind) => ['state', 'newer', 'damaged'].includes(kind)),
      JSON.stringify(counts),
    );
    assert.ok((counts['damaged'] ?? 0) > 100);
  });
});
