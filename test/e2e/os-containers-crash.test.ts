/** Changes of containers, killed at a sample of their durable calls. All of them: the long test beside this one. */
import { describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { crashesOf, SUBJECTS } from './os-containers-crash.ts';

for (const subject of SUBJECTS) {
  describe(`${subject} of a container`, { skip: needs('strace', 'root') }, () => {
    it('that is killed is done or not begun after the next command, and nothing of the administrator is lost', async (t) => {
      t.diagnostic(await crashesOf(subject, 'KILL', 8));
    });
  });
}
