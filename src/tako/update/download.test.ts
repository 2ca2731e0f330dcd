import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { CodedError } from '../../base/error.ts';
import type { ProgressEvent } from '../../base/progress.ts';
import { openDestination } from '../destination/destination.ts';
import { entryOf, MemoryOrigin, never, sha256 } from '../host.fixture.ts';
import { downloadImage } from './download.ts';
import type { Origin } from './origin.ts';

const IMAGE = 'an image of 26 bytes, 0..9';
const HEX = sha256(IMAGE);
const PART = `.${HEX}.part`;
const OTHER = IMAGE.toUpperCase();
const lost = new CodedError('HTTP_INTERRUPTED', 'the connection was lost');
const gone = new CodedError('HTTP_GONE', 'withdrawn');
const GRAVITY = ['HTTP_INTERRUPTED', 'INVALID_SIZE', 'INVALID_DIGEST'];

interface Bench {
  readonly path: (name: string) => string;
  readonly events: ProgressEvent[];
  /** Bytes over the wire, or the code of the error. */
  download(origins: readonly Origin[], content?: string | Uint8Array, signal?: AbortSignal): Promise<number | string>;
  names(): string[];
}

function bench(t: TestContext, part?: string | Uint8Array): Bench {
  const root = scratch(t);
  fs.mkdirSync(join(root, 'store'));
  const path = (name: string): string => join(root, 'store', name);
  if (part !== undefined) fs.writeFileSync(path(PART), part, { mode: 0o600 });
  const destination = openDestination(root, 'refuse');
  t.after(() => destination.close());
  const events: ProgressEvent[] = [];
  return {
    path,
    events,
    names: () => fs.readdirSync(join(root, 'store')).sort(),
    download: (origins, content = IMAGE, signal = never) =>
      downloadImage(
        {
          destination,
          entry: entryOf('1.0', content),
          origins,
          progress: (event) => void events.push(event),
          gravity: (error) => GRAVITY.indexOf(error instanceof CodedError ? error.code : ''),
        },
        signal,
      ).catch((error: unknown) => {
        if (error instanceof CodedError) return error.code;
        throw error;
      }),
  };
}

const mirrors = (...names: string[]): MemoryOrigin[] => names.map((name) => new MemoryOrigin({ '1.0': IMAGE }, name));

describe('downloading an image', () => {
  it('puts it into the store under its digest, read-only, and leaves nothing else', async (t) => {
    const { download, names, path } = bench(t);
    assert.equal(await download(mirrors('a')), IMAGE.length);
    assert.deepEqual(names(), [HEX]);
    assert.equal(fs.readFileSync(path(HEX), 'utf8'), IMAGE);
    assert.equal(fs.statSync(path(HEX)).mode & 0o7777, 0o444);
  });

  it('makes the store when there is none', async (t) => {
    const root = scratch(t);
    const destination = openDestination(root, 'refuse');
    t.after(() => destination.close());
    const work = { destination, entry: entryOf('1.0', IMAGE), progress: () => undefined, gravity: () => 0 };
    assert.equal(await downloadImage({ ...work, origins: mirrors('a') }, never), IMAGE.length);
    assert.deepEqual(fs.readdirSync(join(root, 'store')), [HEX]);
    assert.equal(fs.statSync(join(root, 'store')).mode & 0o022, 0);
  });

  it('tells the size before the first byte, how far it is, and its end', async (t) => {
    const { download, events } = bench(t, IMAGE.slice(0, 10));
    await download(mirrors('a'));
    assert.deepEqual(events[0], { kind: 'start', task: HEX, label: 'image 1.0', total: 26, done: 10 });
    assert.deepEqual(
      events.slice(1).map((event) => (event.kind === 'advance' ? event.done : event.kind)),
      [14, 18, 22, 26, 'end'],
    );
    assert.deepEqual(events.at(-1), { kind: 'end', task: HEX, ok: true });
  });

  it('of no bytes asks nobody', async (t) => {
    const { download, names, path } = bench(t);
    const [origin] = mirrors('a');
    assert.equal(await download(origin ? [origin] : [], ''), 0);
    assert.deepEqual(names(), [sha256('')]);
    assert.equal(fs.statSync(path(sha256(''))).mode & 0o7777, 0o444);
    assert.deepEqual(origin?.requests(), []);
  });

  it('that needs more than there is free is refused before anybody is asked', async (t) => {
    const { names, path } = bench(t);
    const destination = openDestination(join(path('.'), '..'), 'refuse');
    t.after(() => destination.close());
    const origin = new MemoryOrigin({});
    const entry = { ...entryOf('1.0', IMAGE), size: 2n ** 52n };
    const work = { destination, entry, origins: [origin], progress: () => undefined, gravity: () => 0 };
    await assert.rejects(downloadImage(work, never), { code: 'DISK_FULL' });
    assert.deepEqual([origin.requests(), names()], [[], []]);
  });

  it('larger than any file is refused', async (t) => {
    const { path, names } = bench(t);
    const destination = openDestination(join(path('.'), '..'), 'refuse');
    t.after(() => destination.close());
    const entry = { ...entryOf('1.0', IMAGE), size: 2n ** 64n - 1n };
    const work = { destination, entry, origins: mirrors('a'), progress: () => undefined, gravity: () => 0 };
    await assert.rejects(downloadImage(work, never), { code: 'INVALID_SIZE' });
    assert.deepEqual(names(), []);
  });
});

describe('a partial download', () => {
  it('is carried on, and only the rest comes over the wire', async (t) => {
    const { download, names, path } = bench(t, IMAGE.slice(0, 20));
    const [origin] = mirrors('a');
    assert.equal(await download(origin ? [origin] : []), 6);
    assert.deepEqual(origin?.requests(), ['1.0@20']);
    assert.equal(fs.readFileSync(path(HEX), 'utf8'), IMAGE);
    assert.deepEqual(names(), [HEX]);
  });

  it('that is whole already is taken without a request', async (t) => {
    const { download, names } = bench(t, IMAGE);
    const origins = mirrors('a');
    assert.equal(await download(origins), 0);
    assert.deepEqual([origins[0]?.requests(), names()], [[], [HEX]]);
  });

  it('that is longer than the image is thrown away first', async (t) => {
    const { download, path } = bench(t, `${IMAGE}more`);
    const origins = mirrors('a');
    assert.equal(await download(origins), 26);
    assert.deepEqual(origins[0]?.requests(), ['1.0@0']);
    assert.equal(fs.readFileSync(path(HEX), 'utf8'), IMAGE);
  });

  it('of something else is thrown away when the digest shows it, and the origin gets a chance of its own', async (t) => {
    const { download, events, path } = bench(t, OTHER.slice(0, 10));
    const origins = mirrors('a');
    assert.equal(await download(origins), 16 + 26);
    assert.deepEqual(origins[0]?.requests(), ['1.0@10', '1.0@0']);
    assert.equal(events.filter((event) => event.kind === 'note').length, 1);
    assert.equal(fs.readFileSync(path(HEX), 'utf8'), IMAGE);
  });

  it('of something else and of full length is fetched anew', async (t) => {
    const { download, path } = bench(t, OTHER);
    const origins = mirrors('a');
    assert.equal(await download(origins), 26);
    assert.deepEqual(origins[0]?.requests(), ['1.0@0']);
    assert.equal(fs.readFileSync(path(HEX), 'utf8'), IMAGE);
  });

  it('counts as nothing where the origin sends everything again', async (t) => {
    const { download, path } = bench(t, IMAGE.slice(0, 20));
    const origins = mirrors('a');
    origins[0]?.troubles.set('1.0', { restarts: true });
    assert.equal(await download(origins), 26);
    assert.equal(fs.readFileSync(path(HEX), 'utf8'), IMAGE);
  });

  it('that is a link is removed, not written through', async (t) => {
    const { download, path, names } = bench(t);
    const victim = join(path('.'), '../victim');
    fs.writeFileSync(victim, IMAGE.slice(0, 20));
    fs.symlinkSync(victim, path(PART));
    assert.equal(await download(mirrors('a')), 26);
    assert.equal(fs.readFileSync(victim, 'utf8'), IMAGE.slice(0, 20));
    assert.ok(fs.lstatSync(path(HEX)).isFile());
    assert.deepEqual(names(), [HEX]);
  });

  it('with a second name elsewhere is removed, not written into', async (t) => {
    const { download, path } = bench(t, IMAGE.slice(0, 20));
    fs.linkSync(path(PART), join(path('.'), '../twin'));
    assert.equal(await download(mirrors('a')), 26);
    assert.equal(fs.readFileSync(join(path('.'), '../twin'), 'utf8'), IMAGE.slice(0, 20));
  });
});

describe('a download that breaks off', () => {
  it('keeps what arrived for the next run, private', async (t) => {
    const { download, names, path, events } = bench(t);
    const origins = mirrors('a');
    origins[0]?.troubles.set('1.0', { after: 12, error: lost });
    assert.equal(await download(origins), 'HTTP_INTERRUPTED');
    assert.deepEqual(names(), [PART]);
    assert.equal(fs.readFileSync(path(PART), 'utf8'), IMAGE.slice(0, 12));
    assert.equal(fs.statSync(path(PART)).mode & 0o077, 0);
    assert.deepEqual(events.at(-1), { kind: 'end', task: HEX, ok: false });
    origins[0]?.troubles.clear();
    assert.equal(await download(origins), 14);
    assert.deepEqual(names(), [HEX]);
  });

  it('before its first byte leaves nothing', async (t) => {
    const { download, names } = bench(t);
    const origins = mirrors('a');
    origins[0]?.troubles.set('1.0', { error: lost });
    assert.equal(await download(origins), 'HTTP_INTERRUPTED');
    assert.deepEqual(names(), []);
  });

  it('by the signal keeps what arrived and asks no other origin', async (t) => {
    const { download, names, path } = bench(t);
    const origins = mirrors('a', 'b');
    const controller = new AbortController();
    const reason = new Error('enough');
    let chunks = 0;
    for (const origin of origins) {
      origin.onChunk = () => {
        if (++chunks === 3) controller.abort(reason);
      };
    }
    await assert.rejects(download(origins, IMAGE, controller.signal), reason);
    assert.equal(fs.readFileSync(path(PART), 'utf8'), IMAGE.slice(0, 8));
    assert.deepEqual([names(), origins[1]?.requests()], [[PART], []]);
  });

  it('for a reason of this host asks no other origin', async (t) => {
    for (const code of ['DISK_FULL', 'EIO', 'EROFS', 'EDQUOT']) {
      const { download, names } = bench(t);
      const origins = mirrors('a', 'b');
      origins[0]?.troubles.set('1.0', { after: 8, error: new CodedError(code, 'no') });
      assert.equal(await download(origins), code);
      assert.deepEqual([names(), origins[1]?.requests()], [[PART], []], code);
    }
  });
});

describe('an origin that gives something else', () => {
  it('is refused by the digest, and nothing of it stays', async (t) => {
    const { download, names } = bench(t);
    const origins = mirrors('a');
    origins[0]?.troubles.set('1.0', { content: OTHER });
    assert.equal(await download(origins), 'INVALID_DIGEST');
    assert.deepEqual([names(), origins[0]?.requests()], [[], ['1.0@0']]);
  });

  it('is refused by the size', async (t) => {
    for (const content of [`${IMAGE}x`, IMAGE.slice(1), '']) {
      const { download, names } = bench(t);
      const origins = mirrors('a');
      origins[0]?.troubles.set('1.0', { content });
      assert.equal(await download(origins), 'INVALID_SIZE');
      assert.deepEqual(names(), []);
    }
  });

  it('does not get a further chance after one from the first byte', async (t) => {
    const { download, names } = bench(t, IMAGE.slice(0, 10));
    const origins = mirrors('a');
    origins[0]?.troubles.set('1.0', { content: OTHER });
    assert.equal(await download(origins), 'INVALID_DIGEST');
    assert.deepEqual([names(), origins[0]?.requests()], [[], ['1.0@10', '1.0@0']]);
  });
});

describe('mirrors', () => {
  it('carry on where the one before them broke off, with a warning', async (t) => {
    const { download, events, path } = bench(t);
    const origins = mirrors('a', 'b', 'c');
    origins[0]?.troubles.set('1.0', { after: 8, error: lost });
    origins[1]?.troubles.set('1.0', { after: 8, error: lost });
    assert.equal(await download(origins), 26);
    assert.deepEqual(
      origins.map((origin) => origin.requests()),
      [['1.0@0'], ['1.0@8'], ['1.0@16']],
    );
    assert.equal(fs.readFileSync(path(HEX), 'utf8'), IMAGE);
    const warnings = events.flatMap((event) => (event.kind === 'warning' ? [event.text] : []));
    assert.equal(warnings.length, 2);
    assert.ok(warnings[0]?.startsWith('https://a.example.com/: '));
  });

  it('are not asked when the first one has it', async (t) => {
    const { download } = bench(t);
    const origins = mirrors('a', 'b');
    await download(origins);
    assert.deepEqual(origins[1]?.requests(), []);
  });

  it('begin anew after one that gave something else', async (t) => {
    for (const trouble of [{ content: OTHER }, { content: `${IMAGE}x` }]) {
      const { download, path } = bench(t);
      const origins = mirrors('a', 'b');
      origins[0]?.troubles.set('1.0', trouble);
      assert.equal(typeof (await download(origins)), 'number');
      assert.deepEqual(origins[1]?.requests(), ['1.0@0']);
      assert.equal(fs.readFileSync(path(HEX), 'utf8'), IMAGE);
    }
  });

  it('are not blamed for what an earlier one sent before it broke off', async (t) => {
    const { download, path } = bench(t);
    const liar = new MemoryOrigin({ '1.0': IMAGE }, 'liar');
    liar.readImage = async (_digest, sink) => {
      sink.onChunk(Buffer.from(OTHER.slice(0, 8)));
      throw lost;
    };
    const [good] = mirrors('b');
    assert.equal(await download([liar, ...(good ? [good] : [])]), 8 + 18 + 26);
    assert.deepEqual(good?.requests(), ['1.0@8', '1.0@0']);
    assert.equal(fs.readFileSync(path(HEX), 'utf8'), IMAGE);
  });

  it('that all fail end with the gravest of their errors', async (t) => {
    const { download, names } = bench(t);
    const origins = mirrors('a', 'b', 'c');
    origins[0]?.troubles.set('1.0', { error: lost });
    origins[1]?.troubles.set('1.0', { content: OTHER });
    origins[2]?.troubles.set('1.0', { error: lost });
    assert.equal(await download(origins), 'INVALID_DIGEST');
    assert.deepEqual(names(), []);
  });

  it('are not asked once one says that the image was withdrawn', async (t) => {
    const { download, names } = bench(t);
    const origins = mirrors('a', 'b');
    origins[0]?.troubles.set('1.0', { error: gone });
    assert.equal(await download(origins), 'HTTP_GONE');
    assert.deepEqual([origins[1]?.requests(), names()], [[], []]);
  });

  it('may say so after others have failed', async (t) => {
    const { download } = bench(t);
    const origins = mirrors('a', 'b');
    origins[0]?.troubles.set('1.0', { error: lost });
    origins[1]?.troubles.set('1.0', { error: gone });
    assert.equal(await download(origins), 'HTTP_GONE');
  });
});
