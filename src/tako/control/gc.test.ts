import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { openDestination } from '../destination/destination.ts';
import { AT, debt, Host, manifestFile, NOW, never, sha256 } from '../host.fixture.ts';
import { generateSecretKey } from '../manifest/key.ts';
import { collect } from './gc.ts';

const IMAGES = { '1.0': 'one', '1.1': 'two', '1.2': 'three', '1.3': 'four' };
const DAY = 86_400_000;

function place(t: TestContext, ...settings: readonly string[]): Host {
  const host = new Host(scratch(t), settings);
  host.provision(IMAGES, '1.3');
  return host;
}

/** Versions of images that went, and names of leftovers; warnings are failures. */
async function gone(host: Host, dryRun = false): Promise<readonly [string, readonly string[]]> {
  const ports = {
    wait: { timeoutMs: 0, onWait: () => undefined },
    now: () => NOW,
    warn: (text: string) => assert.fail(text),
  };
  const { images, leftovers } = await collect(host.config, dryRun, ports, never);
  return [images.map((image) => image.entry?.version.text ?? '?').join(' '), [...leftovers].sort()];
}
function aged(path: string, ageMs: number): string {
  fs.utimesSync(path, (NOW - ageMs) / 1000, (NOW - ageMs) / 1000);
  return path;
}
const versions = (host: Host): string =>
  Object.entries(IMAGES)
    .filter(([, content]) => host.holds(content))
    .map(([version]) => version)
    .join(' ');

describe('collecting garbage', () => {
  it('deletes what the limits do not keep, and nothing without limits', async (t) => {
    const host = place(t);
    assert.deepEqual(await gone(host), ['', []]);
    host.settings = ['KeepVersions=3'];
    assert.deepEqual([await gone(host), versions(host)], [['1.0', []], '1.1 1.2 1.3']);
    host.settings = ['KeepBytes=1'];
    assert.deepEqual([await gone(host), versions(host)], [['1.1', []], '1.2 1.3']);
    assert.deepEqual(await gone(host), ['', []]);
  });

  it('in a dry run names the same images and changes nothing, not even the memory', async (t) => {
    const host = place(t, 'KeepVersions=2');
    const before = host.snapshot();
    assert.deepEqual(await gone(host, true), ['1.0 1.1', []]);
    assert.deepEqual(host.snapshot(), before);
    assert.deepEqual(await gone(host), ['1.0 1.1', []]);
  });

  it('in a dry run names the leftovers that would go, too, and leaves them', async (t) => {
    const host = place(t);
    const name = `.${sha256('nobody wants it')}.part`;
    host.store('n', name, 0o600);
    const before = host.snapshot();
    assert.deepEqual(await gone(host, true), ['', [name]]);
    assert.deepEqual(host.snapshot(), before);
    assert.deepEqual(await gone(host), ['', [name]]);
  });

  it('keeps the previous image, a held one, the one to come, and those of a debt', async (t) => {
    const keep = async (
      state: Parameters<Host['remember']>[0],
      linked: keyof typeof IMAGES = '1.3',
    ): Promise<string> => {
      const host = place(t, 'KeepBytes=1');
      host.link(IMAGES[linked]);
      host.remember(state);
      await gone(host);
      return versions(host);
    };
    assert.equal(await keep({ previous: sha256(IMAGES['1.0']) }), '1.0 1.3');
    assert.equal(
      await keep({ previous: sha256(IMAGES['1.1']), hold: { version: '1.0', reason: 'hold', at: AT } }),
      '1.0 1.1 1.3',
    );
    assert.equal(await keep({ previous: sha256(IMAGES['1.0']) }, '1.1'), '1.0 1.1 1.3');
    assert.equal(await keep({ owed: debt(IMAGES['1.3'], IMAGES['1.0']) }), '1.0 1.3');
  });

  it('deletes images that no version names first', async (t) => {
    const host = place(t, 'KeepVersions=4');
    host.store('stranger');
    assert.deepEqual([await gone(host), host.holds('stranger')], [['?', []], false]);
  });

  it('deletes partial downloads that are a week old or not wanted any more', async (t) => {
    const host = new Host(scratch(t));
    host.provision(IMAGES, '1.2', ['1.2']);
    const part = (version: keyof typeof IMAGES): string => `.${sha256(IMAGES[version])}.part`;
    const wanted = host.store('x', part('1.3'), 0o600);
    const unwanted = aged(host.store('x', part('1.0'), 0o600), 0);
    aged(wanted, 7 * DAY);
    assert.deepEqual(await gone(host), ['', [part('1.0')]]);
    assert.deepEqual([fs.existsSync(wanted), fs.existsSync(unwanted)], [true, false]);
    aged(wanted, 7 * DAY + 1000);
    assert.deepEqual(await gone(host), ['', [part('1.3')]]);
  });

  it('deletes temporary files of the original program that are a day old', async (t) => {
    const host = place(t);
    const name = `${sha256('x')}.new`;
    aged(host.store('x', name), DAY);
    assert.deepEqual(await gone(host), ['', []]);
    aged(join(host.path, 'store', name), DAY + 1000);
    assert.deepEqual(await gone(host), ['', [name]]);
  });

  it('deletes nothing of another name', async (t) => {
    const host = place(t, 'KeepBytes=1');
    const names = [
      'README',
      '.hidden',
      `${sha256('x')}.bak`,
      'A'.repeat(64),
      '.x.part',
      'a.new',
      `${sha256('x')}.part`,
    ];
    for (const name of names) aged(host.store('x', name), 400 * DAY);
    await gone(host);
    for (const name of names) assert.ok(host.stored()?.includes(name), name);
  });

  it('without a manifest, or before the first fetch, deletes nothing', async (t) => {
    const host = place(t, 'KeepBytes=1');
    fs.rmSync(join(host.path, 'manifest'));
    aged(host.store('x', `.${sha256('y')}.part`), 30 * DAY);
    assert.deepEqual([await gone(host), versions(host)], [['', []], '1.0 1.1 1.2 1.3']);
    assert.deepEqual(await gone(new Host(scratch(t))), ['', []]);
  });

  it('with a manifest of another key, or where others may write, deletes nothing', async (t) => {
    const host = place(t, 'KeepBytes=1');
    fs.rmSync(join(host.path, 'manifest'));
    fs.writeFileSync(join(host.path, 'manifest'), manifestFile(IMAGES, generateSecretKey()));
    await assert.rejects(gone(host), { code: 'INVALID_SIGNATURE' });
    fs.chmodSync(host.path, 0o777);
    await assert.rejects(gone(host), { code: 'UNSAFE_OWNER' });
    assert.equal(versions(host), '1.0 1.1 1.2 1.3');
  });

  it('does not begin while another run is at work', async (t) => {
    const host = place(t, 'KeepBytes=1');
    const destination = openDestination(host.path, 'refuse');
    t.after(() => destination.close());
    const lock = await destination.lock({ timeoutMs: 0, onWait: () => undefined }, never);
    await assert.rejects(gone(host), { code: 'LOCK_TIMEOUT' });
    assert.equal((await gone(host, true))[0], '1.0 1.1');
    lock.release();
  });
});
