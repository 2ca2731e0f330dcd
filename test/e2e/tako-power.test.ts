/** What is left on the disk when the power fails, and what happens when the disk is full. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { withSmallDisk } from '../support/full-disk.ts';
import { startHostileServer } from '../support/hostile-server.ts';
import { needs } from '../support/needs.ts';
import { CUTS, type Disk, withDisk, withoutSync } from '../support/power-cut.ts';
import { runTako, startTako } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';
import {
  closedOrigin,
  configure,
  fetch,
  type Images,
  linked,
  manifestOf,
  noise,
  type Place,
  placeIn,
  publish,
  put,
  sha256,
  sizeOf,
  stored,
  takoJson,
  until,
} from './support.ts';

/** Large enough for data blocks of its own, which is what is lost. */
const FIRST = noise(50_000, 'first').toString('latin1');
const SECOND = noise(60_000, 'second').toString('latin1');
const OLD: Images = { '1.0': Buffer.from(FIRST, 'latin1') };
const NEW: Images = { ...OLD, '1.1': Buffer.from(SECOND, 'latin1') };

function newest(images: Images): string {
  return Buffer.from(Object.values(images).at(-1) ?? '').toString('latin1');
}

interface Subject {
  /** Make the state before, on the disk and beside it. */
  prepare(place: Place, disk: string): Promise<void>;
  /** The words of the command whose success is taken at its word. */
  command(place: Place, disk: string): readonly string[];
  /** Is all there that success has promised? `disk` is what the power cut left. */
  check(place: Place, disk: string): Promise<void>;
}

function assertHas(directory: string, images: Images, latest: string | undefined): void {
  assert.deepEqual(fs.readFileSync(join(directory, 'manifest')), manifestOf(images), 'manifest');
  for (const content of Object.values(images)) {
    const file = join(directory, 'store', sha256(content));
    assert.ok(fs.readFileSync(file).equals(Buffer.from(content)), 'image');
  }
  assert.equal(linked(directory), latest, 'latest');
}

/** The host goes on from where it was, without a network. */
async function assertGoesOn(place: Place, destination: string): Promise<void> {
  const config = configure(place, { origin: await closedOrigin(), destination, name: 'after' });
  const { status, result } = await fetch(config, ['--init']);
  assert.deepEqual([status, result.outcome], [0, 'present']);
}

const fetching = (before: Images | undefined, after: Images, latest: string): Subject => ({
  async prepare(place, disk) {
    const config = configure(place, { destination: join(disk, 'host') });
    fs.mkdirSync(join(disk, 'host'), { mode: 0o755 });
    if (before !== undefined) {
      publish(place.server, before);
      assert.equal((await runTako(['fetch', config])).status, 0);
    }
    publish(place.server, after);
  },
  command: (place) => ['fetch', join(place.root, 'app')],
  async check(place, disk) {
    assertHas(join(disk, 'host'), after, latest);
    await assertGoesOn(place, join(disk, 'host'));
  },
});

const SUBJECTS: Readonly<Record<string, Subject>> = {
  'a first fetch': fetching(undefined, OLD, FIRST),
  'an update': fetching(OLD, NEW, SECOND),
  'a store': {
    async prepare(place, disk) {
      fs.mkdirSync(join(disk, 'server'), { mode: 0o755 });
      publish(join(disk, 'server'), OLD);
      put(join(place.root, 'image'), Buffer.from(SECOND, 'latin1'));
    },
    command: (place, disk) => [
      'store',
      '-f',
      place.keyFile,
      '-o',
      join(disk, 'server'),
      join(place.root, 'image'),
      '1.1',
    ],
    check: async (_place, disk) => assertHas(join(disk, 'server'), NEW, undefined),
  },
};

/** Run the command to its success on a disk, and say what is on that disk after the power cut. */
async function cutAfter(
  subject: Subject,
  cut: (typeof CUTS)[number],
  prefix: readonly string[],
  look: (place: Place, disk: string) => Promise<void>,
): Promise<void> {
  const root = makeScratch();
  try {
    const place = placeIn(root);
    await withDisk({ sizeMiB: 16, ...cut }, async (disk) => {
      await subject.prepare(place, disk.path);
      await disk.settle();
      const { status, stderr } = await runTako(subject.command(place, disk.path), { prefix });
      assert.equal(status, 0, stderr);
      const after = await disk.cut();
      await look(place, after.path);
    });
  } finally {
    removeTree(root);
  }
}

describe('a power cut', { skip: needs('loop-mount', 'strace'), concurrency: 2 }, () => {
  for (const cut of CUTS) {
    for (const [name, subject] of Object.entries(SUBJECTS)) {
      it(`${cut.name} takes nothing of ${name} that has succeeded`, () => cutAfter(subject, cut, [], subject.check));

      it(`${cut.name} takes something of ${name} whose sync calls do nothing, or the test above proves nothing`, () =>
        cutAfter(subject, cut, withoutSync(), async (place, disk) => {
          await assert.rejects(subject.check(place, disk));
        }));
    }
  }

  /** At moments spread over the run, which takes some 150 ms. */
  for (const [name, before, after] of [
    ['a first fetch', undefined, OLD],
    ['an update', OLD, NEW],
  ] as const) {
    it(`in the middle of ${name} leaves the state before or after, and a rerun succeeds`, async (t) => {
      const seen = new Set<string>();
      for (const afterMs of [90, 110, 120, 130, 140, 150, 170]) {
        const root = makeScratch();
        try {
          const place = placeIn(root);
          const subject = fetching(before, after, '');
          await withDisk({ sizeMiB: 16 }, async (disk) => {
            await subject.prepare(place, disk.path);
            await disk.settle();
            const running = startTako(subject.command(place, disk.path));
            const left = await disk.cut({ running, afterMs });
            seen.add(await judge(place, left.path, before, after));
          });
        } finally {
          removeTree(root);
        }
      }
      t.diagnostic(`found: ${[...seen].join(', ')}`);
    });
  }
  async function judge(place: Place, disk: string, before: Images | undefined, after: Images): Promise<string> {
    const destination = join(disk, 'host');
    const latest = linked(destination);
    const manifest = fs.existsSync(join(destination, 'manifest'))
      ? fs.readFileSync(join(destination, 'manifest'))
      : undefined;
    const states = [before, after].map((images) => ({
      latest: images && newest(images),
      manifest: images && manifestOf(images),
    }));
    const isOneOf = (found: string | undefined, known: (string | undefined)[]): boolean => known.includes(found);
    assert.ok(
      isOneOf(
        latest,
        states.map((state) => state.latest),
      ),
      'latest is of before or after',
    );
    assert.ok(
      isOneOf(
        manifest?.toString('latin1'),
        states.map((state) => state.manifest?.toString('latin1')),
      ),
      'manifest',
    );
    for (const name of stored(destination)) {
      assert.equal(sha256(fs.readFileSync(join(destination, 'store', name))), name, 'a whole image');
    }
    const config = configure(place, { destination, name: 'rerun' });
    assert.equal((await runTako(['fetch', config])).status, 0);
    assertHas(destination, after, states[1]?.latest);
    return latest === states[0]?.latest ? 'before' : 'after';
  }

  it('in the middle of a download leaves a part that is only trusted as far as it is right', async () => {
    const root = makeScratch();
    const content = noise(4_000_000);
    const place = placeIn(root);
    publish(place.server, { '1.0': content });
    const server = await startHostileServer({ files: place.server });
    try {
      await withDisk({ sizeMiB: 24, commitSec: 1 }, async (disk: Disk) => {
        const destination = join(disk.path, 'host');
        fs.mkdirSync(destination, { mode: 0o755 });
        await disk.settle();
        const path = `/store/${sha256(content)}`;
        server.route(path, { kind: 'stall', after: 2_000_000 });
        const running = startTako(['fetch', configure(place, { origin: server.url, destination })]);
        await until('a part', () => sizeOf(join(destination, 'store', `.${sha256(content)}.part`)) === 2_000_000);
        // Blocks that the journal names and the disk never got read as zeros, or are not there.
        const left = await disk.cut({ running, afterMs: 2500 });
        server.route(path, { kind: 'serve' });
        const after = configure(place, { origin: server.url, destination: join(left.path, 'host') });
        assert.equal((await runTako(['fetch', after])).status, 0);
        assertHas(join(left.path, 'host'), { '1.0': content }, content.toString('latin1'));
      });
    } finally {
      await server.close();
      removeTree(root);
    }
  });
});

/** Ten amounts of free space, some too small and some large enough, a block apart. */
const STEPS = [-6, -5, -4, -3, -2, -1, 0, 1, 2, 3];

describe('a full disk', { skip: needs('loop-mount'), concurrency: 2 }, () => {
  const content = noise(100_000, 'large');
  const images: Images = { ...OLD, '1.1': content };

  /** Try all ten; both outcomes have to be met, or the sizes were not around the one that is needed. */
  async function tenSizes(
    needed: number,
    attempt: (place: Place, directory: string) => Promise<{ status: number | null; code: unknown }>,
    check: (directory: string, done: boolean) => void,
  ): Promise<string[]> {
    const ends: string[] = [];
    await withSmallDisk({ sizeKiB: 2048 }, async (disk) => {
      for (const step of STEPS) {
        const root = makeScratch();
        const directory = join(disk.path, 'place');
        try {
          const place = placeIn(root);
          fs.mkdirSync(directory, { mode: 0o755 });
          publish(directory, OLD);
          fs.symlinkSync(`store/${sha256(OLD['1.0'] ?? '')}`, join(directory, 'latest'));
          await disk.fill(needed + step * 4096);
          const { status, code } = await attempt(place, directory);
          ends.push(`${step}:${status}`);
          if (status !== 0) assert.deepEqual([status, code], [1, 'DISK_FULL'], `${step}`);
          check(directory, status === 0);
          await disk.release();
          assert.equal((await attempt(place, directory)).status, 0, 'it goes on when there is space again');
          check(directory, true);
        } finally {
          await disk.release();
          fs.rmSync(directory, { recursive: true, force: true });
          removeTree(root);
        }
      }
    });
    assert.ok(ends.some((end) => end.endsWith(':0')) && ends.some((end) => end.endsWith(':1')), ends.join(' '));
    return ends;
  }

  for (const way of ['a web server', 'a directory'] as const) {
    it(`never makes fetch from ${way} link half an image: status 1, or all of it`, async (t) => {
      const server = await startHostileServer();
      t.after(() => server.close());
      server.route('/manifest', { kind: 'serve', body: manifestOf(images) });
      server.route(`/store/${sha256(content)}`, { kind: 'serve', body: content });
      const ends = await tenSizes(
        25 * 4096,
        async (place, directory) => {
          publish(place.server, images);
          const origin = way === 'a directory' ? place.origin : server.url;
          return fetch(configure(place, { origin, destination: directory }));
        },
        (directory, done) => {
          assert.equal(linked(directory), done ? content.toString('latin1') : FIRST);
          const manifest = fs.readFileSync(join(directory, 'manifest'));
          assert.ok(
            manifest.equals(manifestOf(images)) || (!done && manifest.equals(manifestOf(OLD))),
            'a whole manifest',
          );
          for (const name of stored(directory))
            assert.equal(sha256(fs.readFileSync(join(directory, 'store', name))), name);
        },
      );
      t.diagnostic(`blocks beside the need, and exit status: ${ends.join(' ')}`);
    });
  }

  it('never makes store publish half an image: status 1, or all of it', async (t) => {
    const ends = await tenSizes(
      25 * 4096,
      async (place, directory) => {
        const image = join(place.root, 'image');
        put(image, content);
        const { status, document } = await takoJson(['store', '-f', place.keyFile, '-o', directory, image, '1.1']);
        return { status, code: document['code'] };
      },
      (directory, done) => {
        assert.deepEqual(fs.readFileSync(join(directory, 'manifest')), manifestOf(done ? images : OLD));
        for (const name of stored(directory))
          assert.equal(sha256(fs.readFileSync(join(directory, 'store', name))), name);
        if (!done)
          assert.deepEqual(
            fs.readdirSync(join(directory, 'store')).filter((name) => name.startsWith('.')),
            [],
          );
      },
    );
    t.diagnostic(`blocks beside the need, and exit status: ${ends.join(' ')}`);
  });

  it('that fills while a download runs leaves what arrived, status 1, and it is resumed', async (t) => {
    const root = makeScratch();
    t.after(() => removeTree(root));
    const place = placeIn(root);
    const large = noise(600_000, 'larger');
    publish(place.server, { '1.0': large });
    const server = await startHostileServer({ files: place.server });
    t.after(() => server.close());
    await withSmallDisk({ sizeKiB: 3072 }, async (disk) => {
      const destination = join(disk.path, 'host');
      fs.mkdirSync(destination, { mode: 0o755 });
      const path = `/store/${sha256(large)}`;
      server.route(path, {
        kind: 'custom',
        async handle(_request, response) {
          response.writeHead(200, { 'content-length': String(large.length), etag: '"one"' });
          response.write(large.subarray(0, 300_000));
          await until('a part', () => sizeOf(join(destination, 'store', `.${sha256(large)}.part`)) === 300_000);
          await disk.fill(8192);
          response.end(large.subarray(300_000));
        },
      });
      const config = configure(place, { origin: server.url, destination });
      const { status, code } = await fetch(config);
      assert.deepEqual([status, code], [1, 'DISK_FULL']);
      assert.equal(linked(destination), undefined);
      const part = sizeOf(join(destination, 'store', `.${sha256(large)}.part`));
      assert.ok(part >= 300_000 && part < large.length, String(part));
      await disk.release();
      server.route(path, { kind: 'serve' });
      const { result } = await fetch(config);
      assert.deepEqual([result.outcome, result.bytes], ['updated', large.length - part]);
      assert.equal(linked(destination), large.toString('latin1'));
    });
  });
});
