/**
 * Durable system calls of every command that changes a repository, killed at their entry, one run each. What is left
 * is sound, its refs are those of before or after, and the same command once more makes the same as without a kill.
 */
import { describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { matrix } from './ostree-matrix.ts';
import { CHECKOUTS, COMMITS, LOCAL_PULLS, MAINTENANCE } from './ostree-subjects.ts';

/** Nearly the same calls as of others here: in the long tests. */
const SIMILAR = new Set(['a commit of a tar archive', 'a local pull that converts']);
/** All of their calls are in the long tests; here every third of each kind, which reaches every step. */
const SAMPLED = { ...COMMITS, ...LOCAL_PULLS, ...CHECKOUTS };
const SUBJECTS = [
  ...Object.entries(SAMPLED).map(([name, subject]) => [name, subject, 3] as const),
  ...Object.entries(MAINTENANCE).map(([name, subject]) => [name, subject, 1] as const),
];

describe('after a kill at any durable call', { skip: needs('strace', 'ostree', 'python3', 'root') }, () => {
  for (const [name, subject, every] of SUBJECTS.filter(([name]) => !SIMILAR.has(name))) {
    it(`${name} is done or not begun, and succeeds when it is run again`, (t) => matrix(t, subject, 'KILL', { every }));
  }
});
