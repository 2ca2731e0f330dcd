/** Containers that are changed and killed: made once, copied for each run, and looked at afterwards. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleProgram } from '../support/bundle.ts';
import { crashMatrix, type Fault } from '../support/crash-matrix.ts';
import { type Finished, must, OS_CONTAINERS, runNode } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';
import {
  activeInfo,
  type ContainerPlace,
  containerPlace,
  etcdImage,
  slotsIn,
  snapshot,
} from './os-containers-place.ts';

export const SUBJECTS = ['install', 'update', 'rollback', 'uninstall'] as const;
export type Subject = (typeof SUBJECTS)[number];

const NAME = 'registry.example.com/team/etcd:latest';
const IMAGE = 'registry.example.com/team/etcd';
const TMPFILES = 'd $RUN_DIRECTORY/$NAME 0700 $HOST_UID $HOST_GID - -\n';

const WORDS: Readonly<Record<Subject, readonly string[]>> = {
  install: ['install', IMAGE],
  update: ['update', '--wait', '0', 'etcd'],
  rollback: ['rollback', '--wait', '0', 'etcd'],
  uninstall: ['uninstall', 'etcd'],
};

/** What an administrator could see, apart from times and random numbers. */
type State = ReturnType<typeof stateOf>;

function stateOf(place: ContainerPlace) {
  const { systemd, root } = place;
  const info = activeInfo(place, 'etcd');
  const files = snapshot(root);
  return {
    files,
    slots: slotsIn(place),
    info: info && { ...info, activated: 0, created: 0, values: 0 },
    service: info && { active: systemd.isActive('etcd'), enabled: systemd.isEnabled('etcd') },
  };
}

/** The host before the subject, in a folder that is copied. */
async function prepared(subject: Subject, script: string): Promise<string> {
  const folder = makeScratch();
  const place = containerPlace(folder, script);
  const image = join(folder, 'image');
  const did = async (...words: readonly string[]): Promise<void> => {
    const { status, stderr } = await place.run(words);
    assert.equal(status, 0, `${words.join(' ')}: ${stderr}`);
  };
  const publish = async (version: string, more: Readonly<Record<string, string>>): Promise<void> => {
    const hostFiles = { 'etc/etcd/etcd.conf': `# ${version}\n`, 'etc/etcd/same.conf': 'same\n', ...more };
    await did('pull', '--name', NAME, await etcdImage(image, version, { hostFiles, tmpfiles: TMPFILES }));
  };
  await publish('1.0', { 'usr/local/bin/etcdctl': '1.0\n', 'etc/etcd/mine.conf': 'default\n' });
  if (subject === 'install') return folder;
  await did('install', IMAGE);
  place.systemd.set('etcd', { active: true });
  writeFileSync(join(place.root, 'etc/etcd/mine.conf'), 'changed by hand\n');
  await publish('2.0', { 'etc/etcd/new.d/new.conf': 'new\n', 'etc/etcd/mine.conf': 'other default\n' });
  if (subject !== 'update') await did('update', 'etcd', '--wait', '0');
  return folder;
}

/** Hit at each durable call, or each so-many-th. @returns what was done, for the report */
export async function crashesOf(subject: Subject, fault: Fault, every: number): Promise<string> {
  const tools = makeScratch();
  const script = await bundleProgram(OS_CONTAINERS, join(tools, 'bundle'));
  const original = await prepared(subject, script);
  try {
    const before = stateOf(containerPlace(original, script));
    const after = await undisturbed(subject, original, script);
    const { kills, calls } = await crashMatrix<ContainerPlace>({
      fault,
      every,
      prepare: () => copied(original, script),
      command: (place) => ({
        file: process.execPath,
        args: [script, ...place.words, ...WORDS[subject]],
        env: { ...place.env, UV_THREADPOOL_SIZE: '1' },
      }),
      rerun: (place) => again(subject, place),
      dispose: (place) => removeTree(join(place.root, '..')),
      async check(place, { stage, name }) {
        assertMine(place, subject);
        if (stage === 'hit') return assertSlotsWhole(place);
        assertNoLeftovers(place);
        const found = stateOf(place);
        // What was nearly done may have been completed or taken back by the run after it, which then did it once more.
        if (stage === 'again' && subject === 'rollback' && same(found, before)) return;
        // A file that cannot be deleted is told of, and keeps nothing from being done.
        if (stage === 'again' && HOST_FILE.test(name)) {
          if (subject === 'rollback') return assertSlotsWhole(place); // it was done, and by now once more
          return assertStayed(place, found, after);
        }
        assert.deepEqual(found, after);
      },
    });
    return `${subject}: ${kills} runs were hit, of ${JSON.stringify(calls)}`;
  } finally {
    removeTree(original);
    removeTree(tools);
  }
}

async function undisturbed(subject: Subject, original: string, script: string): Promise<State> {
  const place = await copied(original, script);
  try {
    const ended = await place.run(WORDS[subject]);
    assert.equal(ended.status, 0, ended.stderr);
    return stateOf(place);
  } finally {
    removeTree(join(place.root, '..'));
  }
}

/** A command that finds its work done already fails, and rightly so. */
async function again(subject: Subject, place: ContainerPlace): Promise<Finished> {
  const ended = await place.run(WORDS[subject]);
  const isDone = { install: /already exists/, uninstall: /cannot find container/, update: /^\b$/, rollback: /^\b$/ };
  return isDone[subject].test(ended.stderr) ? { ...ended, status: 0 } : ended;
}

async function copied(original: string, script: string): Promise<ContainerPlace> {
  const folder = makeScratch();
  await must('cp', ['-a', `${original}/.`, folder]);
  const { words, env, ...place } = containerPlace(folder, script);
  // The runtime's path is in units and in info: it has to be the same in all copies.
  const runtime = join(original, 'systemd/bin/runc');
  const ours = words.map((word) => (word === place.systemd.runtime ? runtime : word));
  const run: ContainerPlace['run'] = (args, options = {}) =>
    runNode(script, [...ours, ...args], { ...options, env: { ...env, ...options.env } });
  return { ...place, words: ours, env, run };
}

/** A failed removal of a host file that only the earlier version has. */
const HOST_FILE = /^EIO at (?:unlink|rmdir) .*(?:etcdctl|new\.conf|new\.d|mine\.conf\.new)"/;

/** Apart from what could not be deleted, and is recorded, all is as it is without a fault. */
function assertStayed(place: ContainerPlace, found: State, after: State): void {
  const info = activeInfo(place, 'etcd');
  const left = Object.keys(found.files).filter((path) => !(path in after.files));
  const recorded = [info?.['installed-files'], info?.['installed-directories']].flatMap((each) => each as string[]);
  for (const path of info === undefined ? [] : left) assert.ok(recorded.includes(`/${path}`), `${path} is recorded`);
  assert.deepEqual(
    Object.fromEntries(Object.entries(found.files).filter(([path]) => !left.includes(path))),
    after.files,
  );
  assert.deepEqual([found.slots, found.service], [after.slots, after.service]);
}

function assertMine({ root }: ContainerPlace, subject: Subject): void {
  if (subject === 'install') return;
  assert.equal(readFileSync(join(root, 'etc/etcd/mine.conf'), 'utf8'), 'changed by hand\n');
}

/** Slots are there whole or not at all, and the link leads to one. */
function assertSlotsWhole(place: ContainerPlace): void {
  for (const slot of slotsIn(place)) {
    if (!/^etcd(\.\d)?$/.test(slot)) continue;
    for (const name of ['info', 'config.json', 'rootfs/usr/bin/etcd']) {
      assert.ok(existsSync(join(place.checkouts, slot, name)), `${slot}/${name}`);
    }
  }
}

function assertNoLeftovers({ checkouts, root }: ContainerPlace): void {
  const all = readdirSync(checkouts).filter((name) => name !== '.storage' && name !== '.state');
  for (const name of all) assert.match(name, /^etcd(\.\d)?$/);
  const state = join(checkouts, '.state');
  if (existsSync(state)) for (const name of readdirSync(state)) assert.doesNotMatch(name, /journal/);
  for (const path of Object.keys(snapshot(root))) assert.doesNotMatch(path, /(^|\/)\.[^/]*(tmp|part)/);
}

function same(one: unknown, other: unknown): boolean {
  try {
    assert.deepEqual(one, other);
    return true;
  } catch (error) {
    if (error instanceof assert.AssertionError) return false;
    throw error;
  }
}
