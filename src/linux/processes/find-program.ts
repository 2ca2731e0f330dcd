import { accessSync, constants, statSync } from 'node:fs';
import { codeOf } from '../../base/error.ts';

/** The file that runs under this name, as a shell would find it; only absolute directories of PATH count. */
export function findProgram(
  name: string,
  path = process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
): string | undefined {
  return path
    .split(':')
    .filter((directory) => directory.startsWith('/'))
    .map((directory) => `${directory}/${name}`)
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return false; // absent, not permitted, in a directory that cannot be searched: not a program for us
  }
}
