import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { put } from './storage.fixture.ts';
import { configuredPlace } from './storage-conf.ts';

const ETC = 'etc/containers/storage.conf';
const USR = 'usr/share/containers/storage.conf';
const OWN = 'home/.config/containers/storage.conf';

async function place(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  uid = 0,
  env: Readonly<Record<string, string>> = {},
) {
  const dir = scratch(t);
  for (const [name, text] of Object.entries(files)) put(join(dir, name), text);
  const at = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace('DIR', dir)]));
  const found = await configuredPlace({ env: { HOME: join(dir, 'home'), ...at }, uid, systemRoot: dir });
  return { ...found, root: found.root.replace(dir, 'DIR') };
}

describe('where the storage lies', () => {
  it('is the usual place without a configuration', async (t) => {
    assert.deepEqual(await place(t, {}), { root: '/var/lib/containers/storage', driver: undefined, additional: [] });
    assert.equal((await place(t, {}, 1000)).root, 'DIR/home/.local/share/containers/storage');
    assert.equal((await place(t, {}, 1000, { XDG_DATA_HOME: '/data' })).root, '/data/containers/storage');
  });

  it('is what the system says, the administrator before the distribution', async (t) => {
    const text = (root: string) => `[storage]\ndriver = "vfs"\ngraphroot = "${root}"\n`;
    assert.equal((await place(t, { [ETC]: text('/etc'), [USR]: text('/usr') })).root, '/etc');
    assert.deepEqual(await place(t, { [USR]: text('/usr') }), { root: '/usr', driver: 'vfs', additional: [] });
  });

  it('of a user is what they say, else where the system puts users', async (t) => {
    const system = '[storage]\ngraphroot = "/system"\nrootless_storage_path = "/home/$USER/$UID"\n';
    const own = '[storage]\ngraphroot = "$HOME/own"\n';
    assert.equal((await place(t, { [ETC]: system, [OWN]: own }, 1000)).root, 'DIR/home/own');
    assert.equal((await place(t, { [ETC]: system }, 1000, { USER: 'me' })).root, '/home/me/1000');
    assert.equal((await place(t, { [ETC]: system, [OWN]: own })).root, '/system');
  });

  it('is what the environment says first', async (t) => {
    const env = { CONTAINERS_STORAGE_CONF: 'DIR/mine', STORAGE_DRIVER: 'vfs', STORAGE_OPTS: 'overlay.imagestore=/c' };
    const mine =
      '[storage]\ngraphroot = "/mine"\ndriver = "overlay"\n[storage.options]\nadditionalimagestores = ["/a"]\n';
    const found = await place(t, { [ETC]: '[storage]\ngraphroot = "/etc"\n', mine }, 0, env);
    assert.deepEqual(found, { root: '/mine', driver: 'vfs', additional: ['/a', '/c'] });
  });

  for (const text of [
    '[storage',
    '[storage]\ngraphroot = 1\n',
    'storage = 1\n',
    '[storage.options]\nadditionalimagestores = "x"\n',
  ]) {
    it(`is not guessed from a bad file: ${JSON.stringify(text)}`, async (t) => {
      await assert.rejects(place(t, { [ETC]: text }), { code: 'BAD_STORAGE_CONF' });
    });
  }

  it('is not read from a file that anybody can change', async (t) => {
    const dir = scratch(t);
    put(join(dir, ETC), '');
    chmodSync(join(dir, ETC), 0o666);
    await assert.rejects(configuredPlace({ env: {}, uid: 0, systemRoot: dir }), { code: 'UNSAFE_OWNER' });
  });
});
