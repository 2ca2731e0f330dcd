import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { Host, manifestFile, never, sha256 } from '../host.fixture.ts';
import { generateSecretKey } from '../manifest/key.ts';
import { findInstalled } from './installed.ts';

const IMAGES = { '1.0': 'image one', '1.1': 'image number two' };

function place(t: TestContext, settings: readonly string[] = []): Host {
  const host = new Host(scratch(t), settings);
  host.provision(IMAGES, '1.0');
  return host;
}

/** Its version; nothing is ever written. */
async function installed(host: Host, verify = true): Promise<string | undefined> {
  const before = host.snapshot();
  const entry = await findInstalled(host.config, verify, () => undefined, never);
  assert.deepEqual(host.snapshot(), before);
  return entry?.version.text;
}

describe('a good image that is linked', () => {
  it('is found, although a newer one is stored and published', async (t) => {
    assert.equal(await installed(place(t)), '1.0');
  });

  it('is found in an empty file too', async (t) => {
    const host = new Host(scratch(t));
    host.provision({ '1.0': '' }, '1.0');
    assert.equal(await installed(host), '1.0');
  });

  it('is found under the version that the pattern allows, when it has several', async (t) => {
    const host = new Host(scratch(t), ['Version=1.*']);
    host.provision({ '1.0': 'same', '2.0': 'same' }, '1.0');
    assert.equal(await installed(host), '1.0');
  });
});

describe('no good image is linked', () => {
  const cases: Readonly<Record<string, (host: Host) => void>> = {
    'when there is no manifest': (host) => fs.rmSync(join(host.path, 'manifest')),
    'when there is no link': (host) => fs.rmSync(join(host.path, 'latest')),
    'when the link dangles': (host) => fs.rmSync(join(host.path, 'store', sha256('image one'))),
    'when there is no store': (host) => fs.rmSync(join(host.path, 'store'), { recursive: true }),
    'when the manifest does not list it': (host) => host.link('something else'),
    'when its size is wrong': (host) => void host.store('image', sha256('image one')),
    'when its digest is wrong': (host) => void host.store('image OnE', sha256('image one')),
    'when a directory has its name': (host) => {
      fs.rmSync(join(host.path, 'store', sha256('image one')));
      fs.mkdirSync(join(host.path, 'store', sha256('image one')));
    },
    'when a link has its name': (host) => {
      const name = join(host.path, 'store', sha256('image one'));
      fs.renameSync(name, join(host.path, 'elsewhere'));
      fs.symlinkSync('../elsewhere', name);
    },
    'when the link names it by another way': (host) => {
      fs.rmSync(join(host.path, 'latest'));
      fs.symlinkSync(join(host.path, 'store', sha256('image one')), join(host.path, 'latest'));
    },
    'when the pattern does not allow it': (host) => {
      host.settings = ['Version=1.1'];
    },
  };
  for (const [what, spoil] of Object.entries(cases)) {
    it(what, async (t) => {
      const host = place(t);
      spoil(host);
      assert.equal(await installed(host), undefined);
    });
  }

  it('and a wrong digest is overlooked only when nobody wants it checked', async (t) => {
    const host = place(t);
    host.store('image OnE', sha256('image one'));
    assert.equal(await installed(host, false), '1.0');
    host.store('image', sha256('image one'));
    assert.equal(await installed(host, false), undefined);
  });
});

describe('looking for it', () => {
  it('fails on a manifest of another key, or a damaged one', async (t) => {
    const host = place(t);
    fs.rmSync(join(host.path, 'manifest'));
    fs.writeFileSync(join(host.path, 'manifest'), manifestFile(IMAGES, generateSecretKey()));
    await assert.rejects(installed(host), { code: 'INVALID_SIGNATURE' });
    fs.writeFileSync(join(host.path, 'manifest'), 'Tako Manifest 1\n');
    await assert.rejects(installed(host), { code: 'INVALID_MANIFEST' });
  });

  it('fails where others may write', async (t) => {
    for (const name of ['.', 'store']) {
      const host = place(t);
      fs.chmodSync(join(host.path, name), 0o777);
      await assert.rejects(installed(host), { code: 'UNSAFE_OWNER' });
    }
  });
});
