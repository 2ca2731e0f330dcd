/** Host files under a change that is killed, or whose disk fails, at any durable call, and then undone or done again. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  change,
  type HostFiles,
  imageOf,
  placesAt,
  plan,
  snapshot,
  write,
} from '../../src/system-containers/host-files/host-files.fixture.ts';
import { crashMatrix, type Fault } from '../support/crash-matrix.ts';
import { needs } from '../support/needs.ts';
import { must } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';
import { type Direction, decodeState, encodeState, go, type HostState } from './host-files-program.ts';

const PROGRAM = fileURLToPath(import.meta.resolve('./host-files-program.js'));

const OLD: HostFiles = {
  'etc/app/conf': 'old',
  'etc/app/edited': 'old',
  'etc/app/removed': 'old',
  'usr/bin/app': { content: 'old', mode: 0o755, uid: 3, gid: 4 },
  'usr/bin/same': { content: 'same', mode: 0o755 },
  'usr/lib/app.so': { target: 'app.so.1' },
  'usr/share/old/file': 'old',
  'opt/turn': 'a file',
};
const NEW: HostFiles = {
  'etc/app/conf': { content: 'new', mode: 0o600 },
  'etc/app/edited': 'new',
  'etc/app/removed': 'new',
  'usr/bin/app': { content: 'new', mode: 0o4755, uid: 5, gid: 6 },
  'usr/bin/same': { content: 'same', mode: 0o755 },
  'usr/lib/app.so': { target: 'app.so.2' },
  'usr/share/new': { type: 'directory', mode: 0o700, gid: 7 },
  'var/empty': { type: 'directory', mode: 0o750, uid: 7 },
  'usr/share/new/file': 'new',
  'opt/turn/file': 'now in a directory',
};
/** They are in both versions, and nobody may ever meet a host without them. */
const ALWAYS = ['/etc/app/conf', '/usr/bin/app', '/usr/bin/same', '/usr/lib/app.so'];

type Snapshot = Readonly<Record<string, string>>;
interface Model {
  readonly state: HostState;
  readonly before: Snapshot;
  readonly after: Snapshot;
}

/** A host with one version, changed by hand, and what becomes of it; made anew each time, always the same. */
async function makeHost(from: HostFiles | undefined, to: HostFiles | undefined): Promise<HostState> {
  const folder = makeScratch();
  const root = join(folder, 'host');
  mkdirSync(root, { mode: 0o755 });
  const places = placesAt(root);
  write(root, { 'etc/passwd': 'root' });
  let installed: HostState['installed'];
  if (from !== undefined) {
    installed = (await change({ places, tree: imageOf(from), previous: undefined })).plan.installed;
    write(root, { 'etc/app/edited': 'by hand' });
    unlinkSync(join(root, 'etc/app/removed'));
    chmodSync(join(root, 'etc/app/conf'), 0o640);
  }
  const tree = to && imageOf(to);
  const { installed: next, gone, before } = await plan({ places, tree, previous: installed });
  const state = { root, from, to, installed, next, gone, before };
  writeFileSync(join(folder, 'state.json'), encodeState(state));
  return state;
}

async function makeModel(from: HostFiles | undefined, to: HostFiles | undefined): Promise<Model> {
  const state = await makeHost(from, to);
  const before = snapshot(state.root);
  await go(state, 'forward');
  const after = snapshot(state.root);
  removeTree(join(state.root, '..'));
  return { state, before, after };
}

/** `first` is hit, `then` has to bring about what it promises. */
async function matrix(
  [from, to]: readonly [HostFiles | undefined, HostFiles | undefined],
  [first, then]: readonly [Direction, Direction],
  fault: Fault,
): Promise<string> {
  const { before, after } = await makeModel(from, to);
  const goal = then === 'undo' ? before : after;
  const words = (root: string, direction: Direction) => [PROGRAM, join(root, '..', 'state.json'), direction];
  const { kills, calls } = await crashMatrix<string>({
    fault,
    every: from === undefined ? 4 : fault === 'KILL' ? 3 : 5, // an installation makes the same calls for every file
    async prepare() {
      const state = await makeHost(from, to);
      if (first === 'undo') await go(state, 'forward');
      return state.root;
    },
    command: (root) => ({ file: process.execPath, args: words(root, first) }),
    rerun: (root) => must(process.execPath, words(root, then)),
    dispose: (root) => removeTree(join(root, '..')),
    async check(root, { stage }) {
      const found = snapshot(root);
      const kept = from === undefined || to === undefined ? [] : ALWAYS;
      for (const path of kept)
        assert.ok([before[path], after[path]].includes(found[path] ?? ''), `${path}: ${found[path]}`);
      if (stage === 'hit') return;
      assert.deepEqual(found, stage === 'again' || first === 'undo' ? goal : after);
      assert.deepEqual(decodeState(readFileSync(join(root, '..', 'state.json'), 'utf8')).root, root);
    },
  });
  return `${kills} runs were hit: ${JSON.stringify(calls)}`;
}

const CHANGES = [
  ['an installation', undefined, NEW],
  ['an update', OLD, NEW],
  ['a removal', OLD, undefined],
] as const;

describe('a change of host files', { skip: needs('strace', 'root'), timeout: 900_000 }, () => {
  for (const [name, from, to] of CHANGES) {
    for (const then of ['undo', 'redo'] as const) {
      it(`(${name}) that is killed at a durable call leaves exactly one of two states after the ${then}`, async (t) => {
        t.diagnostic(await matrix([from, to], ['forward', then], 'KILL'));
      });
    }
  }

  it('(an update) whose disk fails at any durable call leaves exactly what was there after the undo', async (t) => {
    t.diagnostic(await matrix([OLD, NEW], ['forward', 'undo'], 'EIO'));
  });

  it('(an update) whose undo is killed at any durable call is undone by the next one', async (t) => {
    t.diagnostic(await matrix([OLD, NEW], ['undo', 'undo'], 'KILL'));
  });
});
