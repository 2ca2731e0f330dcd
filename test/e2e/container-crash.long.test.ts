/** Every durable call of each command that brings an image into a repository: killed there, and with a disk that fails. */
import { describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { crashesOf, SUBJECTS } from './container-crash.ts';

for (const subject of SUBJECTS) {
  describe(subject, { skip: needs('strace', 'ostree', 'root') }, () => {
    it('is done or not begun wherever it is killed, and succeeds when it is run again', async (t) => {
      t.diagnostic(await crashesOf(subject, 'KILL', 1));
    });
    it('is done or not begun wherever the disk fails, and succeeds when it is run again', async (t) => {
      t.diagnostic(await crashesOf(subject, 'EIO', 1));
    });
  });
}
