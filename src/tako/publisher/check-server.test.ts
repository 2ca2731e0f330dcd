import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { type Images, listTree, manifestFile, never, sha256 } from '../host.fixture.ts';
import { generateSecretKey } from '../manifest/key.ts';
import { key, signLines } from '../manifest/manifest.fixture.ts';
import { checkServer, type ServerCheck } from './check-server.ts';

const IMAGES = { '1.0': 'one', '1.1': 'two' };

/** As `tako store` leaves it. */
function server(t: TestContext, images: Images = IMAGES): { readonly path: string; at(name: string): string } {
  const path = join(scratch(t), 'server');
  fs.mkdirSync(join(path, 'store'), { recursive: true });
  for (const name of ['', 'store']) fs.chmodSync(join(path, name), 0o755);
  const put = (name: string, content: string | Uint8Array): void => {
    fs.writeFileSync(join(path, name), content);
    fs.chmodSync(join(path, name), 0o444);
  };
  for (const content of new Set(Object.values(images))) put(`store/${sha256(content)}`, content);
  put('manifest', manifestFile(images));
  return { path, at: (name) => join(path, name) };
}
const store = (content: string): string => `store/${sha256(content)}`;
const line = (version: string, content: string): string => `${version} ${content.length} ${sha256(content)}`;
function rewrite(path: string, content: string | Uint8Array): void {
  fs.rmSync(path, { force: true });
  fs.writeFileSync(path, content);
  fs.chmodSync(path, 0o444);
}

/** `problem CODE subject`; nothing is ever changed. */
async function findings(path: string, more: Partial<ServerCheck> = {}): Promise<string[]> {
  const before = listTree(path);
  const checked = await checkServer({ path, publicKey: key, older: undefined, ...more }, never);
  assert.deepEqual(listTree(path), before);
  for (const { text } of checked.findings) assert.notEqual(text, '');
  return checked.findings.map(({ severity, code, subject }) => `${severity} ${code} ${subject}`);
}

describe('checking a server directory', () => {
  it('that is as it should be finds nothing, and counts versions and images', async (t) => {
    const { path } = server(t, { ...IMAGES, '1.2': 'two' });
    const checked = await checkServer({ path, publicKey: key, older: undefined }, never);
    assert.deepEqual(checked, { entries: 3, images: 2, findings: [] });
  });

  it('without a key says that the signature was not checked', async (t) => {
    assert.deepEqual(await findings(server(t).path, { publicKey: undefined }), ['note NOT_CHECKED manifest']);
  });

  it('finds a manifest of another key', async (t) => {
    const { path, at } = server(t);
    rewrite(at('manifest'), manifestFile(IMAGES, generateSecretKey()));
    assert.deepEqual(await findings(path), ['problem SIGNATURE manifest']);
  });

  it('finds a version that stands after a newer one', async (t) => {
    const { path, at } = server(t);
    rewrite(at('manifest'), signLines([line('1.1', 'two'), line('1.0', 'one')]));
    assert.deepEqual(await findings(path), ['problem ORDER 1.0']);
  });

  it('notes a version that is listed twice, in one spelling or two', async (t) => {
    for (const twin of ['1.0', '1.0.0']) {
      const { path, at } = server(t);
      rewrite(at('manifest'), signLines([line('1.0', 'one'), line(twin, 'one'), line('1.1', 'two')]));
      assert.deepEqual(await findings(path), [`note DUPLICATE ${twin}`]);
    }
  });

  it('notes an image that is not there: it may be withdrawn', async (t) => {
    const { path, at } = server(t);
    fs.rmSync(at(store('one')));
    assert.deepEqual(await findings(path), ['note MISSING 1.0']);
    fs.rmSync(at('store'), { recursive: true });
    assert.deepEqual(await findings(path), ['note MISSING 1.0', 'note MISSING 1.1']);
  });

  it('finds an image of another size, and of another content', async (t) => {
    const { path, at } = server(t);
    rewrite(at(store('one')), 'ones');
    rewrite(at(store('two')), 'owt');
    assert.deepEqual(await findings(path), ['problem SIZE 1.0', 'problem DIGEST 1.1']);
  });

  it('finds an image that is no file', async (t) => {
    const { path, at } = server(t);
    fs.rmSync(at(store('one')));
    fs.mkdirSync(at(store('one')));
    fs.rmSync(at(store('two')));
    fs.symlinkSync('/etc/passwd', at(store('two')));
    assert.deepEqual(await findings(path), ['problem MODE 1.0', 'problem MODE 1.1']);
  });

  it('finds what a web server could not read', async (t) => {
    for (const [name, mode, subject] of [
      ['.', 0o700, '.'],
      ['.', 0o754, '.'],
      ['store', 0o750, 'store'],
      ['manifest', 0o440, 'manifest'],
      [store('one'), 0o400, '1.0'],
    ] as const) {
      const { path, at } = server(t);
      fs.chmodSync(at(name), mode);
      assert.deepEqual(await findings(path), [`problem MODE ${subject}`], `${name} ${mode.toString(8)}`);
    }
  });

  it('notes an image that can be written', async (t) => {
    const { path, at } = server(t);
    fs.chmodSync(at(store('one')), 0o644);
    assert.deepEqual(await findings(path), ['note MODE 1.0']);
  });

  it('finds directories and a manifest that others may write', async (t) => {
    for (const name of ['.', 'store', 'manifest']) {
      const { path, at } = server(t);
      fs.chmodSync(at(name), 0o777);
      const found = await findings(path);
      assert.deepEqual(found.length, 1, name);
      assert.match(found[0] ?? '', /^problem OWNER /);
    }
  });

  it('finds a directory and a manifest of another user', { skip: needs('root') }, async (t) => {
    for (const name of ['.', 'manifest']) {
      const { path, at } = server(t);
      fs.chownSync(at(name), 65534, 65534);
      assert.match((await findings(path)).join(), /^problem OWNER [^,]*$/);
    }
  });

  it('notes what no version names, and what is no image', async (t) => {
    const { path, at } = server(t);
    rewrite(at(store('three')), 'three');
    rewrite(at('store/README'), 'x');
    assert.deepEqual((await findings(path)).sort(), [`note STRAY ${store('three')}`, 'note STRAY store/README'].sort());
  });

  it('finds that clients with an older manifest would refuse this one', async (t) => {
    const { path } = server(t);
    assert.deepEqual(await findings(path, { older: manifestFile({ '1.0': 'one' }) }), []);
    assert.deepEqual(await findings(path, { older: manifestFile(IMAGES) }), []);
    for (const older of [{ '0.9': 'zero' }, { ...IMAGES, '1.2': 'three' }, { '1.0': 'another' }]) {
      assert.deepEqual(await findings(path, { older: manifestFile(older) }), ['problem NOT_A_SUPERSET manifest']);
    }
  });

  it('finds all there is in one go', async (t) => {
    const { path, at } = server(t);
    fs.chmodSync(at('store'), 0o750);
    rewrite(at(store('one')), 'x');
    rewrite(at('store/x'), '');
    rewrite(at('manifest'), manifestFile(IMAGES, generateSecretKey()));
    assert.deepEqual(await findings(path), [
      'problem SIGNATURE manifest',
      'problem MODE store',
      'problem SIZE 1.0',
      'note STRAY store/x',
    ]);
  });

  it('cannot go on without a manifest that can be read', async (t) => {
    const { path, at } = server(t);
    await assert.rejects(findings(path, { older: Buffer.from('x') }), { code: 'INVALID_MANIFEST' });
    rewrite(at('manifest'), '<html>');
    await assert.rejects(findings(path), { code: 'INVALID_MANIFEST' });
    fs.rmSync(at('manifest'));
    await assert.rejects(findings(path), { code: 'NO_MANIFEST' });
    await assert.rejects(findings(scratch(t), {}), { code: 'NO_MANIFEST' });
  });

  it('stops at the signal', async (t) => {
    const { path, at } = server(t);
    const large = Buffer.alloc(40 * 2 ** 20);
    rewrite(at(`store/${sha256(large)}`), large);
    rewrite(at('manifest'), manifestFile({ '1.0': large }));
    const reason = new Error('enough');
    await assert.rejects(checkServer({ path, publicKey: key, older: undefined }, AbortSignal.abort(reason)), reason);
  });
});
