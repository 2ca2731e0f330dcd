import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { CodedError } from '../../base/error.ts';
import { openDestination } from '../destination/destination.ts';
import { Host, MemoryOrigin, never, sha256 } from '../host.fixture.ts';
import { type VerifyOptions, verifyStore } from './verify.ts';

const IMAGES = { '1.0': 'image one', '1.1': 'image number two' };
const DAMAGED = 'image OnE';

function place(t: TestContext): { readonly host: Host; readonly origin: MemoryOrigin } {
  const origin = new MemoryOrigin(IMAGES);
  const host = new Host(scratch(t), ['Restart=app.service'], [origin]);
  host.provision(IMAGES, '1.1');
  return { host, origin };
}

/** `1.0 whole`, with a star for the current one and the bytes that are fetched. */
async function verify(host: Host, options: Partial<VerifyOptions> = {}): Promise<string[]> {
  const found = await verifyStore(host.config, { repair: false, dryRun: false, ...options }, host.ports, never);
  return found.map(({ entry, sha256: hex, condition, current, bytes }) =>
    [entry?.version.text ?? hex.slice(0, 4), condition, current ? '*' : '', bytes || ''].join(' ').trim(),
  );
}
async function unchanged(host: Host, options: Partial<VerifyOptions> = {}): Promise<string[]> {
  const before = host.snapshot();
  const found = await verify(host, options);
  assert.deepEqual(host.snapshot(), before);
  return found;
}
const broken = (host: Host): void => void host.store(DAMAGED, sha256(IMAGES['1.0']));
const lost = (host: Host): void => fs.rmSync(join(host.path, 'store', sha256(IMAGES['1.1'])));

describe('verifying a store', () => {
  it('finds whole images whole, oldest first, and writes nothing', async (t) => {
    const { host, origin } = place(t);
    assert.deepEqual(await unchanged(host), ['1.0 whole', '1.1 whole *']);
    assert.deepEqual(origin.requests(), []);
  });

  it('finds damage by digest and by size, and what it would take to mend it', async (t) => {
    const { host } = place(t);
    broken(host);
    assert.deepEqual(await unchanged(host), ['1.0 damaged  9', '1.1 whole *']);
    host.store('short', sha256(IMAGES['1.0']));
    assert.deepEqual(await unchanged(host), ['1.0 damaged  9', '1.1 whole *']);
  });

  it('finds that the current image is missing, and not that others are', async (t) => {
    const { host } = place(t);
    lost(host);
    assert.deepEqual(await unchanged(host), ['1.0 whole', '1.1 missing * 16']);
    fs.rmSync(join(host.path, 'store'), { recursive: true });
    assert.deepEqual(await unchanged(host), ['1.1 missing * 16']);
    fs.rmSync(join(host.path, 'latest'));
    assert.deepEqual(await unchanged(host), []);
  });

  it('finds images that no version names, current or not', async (t) => {
    const { host } = place(t);
    const stranger = sha256('stranger');
    host.store('stranger');
    assert.deepEqual(await unchanged(host), [`${stranger.slice(0, 4)} unlisted`, '1.0 whole', '1.1 whole *']);
    host.link('stranger');
    assert.deepEqual((await unchanged(host))[0], `${stranger.slice(0, 4)} unlisted *`);
    host.link('nothing');
    assert.deepEqual((await unchanged(host)).at(-1), `${sha256('nothing').slice(0, 4)} missing *`);
  });

  it('does not look at partial downloads', async (t) => {
    const { host } = place(t);
    host.store('x', `.${sha256('y')}.part`);
    assert.deepEqual(await unchanged(host), ['1.0 whole', '1.1 whole *']);
  });

  it('warns about a directory that others may write, and goes on', async (t) => {
    const { host } = place(t);
    fs.chmodSync(host.path, 0o777);
    assert.equal((await unchanged(host)).length, 2);
    assert.equal(host.texts('warning').length, 1);
  });

  it('needs a manifest', async (t) => {
    await assert.rejects(verify(new Host(scratch(t))), { code: 'NO_MANIFEST' });
  });

  it('takes no lock', async (t) => {
    const { host } = place(t);
    const destination = openDestination(host.path, 'refuse');
    t.after(() => destination.close());
    const lock = await destination.lock({ timeoutMs: 0, onWait: () => undefined }, never);
    assert.equal((await verify(host)).length, 2);
    await assert.rejects(verify(host, { repair: true }), { code: 'LOCK_TIMEOUT' });
    lock.release();
  });
});

describe('repairing a store', () => {
  it('fetches what is damaged and what is missing, and touches nothing else', async (t) => {
    const { host, origin } = place(t);
    broken(host);
    lost(host);
    assert.deepEqual(await verify(host, { repair: true }), ['1.0 repaired  9', '1.1 repaired * 16']);
    assert.ok(host.holds(IMAGES['1.0']) && host.holds(IMAGES['1.1']));
    assert.deepEqual([origin.requests(), host.latest(IMAGES), host.units.jobs()], [['1.0@0', '1.1@0'], '1.1', []]);
    assert.deepEqual(await verify(host), ['1.0 whole', '1.1 whole *']);
  });

  it('asks nobody when all is whole', async (t) => {
    const { host, origin } = place(t);
    assert.deepEqual(await verify(host, { repair: true }), ['1.0 whole', '1.1 whole *']);
    assert.deepEqual(origin.requests(), []);
  });

  it('leaves images that no version names', async (t) => {
    const { host } = place(t);
    host.store('stranger');
    assert.match((await verify(host, { repair: true }))[0] ?? '', /unlisted$/);
    assert.ok(host.holds('stranger'));
  });

  it('in a dry run says how many bytes, and changes nothing', async (t) => {
    const { host, origin } = place(t);
    broken(host);
    lost(host);
    host.store('image', `.${sha256(IMAGES['1.1'])}.part`);
    assert.deepEqual(await unchanged(host, { repair: true, dryRun: true }), ['1.0 damaged  9', '1.1 missing * 11']);
    assert.deepEqual(origin.requests(), []);
  });

  it('of one that cannot be had goes on with the others, and says so', async (t) => {
    for (const trouble of [{ error: new CodedError('HTTP_GONE', 'withdrawn') }, { content: DAMAGED }]) {
      const { host, origin } = place(t);
      broken(host);
      lost(host);
      origin.troubles.set('1.0', trouble);
      const [first, second] = await verify(host, { repair: true });
      assert.match(first ?? '', /^1\.0 damaged/);
      assert.equal(second, '1.1 repaired * 16');
      assert.equal(
        fs.readFileSync(join(host.path, 'store', sha256(IMAGES['1.0'])), 'utf8'),
        DAMAGED,
        'kept until it can be replaced',
      );
      assert.equal(host.texts('warning').length, 2);
    }
  });

  it('is refused where others may write', async (t) => {
    const { host } = place(t);
    fs.chmodSync(host.path, 0o777);
    await assert.rejects(verify(host, { repair: true }), { code: 'UNSAFE_OWNER' });
  });
});
