/** A program as it is released, in few files: it starts in less than half the time, where a test runs it a thousand times. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { CHECKOUT } from './program.ts';

/**
 * Bundle a built program, such as `OSTREE_CONTAINER`, into a folder of the test. It has no threads: those are started
 * from files of the checkout.
 * @returns the script
 */
export async function bundleProgram(program: string, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  symlinkSync(join(CHECKOUT, 'node_modules'), join(folder, 'node_modules'));
  symlinkSync(join(CHECKOUT, 'package.json'), join(folder, 'package.json'));
  const bundle = await rolldown({
    input: program,
    platform: 'node',
    external: [/^node:/, 'koffi'],
    onLog: () => undefined, // remarks about the size of chunks
  });
  await bundle.write({ dir: folder, entryFileNames: 'program.js', chunkFileNames: 'chunks/[name].js' });
  await bundle.close();
  return join(folder, 'program.js');
}
