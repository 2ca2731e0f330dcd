import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { host, loaded, SYSTEM, SYSTEM_DROP_INS, USER, USER_DROP_INS } from './registries.fixture.ts';

const search = (...hosts: string[]) => `unqualified-search-registries = ${JSON.stringify(hosts)}\n`;

describe('the files about registries', () => {
  it('may all be missing', async (t) => {
    assert.deepEqual(await host(t).load(), {
      files: [],
      rules: [],
      unqualifiedSearch: [],
      shortNameMode: 'permissive',
      aliases: new Map(),
      credentialHelpers: undefined,
    });
  });

  it("are the system's, its drop-ins by name, then the user's drop-ins; a later one overrules", async (t) => {
    const { load, write, dir } = host(t, { [SYSTEM]: search('main.test') });
    const found = async () => (await load()).unqualifiedSearch;
    assert.deepEqual(await found(), ['main.test']);
    write(`${SYSTEM_DROP_INS}/20.conf`, search('twenty.test'));
    write(`${SYSTEM_DROP_INS}/10.conf`, search('ten.test'));
    write(`${SYSTEM_DROP_INS}/30.conf.bak`, search('backup.test'));
    mkdirSync(join(dir, SYSTEM_DROP_INS, '40.conf'));
    assert.deepEqual(await found(), ['twenty.test']);
    write(`${USER_DROP_INS}/00.conf`, search('user.test'));
    assert.deepEqual(await found(), ['user.test']);
    write(`${USER_DROP_INS}/01.conf`, search());
    assert.deepEqual(await found(), []);
    const order = [SYSTEM, `${SYSTEM_DROP_INS}/10.conf`, `${SYSTEM_DROP_INS}/20.conf`];
    const all = [...order, `${USER_DROP_INS}/00.conf`, `${USER_DROP_INS}/01.conf`];
    assert.deepEqual(
      (await load()).files,
      all.map((name) => join(dir, name)),
    );
  });

  it("are only the user's when there is a registries.conf of theirs", async (t) => {
    const { load, dir } = host(t, {
      [SYSTEM]: search('main.test'),
      [`${SYSTEM_DROP_INS}/10.conf`]: search('ten.test'),
      [USER]: '',
      [`${USER_DROP_INS}/10.conf`]: '',
    });
    const { files, unqualifiedSearch } = await load();
    assert.deepEqual(files, [join(dir, USER), join(dir, USER_DROP_INS, '10.conf')]);
    assert.deepEqual(unqualifiedSearch, []);
  });

  it('begin with the one that is named, which has to exist', async (t) => {
    const { load, write, env } = host(t, {
      [SYSTEM]: search('main.test'),
      [USER]: search('user.test'),
      [`${SYSTEM_DROP_INS}/10.conf`]: 'short-name-mode = "disabled"',
    });
    const named = write('named.conf', search('named.test'));
    const other = write('other.conf', search('other.test'));
    const CONTAINERS_REGISTRIES_CONF = other;
    for (const [options, expected] of [
      [{ registriesConf: named }, 'named.test'],
      [{ env: { ...env, CONTAINERS_REGISTRIES_CONF } }, 'other.test'],
      [{ env: { ...env, CONTAINERS_REGISTRIES_CONF }, registriesConf: named }, 'named.test'],
    ] as const) {
      const { unqualifiedSearch, shortNameMode } = await load(options);
      assert.deepEqual([unqualifiedSearch, shortNameMode], [[expected], 'disabled']);
    }
    const missing = { code: 'BAD_REGISTRIES_CONF', subject: '/no/such.conf' };
    await assert.rejects(load({ registriesConf: '/no/such.conf' }), missing);
    await assert.rejects(load({ env: { ...env, CONTAINERS_REGISTRIES_CONF: '/no/such.conf' } }), missing);
  });

  it('replace rules of the same prefix and keep the others', async (t) => {
    const rule = (prefix: string, location: string) => `[[registry]]\nprefix="${prefix}"\nlocation="${location}"\n`;
    const { load } = host(t, {
      [SYSTEM]: rule('a.test', 'one.test') + rule('b.test', 'two.test') + rule('a.test', 'ignored.test'),
      [`${SYSTEM_DROP_INS}/10.conf`]: rule('b.test', 'three.test') + rule('c.test', 'four.test'),
    });
    const rules = (await load()).rules.map(({ prefix, location }) => [prefix, location]);
    assert.deepEqual(rules.sort(), [
      ['a.test', 'one.test'],
      ['b.test', 'three.test'],
      ['c.test', 'four.test'],
    ]);
  });

  it('add aliases and take them away again; those that podman recorded come last', async (t) => {
    const aliases = (...lines: string[]) => `[aliases]\n${lines.join('\n')}\n`;
    const { load, write } = host(t, {
      [SYSTEM]: aliases('"x"="one.test/x"', '"y"="one.test/y"', '"team/z"="one.test/z"'),
      [`${SYSTEM_DROP_INS}/10.conf`]: aliases('"x"=""', '"y"="two.test/y"'),
    });
    assert.deepEqual([...(await load()).aliases].sort(), [
      ['team/z', 'one.test/z'],
      ['y', 'two.test/y'],
    ]);
    write('home/.cache/containers/short-name-aliases.conf', aliases('"y"="three.test/y"'));
    assert.equal((await load()).aliases.get('y'), 'three.test/y');
    assert.equal((await load({ uid: 0 })).aliases.get('y'), 'two.test/y');
    write('root/var/cache/containers/short-name-aliases.conf', aliases('"y"="four.test/y"'));
    assert.equal((await load({ uid: 0 })).aliases.get('y'), 'four.test/y');
  });

  it('may name credential helpers', async (t) => {
    const { credentialHelpers } = await loaded(t, 'credential-helpers = ["containers-auth.json", "x"]');
    assert.deepEqual(credentialHelpers, ['containers-auth.json', 'x']);
  });

  it('that somebody else owns or may write are refused', { skip: needs('root') }, async (t) => {
    const { load, dir } = host(t, { [SYSTEM]: '' });
    const path = join(dir, SYSTEM);
    chmodSync(path, 0o666);
    await assert.rejects(load(), { code: 'UNSAFE_OWNER', subject: path });
    chmodSync(path, 0o644);
    await load();
    chownSync(path, 1234, 0);
    await assert.rejects(load(), { code: 'UNSAFE_OWNER', subject: path });
  });

  it('may be links', async (t) => {
    const { load, write, dir } = host(t, { [`${SYSTEM_DROP_INS}/00.conf`]: '' });
    symlinkSync(write('elsewhere', search('linked.test')), join(dir, SYSTEM_DROP_INS, '10.conf'));
    assert.deepEqual((await load()).unqualifiedSearch, ['linked.test']);
  });
});

describe('the old form of the file', () => {
  const old = `
[registries.search]
registries = ["one.test", "two.test/"]
[registries.insecure]
registries = ["three.test", "both.test"]
[registries.block]
registries = ["both.test", "four.test/team/"]
`;
  it('lists registries to search, insecure ones and blocked ones', async (t) => {
    const { unqualifiedSearch, rules } = await loaded(t, old);
    assert.deepEqual(unqualifiedSearch, ['one.test', 'two.test']);
    assert.deepEqual(
      rules.map(({ prefix, location, insecure, blocked }) => [prefix, location, insecure, blocked]).sort(),
      [
        ['both.test', 'both.test', true, true],
        ['four.test/team', 'four.test/team', false, true],
        ['three.test', 'three.test', true, false],
      ],
    );
  });

  it('does not go together with the new one, and not into drop-ins', async (t) => {
    const code = { code: 'BAD_REGISTRIES_CONF' };
    await assert.rejects(loaded(t, `unqualified-search-registries=["x.test"]\n${old}`), code);
    await assert.rejects(host(t, { [`${SYSTEM_DROP_INS}/10.conf`]: old }).load(), code);
    assert.deepEqual(
      (await loaded(t, '[registries.search]\nregistries=[]\n[[registry]]\nlocation="x.test"')).rules.length,
      1,
    );
  });
});
