import { describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { killCommit, killPull } from './ostree-threads.ts';

describe('with threads, after a kill at a call somewhere in the run', {
  skip: needs('gcc', 'ostree', 'nginx', 'root'),
}, () => {
  it('a commit of many files is done or not begun, and succeeds when it is run again', (t) => killCommit(t, 50));

  it('a pull of many files is done or not begun, and succeeds when it is run again', (t) => killPull(t, 50));
});
