/**
 * Every durable system call of every command that changes a repository, killed at its entry, one run each. What is left
 * is sound, its refs are those of before or after, and the same command once more makes the same as without a kill.
 */
import { describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { matrix } from './ostree-matrix.ts';
import { CHECKOUTS, COMMITS, LOCAL_PULLS, MAINTENANCE } from './ostree-subjects.ts';

/** Nearly the same calls as of others here: in the long tests. */
const SIMILAR = new Set(['a commit of a tar archive', 'a local pull that converts']);
const SUBJECTS = Object.entries({ ...COMMITS, ...LOCAL_PULLS, ...CHECKOUTS, ...MAINTENANCE });

describe('after a kill at any durable call', { skip: needs('strace', 'ostree', 'python3', 'root') }, () => {
  for (const [name, subject] of SUBJECTS.filter(([name]) => !SIMILAR.has(name))) {
    it(`${name} is done or not begun, and succeeds when it is run again`, (t) => matrix(t, subject));
  }
});
