import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import type { ProgressEvent } from '../../base/progress.ts';
import { openDestination } from '../destination/destination.ts';
import { listTree, manifestFile, never, sha256 } from '../host.fixture.ts';
import { generateSecretKey } from '../manifest/key.ts';
import { key, secret, VECTOR } from '../manifest/manifest.fixture.ts';
import { openManifest } from '../manifest/manifest.ts';
import { publishImage } from './publish.ts';

interface Server {
  readonly path: string;
  readonly events: ProgressEvent[];
  /** A file to publish. */
  file(content: string | Uint8Array, mode?: number): string;
  /** The outcome. */
  publish(
    image: string,
    version: string,
    options?: { by?: typeof secret; dryRun?: boolean; signal?: AbortSignal },
  ): Promise<string>;
  at(...names: string[]): string;
}

function server(t: TestContext): Server {
  const root = scratch(t);
  const path = join(root, 'server');
  fs.mkdirSync(path);
  let files = 0;
  const events: ProgressEvent[] = [];
  return {
    path,
    events,
    at: (...names) => join(path, ...names),
    file(content, mode = 0o644) {
      const name = join(root, `image-${files++}`);
      fs.writeFileSync(name, content);
      fs.chmodSync(name, mode);
      return name;
    },
    async publish(image, version, { by = secret, dryRun = false, signal = never } = {}) {
      const wait = { timeoutMs: 20_000, onWait: () => undefined };
      const ports = { wait, progress: (event: ProgressEvent) => void events.push(event) };
      const { entry, outcome } = await publishImage({ directory: path, image, version, dryRun }, by, ports, signal);
      assert.equal(entry.size, BigInt(fs.statSync(image).size));
      return outcome;
    },
  };
}
const listed = (path: string, by = key): string[] =>
  openManifest(fs.readFileSync(join(path, 'manifest')), [by]).entries.map(
    (entry) => `${entry.version.text}=${entry.sha256}`,
  );

describe('publishing an image', () => {
  it('gives the manifest that the original program gives, byte by byte', async (t) => {
    const { path, file, publish } = server(t);
    const hello = file('hello\n');
    assert.equal(await publish(file('world!\n'), '1.1'), 'added');
    assert.equal(await publish(hello, '1.0.0'), 'added');
    assert.equal(await publish(hello, '1.1-rc.1'), 'added');
    assert.deepEqual(fs.readFileSync(join(path, 'manifest')), VECTOR);
    assert.deepEqual(fs.readdirSync(join(path, 'store')).sort(), [sha256('hello\n'), sha256('world!\n')].sort());
  });

  it('makes files that every web server can read and nobody writes, whatever the source has', async (t) => {
    for (const mode of [0o600, 0o4755, 0o722, 0o777]) {
      const { at, file, publish } = server(t);
      await publish(file('x', mode), '1.0');
      assert.equal(fs.statSync(at('store', sha256('x'))).mode & 0o7777, 0o444);
      assert.equal(fs.statSync(at('manifest')).mode & 0o7777, 0o444);
    }
  });

  it('takes an empty image, and one of several megabytes', async (t) => {
    const { path, at, file, publish } = server(t);
    const large = Buffer.from(Uint32Array.from({ length: 600_001 }, (_, i) => Math.imul(i, 2654435761)).buffer);
    await publish(file(''), '0');
    await publish(file(large), '1');
    assert.deepEqual(listed(path), [`0=${sha256('')}`, `1=${sha256(large)}`]);
    assert.ok(fs.readFileSync(at('store', sha256(large))).equals(large));
  });

  it('follows a link to the image', async (t) => {
    const { file, publish } = server(t);
    const link = `${file('x')}-link`;
    fs.symlinkSync(file('y'), link);
    assert.equal(await publish(link, '1.0'), 'added');
  });

  it('leaves nothing but manifest, store and lock, and writes over what a killed run left', async (t) => {
    const { path, at, file, publish } = server(t);
    fs.mkdirSync(at('store'));
    fs.mkdirSync(at('.tako'));
    fs.writeFileSync(at('store/.image.part'), 'half', { mode: 0o400 });
    fs.writeFileSync(at('.tako/manifest.tmp'), 'half', { mode: 0o400 });
    await publish(file('x'), '1.0');
    const names = listTree(path).map((line) => line.split(' ')[0]);
    assert.deepEqual(names, ['.tako', '.tako/lock', 'manifest', 'store', `store/${sha256('x')}`]);
  });

  it('tells the size before the first byte', async (t) => {
    const { file, publish, events } = server(t);
    const image = file('an image');
    await publish(image, '1.0');
    assert.deepEqual(events[0], { kind: 'start', task: image, label: 'copy 1.0', total: 8, done: 0 });
    assert.deepEqual(events.at(-1), { kind: 'end', task: image, ok: true });
  });

  it('by several at the same time loses none', async (t) => {
    const { path, file, publish } = server(t);
    const versions = ['1', '2', '3', '4', '5'];
    const outcomes = await Promise.all(versions.map((version) => publish(file(`image ${version}`), version)));
    assert.deepEqual(
      outcomes,
      versions.map(() => 'added'),
    );
    assert.deepEqual(
      listed(path),
      versions.map((version) => `${version}=${sha256(`image ${version}`)}`),
    );
  });
});

describe('publishing a version again', () => {
  it('with the same image changes nothing', async (t) => {
    const { path, file, publish } = server(t);
    await publish(file('x'), '1.0');
    const before = listTree(path);
    assert.equal(await publish(file('x'), '1.0'), 'unchanged');
    assert.deepEqual(listTree(path), before);
  });

  it('puts a missing or damaged file back', async (t) => {
    const { path, at, file, publish } = server(t);
    await publish(file('right'), '1.0');
    const manifest = fs.readFileSync(at('manifest'));
    for (const spoil of [
      () => fs.rmSync(at('store', sha256('right'))),
      () => fs.writeFileSync(at('store', sha256('right')), 'wrong', { flag: 'w' }),
      () => fs.truncateSync(at('store', sha256('right')), 2),
    ]) {
      if (fs.existsSync(at('store', sha256('right')))) fs.chmodSync(at('store', sha256('right')), 0o644);
      spoil();
      assert.equal(await publish(file('right'), '1.0'), 'repaired');
      assert.equal(fs.readFileSync(at('store', sha256('right')), 'utf8'), 'right');
      assert.equal(fs.statSync(at('store', sha256('right'))).mode & 0o7777, 0o444);
    }
    assert.deepEqual([fs.readFileSync(at('manifest')), listed(path).length], [manifest, 1]);
  });

  it('as another image, or in another spelling, is refused before anything is copied', async (t) => {
    const { path, file, publish } = server(t);
    await publish(file('x'), '1.0');
    const before = listTree(path);
    for (const [content, version] of [
      ['y', '1.0'],
      ['x', '1.0.0'],
      ['y', '1'],
    ] as const) {
      await assert.rejects(publish(file(content), version), { name: 'TakoError', code: 'DUPLICATE' });
      await assert.rejects(publish(file(content), version, { dryRun: true }), { code: 'DUPLICATE' });
    }
    assert.deepEqual(listTree(path), before);
  });

  it('of which a damaged file lies there already under a new version replaces it', async (t) => {
    const { path, at, file, publish } = server(t);
    fs.mkdirSync(at('store'));
    fs.writeFileSync(at('store', sha256('right')), 'wro', { mode: 0o444 });
    assert.equal(await publish(file('right'), '1.0'), 'added');
    assert.equal(fs.readFileSync(at('store', sha256('right')), 'utf8'), 'right');
    assert.equal(listed(path).length, 1);
  });

  it('keeps the file of an image that another version has already', async (t) => {
    const { at, file, publish } = server(t);
    await publish(file('x'), '1.0');
    const { ino } = fs.statSync(at('store', sha256('x')));
    await publish(file('x'), '2.0');
    assert.equal(fs.statSync(at('store', sha256('x'))).ino, ino);
    assert.deepEqual(fs.readdirSync(at('store')), [sha256('x')]);
  });
});

describe('what is not published', () => {
  for (const version of [
    '',
    ' ',
    '1 0',
    '1\n0',
    '1\t0',
    '1\0',
    '1\x7f',
    '1.0\n',
    'ü',
    '1.0\u200b',
    '*',
    '1.*',
    '1-*',
    '*.1',
    '1.*.2',
  ]) {
    it(`is a version ${JSON.stringify(version)}`, async (t) => {
      const { path, file, publish } = server(t);
      await assert.rejects(publish(file('x'), version), { code: 'INVALID_VERSION' });
      assert.deepEqual(fs.readdirSync(path), []);
    });
  }

  for (const version of ['1.**', '1.*x', 'v1', '1+b', '1~rc', '"', '\\', '%2e', '..']) {
    it(`may be a version ${JSON.stringify(version)}`, async (t) => {
      const { file, publish } = server(t);
      assert.equal(await publish(file('x'), version), 'added');
    });
  }

  it('is a version longer than a line of a manifest, and nothing is left of it', async (t) => {
    const { at, file, publish } = server(t);
    await assert.rejects(publish(file('x'), '1'.repeat(5000)), { name: 'TakoError' });
    assert.equal(fs.existsSync(at('manifest')), false);
    assert.deepEqual(fs.existsSync(at('store')) ? fs.readdirSync(at('store')) : [], []);
  });

  it('is what is not one regular file', { skip: needs('mkfifo') }, async (t) => {
    const { path, file, publish } = server(t);
    const fifo = `${file('')}-fifo`;
    execFileSync('mkfifo', [fifo]);
    for (const image of [scratch(t), join(path, 'none'), '/dev/null', fifo, join(file('x'), 'below')]) {
      await assert.rejects(publish(image, '1.0'), { name: 'TakoError', code: 'IMAGE_UNREADABLE', subject: image });
    }
    assert.deepEqual(fs.readdirSync(path), []);
  });

  it('goes into a directory that does not exist', async (t) => {
    const { path, file, publish } = server(t);
    fs.rmdirSync(path);
    await assert.rejects(publish(file('x'), '1.0'), { code: 'NO_DIRECTORY' });
    assert.ok(!fs.existsSync(path));
  });

  it('goes into a directory whose manifest is of another key, or damaged', async (t) => {
    const { path, at, file, publish } = server(t);
    fs.writeFileSync(at('manifest'), manifestFile({ '1.0': 'x' }, generateSecretKey()));
    let before = listTree(path);
    await assert.rejects(publish(file('y'), '2.0'), { code: 'INVALID_SIGNATURE' });
    await assert.rejects(publish(file('y'), '2.0', { dryRun: true }), { code: 'INVALID_SIGNATURE' });
    assert.deepEqual(
      listTree(path).filter((line) => !line.startsWith('.tako')),
      before,
    );
    fs.writeFileSync(at('manifest'), VECTOR.subarray(0, 200));
    before = listTree(path);
    await assert.rejects(publish(file('y'), '2.0'), { code: 'INVALID_MANIFEST' });
    assert.ok(!fs.existsSync(at('store')));
  });

  it('goes into a directory that others may write', async (t) => {
    const { path, file, publish } = server(t);
    fs.chmodSync(path, 0o777);
    await assert.rejects(publish(file('x'), '1.0'), { code: 'UNSAFE_OWNER' });
  });

  it('goes into a store that is a link', async (t) => {
    const { at, file, publish } = server(t);
    fs.symlinkSync('/tmp', at('store'));
    await assert.rejects(publish(file('x'), '1.0'), { code: 'NOT_A_DIRECTORY' });
  });

  it('is what the signal stopped: no copy stays, and the manifest is as it was', async (t) => {
    const { path, at, file, publish } = server(t);
    await publish(file('x'), '1.0');
    const before = listTree(path);
    const reason = new Error('enough');
    await assert.rejects(publish(file('y'), '2.0', { signal: AbortSignal.abort(reason) }), reason);
    assert.deepEqual(listTree(at('store')).length, 1);
    assert.deepEqual(
      listTree(path).filter((line) => /^(manifest|store\/)/.test(line)),
      before.filter((line) => /^(manifest|store\/)/.test(line)),
    );
  });

  it('waits for another run for longer than it is told', async (t) => {
    const { path, file } = server(t);
    const directory = openDestination(path, 'refuse');
    t.after(() => directory.close());
    const lock = await directory.lock({ timeoutMs: 0, onWait: () => undefined }, never);
    const ports = { wait: { timeoutMs: 0, onWait: () => undefined }, progress: () => undefined };
    const publication = { directory: path, image: file('x'), version: '1.0', dryRun: false };
    await assert.rejects(publishImage(publication, secret, ports, never), { code: 'LOCK_TIMEOUT' });
    lock.release();
  });

  it('leaves no descriptor open, whatever went wrong', async (t) => {
    const { path, file, publish } = server(t);
    await publish(file('x'), '1.0');
    const before = fs.readdirSync('/proc/self/fd').length;
    await assert.rejects(publish(scratch(t), '2.0'), { code: 'IMAGE_UNREADABLE' });
    await assert.rejects(publish(file('y'), '1.0'), { code: 'DUPLICATE' });
    fs.chmodSync(path, 0o777);
    await assert.rejects(publish(file('y'), '2.0'), { code: 'UNSAFE_OWNER' });
    fs.rmSync(path, { recursive: true });
    await assert.rejects(publish(file('y'), '2.0'), { code: 'NO_DIRECTORY' });
    assert.equal(fs.readdirSync('/proc/self/fd').length, before);
  });
});

describe('a dry run of publishing', () => {
  it('says what would be done and changes nothing', async (t) => {
    const { path, at, file, publish } = server(t);
    assert.equal(await publish(file('x'), '1.0', { dryRun: true }), 'added');
    assert.deepEqual(fs.readdirSync(path), []);
    await publish(file('x'), '1.0');
    const before = listTree(path);
    assert.equal(await publish(file('x'), '1.0', { dryRun: true }), 'unchanged');
    assert.equal(await publish(file('y'), '2.0', { dryRun: true }), 'added');
    assert.deepEqual(listTree(path), before);
    fs.rmSync(at('store', sha256('x')));
    assert.equal(await publish(file('x'), '1.0', { dryRun: true }), 'repaired');
  });
});
