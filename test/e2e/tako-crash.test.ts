/**
 * Every durable system call of every command that changes something, killed at its entry, one run each. What is left
 * has to be the state before or the state after, and the same command once more has to succeed and leave no litter.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type CrashPoint, crashMatrix, DURABLE_CALLS, type Fault } from '../support/crash-matrix.ts';
import { needs } from '../support/needs.ts';
import { runTako, TAKO } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';
import {
  ALICE,
  BERTA,
  configure,
  fetchInTurn,
  type Images,
  linked,
  manifestOf,
  type Place,
  placeIn,
  provision,
  publish,
  put,
  readState,
  sha256,
  stored,
} from './support.ts';

const ONE: Images = { '1.0': 'one\n' };
const TWO: Images = { ...ONE, '1.1': 'two\n' };
const THREE: Images = { ...TWO, '1.2': 'three\n' };

/** What may be seen of a destination or of a publisher's directory. */
interface Look {
  readonly latest?: string | undefined;
  readonly manifest?: Buffer | undefined;
  /** Contents of the images. */
  readonly images: readonly string[];
}

interface Subject {
  readonly command: (place: Place) => readonly string[];
  readonly prepare: (place: Place) => Promise<void> | void;
  readonly directory?: 'server' | 'destination';
  readonly before: Look;
  readonly after: Look;
  /** An image that is damaged before, and so may be anything until it is mended. */
  readonly damaged?: string;
  /** What is run after the fault; default: the same command. */
  readonly rerun?: (place: Place) => readonly string[];
  /** A run after that one, for a command that may not tidy up. */
  readonly tidy?: (place: Place) => readonly string[];
  /** Beside what every place may hold. */
  readonly further?: (place: Place) => void;
}

function expectLook(name: string, found: Look, allowed: readonly Look[]): void {
  const text = (look: Look): string =>
    JSON.stringify({
      latest: look.latest,
      manifest: look.manifest?.toString('latin1'),
      images: [...look.images].sort(),
    });
  const options = allowed.map(text);
  assert.ok(options.includes(text(found)), `${name}: found\n${text(found)}\nallowed\n${options.join('\n')}`);
}

function lookAt(directory: string, damaged?: string): Look {
  const manifest = join(directory, 'manifest');
  const images = stored(directory).map((digest) => {
    const content = fs.readFileSync(join(directory, 'store', digest), 'latin1');
    if (damaged === undefined || digest !== sha256(damaged)) assert.equal(sha256(content), digest, 'a whole image');
    return content;
  });
  return {
    latest: damaged === undefined ? linked(directory) : undefined,
    manifest: fs.existsSync(manifest) ? fs.readFileSync(manifest) : undefined,
    images,
  };
}

/** Before or after; parts that do not depend on each other may be at either. */
function mixtures({ before, after, directory }: Subject): readonly Look[] {
  const kept = before.images.filter((image) => after.images.includes(image));
  const known = new Set([...before.images, ...after.images]);
  const loose = [...known].filter((image) => !kept.includes(image));
  const isWithdrawal = after.images.length < before.images.length;
  const looks: Look[] = [];
  for (const latest of [before.latest, after.latest]) {
    for (const manifest of [before.manifest, after.manifest]) {
      for (let bits = 0; bits < 2 ** loose.length; bits++) {
        looks.push({ latest, manifest, images: [...kept, ...loose.filter((_, i) => bits & (1 << i))] });
      }
    }
  }
  const lists = (manifest: Buffer | undefined, image: string): boolean => manifest?.includes(sha256(image)) === true;
  return looks.filter(({ latest, manifest, images }) => {
    // A publisher's manifest promises only what is there; one that withdraws an image has said so before.
    if (directory === 'server')
      return isWithdrawal || [...known].every((image) => !lists(manifest, image) || images.includes(image));
    // A host has the manifest first, the image next, the link last.
    return images.every((image) => lists(manifest, image)) && (latest === undefined || images.includes(latest));
  });
}

const OURS = ['lock', 'state.json'];

function assertNoLitter(directory: string): void {
  const own = join(directory, '.tako');
  if (fs.existsSync(own))
    assert.deepEqual(
      fs.readdirSync(own).filter((name) => !OURS.includes(name)),
      [],
      'litter in .tako/',
    );
  const root = fs.readdirSync(directory).filter((name) => !['.tako', 'latest', 'manifest', 'store'].includes(name));
  assert.deepEqual(root, [], 'litter');
  const store = join(directory, 'store');
  const names = fs.existsSync(store) ? fs.readdirSync(store) : [];
  assert.deepEqual(
    names.filter((name) => !/^[0-9a-f]{64}$/.test(name)),
    [],
    'litter in store/',
  );
}

async function matrix(
  t: TestContext,
  subject: Subject,
  fault: Fault = 'KILL',
  only: readonly string[] = DURABLE_CALLS,
): Promise<void> {
  const { kills, calls } = await crashMatrix<Place>({
    fault,
    only,
    async prepare() {
      const place = placeIn(makeScratch());
      await subject.prepare(place);
      return place;
    },
    command: (place) => ({ file: process.execPath, args: [TAKO, ...subject.command(place)] }),
    ...(subject.rerun === undefined ? {} : { rerun: (place) => runTako(subject.rerun?.(place) ?? []) }),
    async check(place, at: CrashPoint) {
      const directory = place[subject.directory ?? 'destination'];
      const found = lookAt(directory, at.stage === 'hit' ? subject.damaged : undefined);
      if (at.stage === 'hit') {
        if (subject.damaged === undefined) expectLook(at.name, found, mixtures(subject));
        // A directory that could not be flushed after a rename holds the new state and says so.
        if (fault !== 'KILL') assert.notEqual(at.run.status, 0, 'a failed call is a failed run');
        if (fault !== 'KILL') assert.doesNotMatch(at.run.stderr, /unreachable|\n +at /);
        if (fault === 'ENOSPC') assert.match(at.run.stderr, /no space left/);
        return;
      }
      expectLook(at.name, found, [subject.after]);
      if (subject.tidy !== undefined) assert.equal((await runTako(subject.tidy(place))).status, 0);
      assertNoLitter(directory);
      subject.further?.(place);
    },
    dispose: (place) => removeTree(place.root),
  });
  t.diagnostic(
    `${kills} runs were hit: ${Object.entries(calls)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')}`,
  );
}

/**
 * A host that has fetched these versions with the program itself, its state file among them; made once and copied:
 * preparing it with the program each time would take most of the time.
 */
function prepared(images: Images, more: readonly string[] = []): (place: Place) => Promise<void> {
  let made: Promise<Place> | undefined;
  const make = async (): Promise<Place> => {
    const place = placeIn(makeScratch());
    await fetchInTurn(place, configure(place, { more }), images);
    return place;
  };
  return async (place) => {
    made ??= make();
    const model = await made;
    for (const name of ['host', 'server'] as const) {
      fs.cpSync(join(model.root, name), join(place.root, name), { recursive: true, verbatimSymlinks: true });
    }
    configure(place, { more });
  };
}

function settled(action: string, version: string): (place: Place) => void {
  return (place) => {
    const state = readState(place.destination);
    assert.equal(state['owed'], null, 'no debt is left');
    const history = state['history'] as readonly Record<string, unknown>[];
    const last = history.at(-1);
    assert.deepEqual([last?.['action'], last?.['version'], last?.['result']], [action, version, 'done']);
    assert.equal(history.filter(({ result }) => result !== 'done').length, 0);
    assert.equal(
      history.filter((each) => each['version'] === version && each['action'] === action).length,
      1,
      'written once',
    );
  };
}

function isDone(place: Place): boolean {
  return linked(place.destination) === 'two\n' && readState(place.destination)['owed'] === null;
}

const config = (place: Place): string => join(place.root, 'app');
const host = (images: Images, latest: string, ...contents: string[]): Look => ({
  latest,
  manifest: manifestOf(images),
  images: contents,
});

const SUBJECTS: Readonly<Record<string, Subject>> = {
  'a first fetch': {
    prepare: (place) => {
      publish(place.server, ONE);
      configure(place);
    },
    command: (place) => ['fetch', config(place)],
    before: { images: [] },
    after: host(ONE, 'one\n', 'one\n'),
    further: settled('install', '1.0'),
  },
  'a first fetch --init': {
    prepare: (place) => {
      publish(place.server, ONE);
      configure(place);
    },
    command: (place) => ['fetch', '--init', config(place)],
    before: { images: [] },
    after: host(ONE, 'one\n', 'one\n'),
    // With a good image --init writes nothing; what a kill left is for the next fetch.
    tidy: (place) => ['fetch', config(place)],
    further: settled('install', '1.0'),
  },
  'an update that deletes an old image': {
    prepare: async (place) => {
      await twoKept(place);
      publish(place.server, THREE);
    },
    command: (place) => ['fetch', config(place)],
    before: host(TWO, 'two\n', 'one\n', 'two\n'),
    after: host(THREE, 'three\n', 'two\n', 'three\n'),
    further: settled('update', '1.2'),
  },
  'an update of what the original program has left': {
    prepare: (place) => {
      provision(place.destination, ONE, '1.0');
      publish(place.server, TWO);
      configure(place);
    },
    command: (place) => ['fetch', config(place)],
    before: host(ONE, 'one\n', 'one\n'),
    after: host(TWO, 'two\n', 'one\n', 'two\n'),
    further: settled('update', '1.1'),
  },
  'fetch --stage': {
    prepare: async (place) => {
      await twoKept(place);
      publish(place.server, THREE);
    },
    command: (place) => ['fetch', '--stage', config(place)],
    before: host(TWO, 'two\n', 'one\n', 'two\n'),
    // The staged image counts; beside it the current one and the one before it stay.
    after: host(THREE, 'two\n', 'one\n', 'two\n', 'three\n'),
  },
  apply: {
    prepare: async (place) => {
      await twoKept(place);
      publish(place.server, THREE);
      await runTako(['fetch', '--stage', config(place)]);
    },
    command: (place) => ['apply', config(place)],
    before: host(THREE, 'two\n', 'one\n', 'two\n', 'three\n'),
    after: host(THREE, 'three\n', 'two\n', 'three\n'),
    further: settled('update', '1.2'),
  },
  gc: {
    prepare: async (place) => {
      await threeKept(place);
      configure(place, { more: ['KeepVersions=2'] });
    },
    command: (place) => ['gc', config(place)],
    before: host(THREE, 'three\n', 'one\n', 'two\n', 'three\n'),
    after: host(THREE, 'three\n', 'two\n', 'three\n'),
  },
  'rollback to a named version': {
    prepare: (place) => threeKept(place),
    command: (place) => ['rollback', config(place), '1.1'],
    before: host(THREE, 'three\n', 'one\n', 'two\n', 'three\n'),
    after: host(THREE, 'two\n', 'one\n', 'two\n', 'three\n'),
    further: settled('rollback', '1.1'),
  },
  'rollback to the previous version': {
    prepare: (place) => threeKept(place),
    command: (place) => ['rollback', config(place)],
    // One that had come to its end before the kill is not repeated: it would go back once more.
    rerun: (place) => (isDone(place) ? ['status', config(place)] : ['rollback', config(place)]),
    before: host(THREE, 'three\n', 'one\n', 'two\n', 'three\n'),
    after: host(THREE, 'two\n', 'one\n', 'two\n', 'three\n'),
    further: settled('rollback', '1.1'),
  },
  hold: {
    prepare: (place) => threeKept(place),
    command: (place) => ['hold', config(place)],
    before: host(THREE, 'three\n', 'one\n', 'two\n', 'three\n'),
    after: host(THREE, 'three\n', 'one\n', 'two\n', 'three\n'),
    further: (place) =>
      assert.equal((readState(place.destination)['hold'] as Record<string, unknown>)['version'], '1.2'),
  },
  'verify --repair of the current image': {
    prepare: async (place) => {
      await threeKept(place);
      put(join(place.destination, 'store', sha256('three\n')), 'THREE\n', 0o444);
    },
    command: (place) => ['verify', '--repair', config(place)],
    before: { images: [] },
    after: host(THREE, 'three\n', 'one\n', 'two\n', 'three\n'),
    damaged: 'three\n',
  },
  'verify --repair of an image that is kept for a rollback': {
    prepare: async (place) => {
      await threeKept(place);
      put(join(place.destination, 'store', sha256('two\n')), 'TWO\n', 0o444);
    },
    command: (place) => ['verify', '--repair', config(place)],
    before: { images: [] },
    after: host(THREE, 'three\n', 'one\n', 'two\n', 'three\n'),
    damaged: 'two\n',
  },
  'store into an empty directory': {
    directory: 'server',
    prepare: (place) => put(join(place.root, 'image'), 'one\n'),
    command: (place) => ['store', '-f', place.keyFile, '-o', place.server, join(place.root, 'image'), '1.0'],
    before: { images: [] },
    after: { manifest: manifestOf(ONE), images: ['one\n'] },
  },
  'store of a further version': {
    directory: 'server',
    prepare: (place) => {
      publish(place.server, ONE);
      put(join(place.root, 'image'), 'two\n');
    },
    command: (place) => ['store', '-f', place.keyFile, '-o', place.server, join(place.root, 'image'), '1.1'],
    before: { manifest: manifestOf(ONE), images: ['one\n'] },
    after: { manifest: manifestOf(TWO), images: ['one\n', 'two\n'] },
  },
  'store --remove-image': {
    directory: 'server',
    prepare: (place) => void publish(place.server, TWO),
    command: (place) => ['store', '--remove-image', '1.0', '-o', place.server],
    before: { manifest: manifestOf(TWO), images: ['one\n', 'two\n'] },
    after: { manifest: manifestOf(TWO), images: ['two\n'] },
  },
  'sign --rotate': {
    directory: 'server',
    prepare: (place) => {
      publish(place.server, TWO);
      put(join(place.root, 'new.key'), BERTA.secretText, 0o600);
    },
    command: (place) => [
      'sign',
      '--rotate',
      '--old-public-key',
      ALICE.publicText,
      '-f',
      join(place.root, 'new.key'),
      '-o',
      place.server,
    ],
    before: { manifest: manifestOf(TWO), images: ['one\n', 'two\n'] },
    after: { manifest: manifestOf(TWO, BERTA), images: ['one\n', 'two\n'] },
  },
};
const twoKept = prepared(TWO, ['KeepVersions=2']);
const threeKept = prepared(THREE);

describe('after a kill at any durable call', { skip: needs('strace') }, () => {
  for (const [name, subject] of Object.entries(SUBJECTS)) {
    it(`${name} is done or not begun, and succeeds when it is run again`, (t) => matrix(t, subject));
  }

  it('a download that was killed between two of its writes is resumed', async (t) => {
    const content = Buffer.alloc(3 << 20, 'large ').toString('latin1');
    await matrix(
      t,
      {
        prepare: (place) => {
          publish(place.server, { '1.0': content });
          configure(place);
        },
        command: (place) => ['fetch', config(place)],
        before: { images: [] },
        after: host({ '1.0': content }, content, content),
      },
      'KILL',
      ['pwrite64'],
    );
  });
});

/** The next run comes in another way than the one that was killed. */
describe('what a kill leaves behind', { skip: needs('strace') }, () => {
  it('of a fetch does not keep fetch --init from finding or making an image', async (t) => {
    const subject = SUBJECTS['an update that deletes an old image'];
    assert.ok(subject !== undefined);
    const { kills } = await crashMatrix<Place>({
      async prepare() {
        const place = placeIn(makeScratch());
        await subject.prepare(place);
        return place;
      },
      command: (place) => ({ file: process.execPath, args: [TAKO, ...subject.command(place)] }),
      rerun: (place) => runTako(['fetch', '--init', config(place)]),
      async check(place) {
        assert.ok(['two\n', 'three\n'].includes(linked(place.destination) ?? ''));
      },
      dispose: (place) => removeTree(place.root),
    });
    t.diagnostic(`${kills} runs were hit`);
  });
});

describe('when a call fails', { skip: needs('strace') }, () => {
  for (const fault of ['ENOSPC', 'EIO'] as const) {
    for (const name of [
      'a first fetch',
      'an update that deletes an old image',
      'store of a further version',
      'sign --rotate',
    ]) {
      const subject = SUBJECTS[name];
      assert.ok(subject !== undefined);
      it(`with ${fault}, ${name} fails, leaves the earlier state or the new one, and succeeds afterwards`, (t) =>
        matrix(t, subject, fault, ['fsync', 'fdatasync', 'syncfs', 'rename', 'symlink', 'mkdir', 'fchmod']));
    }
  }
});
