/** The repositories to pull from, behind nginx, for a whole test file. */
import { after } from 'node:test';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';
import { makeSources, pulls, type Subject } from './ostree-subjects.ts';

/** @param skip what `needs` says: then nothing is made */
export async function servedPulls(skip: string | false): Promise<Readonly<Record<string, Subject>>> {
  const folder = makeScratch();
  let nginx: Nginx | undefined;
  after(async () => {
    await nginx?.stop();
    removeTree(folder);
  });
  if (skip === false) {
    await makeSources(folder);
    nginx = await startNginx({ root: folder });
  }
  return pulls(() => ({ url: nginx?.url ?? '' }));
}
