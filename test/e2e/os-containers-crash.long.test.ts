/** Every durable call of each command that changes a container: killed there, and with a disk that fails. */
import { describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { crashesOf, SUBJECTS } from './os-containers-crash.ts';

for (const subject of SUBJECTS) {
  describe(`${subject} of a container`, { skip: needs('strace', 'root') }, () => {
    it('is done or not begun after the next command, wherever it is killed', async (t) => {
      t.diagnostic(await crashesOf(subject, 'KILL', 1));
    });
    it('is done or not begun after the next command, wherever the disk fails', async (t) => {
      t.diagnostic(await crashesOf(subject, 'EIO', 1));
    });
  });
}
