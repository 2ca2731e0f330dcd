/** Crash matrices whose calls are nearly those of the ones in `npm test`, and the other faults. */
import { describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { matrix } from './ostree-matrix.ts';
import { servedPulls } from './ostree-served.ts';
import { CHECKOUTS, COMMITS, LOCAL_PULLS } from './ostree-subjects.ts';

const skip = needs('strace', 'ostree', 'python3', 'root', 'nginx');
const PULLS = await servedPulls(skip);
const SUBJECTS = Object.entries({ ...COMMITS, ...LOCAL_PULLS, ...CHECKOUTS, ...PULLS });

describe('after a kill at any durable call', { skip }, () => {
  for (const [name, subject] of SUBJECTS) {
    it(`${name} is done or not begun, and succeeds when it is run again`, (t) => matrix(t, subject));
  }
});

describe('when a durable call fails', { skip }, () => {
  for (const fault of ['ENOSPC', 'EIO'] as const) {
    for (const [name, subject] of SUBJECTS) {
      it(`with ${fault}, ${name} says so, leaves the earlier state or the new one, and succeeds afterwards`, (t) =>
        matrix(t, subject, fault));
    }
  }
});
