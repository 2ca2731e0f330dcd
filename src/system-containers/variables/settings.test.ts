import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mergeSetValues, userSetValues } from './set-values.ts';
import { FORCED, parseSettings } from './settings.ts';

describe('--set', () => {
  it('splits at the first equals sign', () => {
    assert.deepEqual(
      [...parseSettings(['A=1', 'B=x=y=', '_c2=', 'D= ,{"a": "b"}\n'])],
      [
        ['A', '1'],
        ['B', 'x=y='],
        ['_c2', ''],
        ['D', ' ,{"a": "b"}\n'],
      ],
    );
  });

  it('takes the last of two values', () =>
    assert.deepEqual(
      [...parseSettings(['A=1', 'B=2', 'A=3'])],
      [
        ['A', '3'],
        ['B', '2'],
      ],
    ));

  for (const [word, shown] of [
    ['', '""'],
    ['A', 'A'],
    ['=x', '=...'],
    ['1A=x', '1A=...'],
    ['A B=x', '"A B=..."'],
    ['A-B=x', 'A-B=...'],
    ['Ä=x', '"Ä=..."'],
    ['$A=x', '$A=...'],
  ] as const) {
    it(`of ${JSON.stringify(word)} is an invalid argument`, () => {
      const message = `invalid argument ${shown}`;
      assert.throws(() => parseSettings(['OK=1', word]), { code: 'BAD_VALUE', message });
    });
  }

  it('does not show a value that may be a secret', () => {
    assert.throws(
      () => parseSettings(['A-B=secret']),
      (error) => error instanceof Error && !error.message.includes('secret'),
    );
  });

  for (const name of FORCED) {
    it(`of ${name} is refused`, () => assert.throws(() => parseSettings([`${name}=x`]), { code: 'FORCED_VARIABLE' }));
  }
});

describe('values that the user set earlier', () => {
  const map = (given: Record<string, string>) => new Map(Object.entries(given));
  const system = {
    name: 'kvd',
    places: { scope: 'system', directories: { run: '/run', state: '/var/lib', conf: '/etc' } },
  } as const;
  const user = {
    name: 'kvd',
    places: { scope: 'user', directories: { run: '/run/user/7', state: '/h/.data', conf: '/h/.config' } },
  } as const;

  it('are those that are recorded, where they are', () => {
    const found = userSetValues({ values: map({ A: '1', B: '2' }), setValues: map({ A: '1' }) }, new Map(), system);
    assert.deepEqual([...found], [['A', '1']]);
  });

  it('are told in old files by the defaults of the old image and of the host', () => {
    const values = map({
      NAME: 'kvd',
      HOST_UID: '0',
      EXEC_START: 'x',
      UUID: 'u',
      RUNTIME: '/usr/bin/runc',
      ATOMIC: '/usr/bin/atomic',
      ALL_PROCESS_CAPABILITIES: '"CAP_CHOWN"',
      RUN_DIRECTORY: '/run',
      STATE_DIRECTORY: '/data',
      CONF_DIRECTORY: '/etc',
      PIDFILE: '/run/container-kvd.pid',
      LISTEN: '127.0.0.1:1',
      PORT: '9',
      GIVEN: 'x',
    });
    const found = userSetValues({ values, setValues: undefined }, map({ LISTEN: '127.0.0.1:1', PORT: '8' }), system);
    assert.deepEqual(
      [...found],
      [
        ['STATE_DIRECTORY', '/data'],
        ['PORT', '9'],
        ['GIVEN', 'x'],
      ],
    );
  });

  it('are not the default of an image for a directory, nor a PIDFILE that follows it', () => {
    const values = map({ RUN_DIRECTORY: '/run/special', PIDFILE: '/run/special/container-kvd.pid' });
    assert.equal(
      userSetValues({ values, setValues: undefined }, map({ RUN_DIRECTORY: '/run/special' }), system).size,
      0,
    );
    assert.deepEqual(
      [...userSetValues({ values: map({ PIDFILE: '/x' }), setValues: undefined }, new Map(), system)],
      [['PIDFILE', '/x']],
    );
  });

  it("are not the mistake of another program about a user's directories", () => {
    const values = map({ RUN_DIRECTORY: '/h/.config', PIDFILE: '/h/.config/container-kvd.pid' });
    assert.equal(userSetValues({ values, setValues: undefined }, new Map(), user).size, 0);
    assert.equal(
      userSetValues({ values: map({ RUN_DIRECTORY: '/etc' }), setValues: undefined }, new Map(), system).size,
      1,
    );
  });

  it('are all that the host does not give when the old image is gone', () => {
    const found = userSetValues(
      { values: map({ CONF_DIRECTORY: '/etc', A: '1', NAME: 'kvd' }), setValues: undefined },
      undefined,
      system,
    );
    assert.deepEqual([...found], [['A', '1']]);
  });

  it("go under this call's, and never name what is forced", () => {
    assert.deepEqual(
      [...mergeSetValues(map({ A: '1', B: '2', NAME: 'x' }), map({ A: '3', C: '4' }))],
      [
        ['A', '3'],
        ['B', '2'],
        ['C', '4'],
      ],
    );
    assert.deepEqual([...mergeSetValues(undefined, map({ A: '3' }))], [['A', '3']]);
  });
});
