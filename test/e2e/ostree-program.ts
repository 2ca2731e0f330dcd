/** The program as the crash matrices and power cuts run it: hundreds of times, so bundled, which starts faster. */
import { after } from 'node:test';
import { bundleProgram } from '../support/bundle.ts';
import { type Finished, type NodeOptions, OSTREE_CONTAINER, runNode } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';
import type { Place } from './ostree-place.ts';
import type { Subject } from './ostree-subjects.ts';

let bundle: { readonly folder: string; readonly script: Promise<string> } | undefined;
after(() => bundle && removeTree(bundle.folder));

/** Made once for a test file. @returns the script */
export function bundled(): Promise<string> {
  if (bundle === undefined) {
    const folder = makeScratch();
    bundle = { folder, script: bundleProgram(OSTREE_CONTAINER, folder) };
  }
  return bundle.script;
}

/** The words behind the script. */
export function wordsFor(subject: Subject, place: Place): readonly string[] {
  const [command = '', ...words] = subject.command(place);
  return ['repo', command, '--repo', place.repo, ...words];
}

export async function runSubject(subject: Subject, place: Place, options?: NodeOptions): Promise<Finished> {
  return runNode(await bundled(), wordsFor(subject, place), options);
}
