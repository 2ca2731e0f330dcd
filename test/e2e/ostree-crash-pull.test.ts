/** The crash matrix of pulls over HTTP, and of calls that fail: every third of each kind, all are in the long tests. */
import { describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { matrix } from './ostree-matrix.ts';
import { servedPulls } from './ostree-served.ts';
import { COMMITS } from './ostree-subjects.ts';

const skip = needs('strace', 'ostree', 'python3', 'root', 'nginx');
const PULLS = await servedPulls(skip);

describe('after a kill at any durable call', { skip }, () => {
  for (const name of ['a pull from nothing', 'a pull of a static delta'] as const) {
    const subject = PULLS[name];
    if (subject === undefined) throw new Error(`unreachable: no subject ${name}`);
    it(`${name} is done or not begun, and succeeds when it is run again`, (t) =>
      matrix(t, subject, 'KILL', { every: 3 }));
  }
});

describe('when a durable call fails', { skip }, () => {
  for (const [fault, name, subject] of [
    ['ENOSPC', 'a commit', COMMITS['a second commit that changes a file']],
    ['EIO', 'a pull', PULLS['a pull of an update']],
  ] as const) {
    if (subject === undefined) throw new Error(`unreachable: no subject for ${name}`);
    it(`with ${fault}, ${name} says so, leaves the earlier state or the new one, and succeeds afterwards`, (t) =>
      matrix(t, subject, fault, { every: 3 }));
  }
});
