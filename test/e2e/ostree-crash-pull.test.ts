/** The crash matrix of pulls over HTTP, and of calls that fail. */
import { after, describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';
import { matrix } from './ostree-matrix.ts';
import { COMMITS, makeSources, pulls } from './ostree-subjects.ts';

const skip = needs('strace', 'ostree', 'python3', 'root', 'nginx');
const folder = makeScratch();
let nginx: Nginx | undefined;
if (skip === false) {
  await makeSources(folder);
  nginx = await startNginx({ root: folder });
}
after(async () => {
  await nginx?.stop();
  removeTree(folder);
});

const PULLS = pulls(() => ({ url: nginx?.url ?? '' }));

describe('after a kill at any durable call', { skip }, () => {
  for (const [name, subject] of Object.entries(PULLS)) {
    it(`${name} is done or not begun, and succeeds when it is run again`, (t) => matrix(t, subject));
  }
});

describe('when a durable call fails', { skip }, () => {
  for (const fault of ['ENOSPC', 'EIO'] as const) {
    for (const [name, subject] of [
      ['a first commit of a directory', COMMITS['a first commit of a directory']],
      ['a pull of an update', PULLS['a pull of an update']],
    ] as const) {
      if (subject === undefined) throw new Error(`unreachable: ${name}`);
      it(`with ${fault}, ${name} says so, leaves the earlier state or the new one, and succeeds afterwards`, (t) =>
        matrix(t, subject, fault));
    }
  }
});
