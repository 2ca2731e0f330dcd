/** All commands of `os-containers`: help, completions and manual pages are made from this. */
import { basename } from 'node:path';
import { Command } from 'commander';
import { groupShape, loadCommands } from '../command-table.ts';
import { packageVersion } from '../version.ts';
import { COMMANDS } from './commands.ts';

/** The program goes by two names. */
export type ProgramName = 'os-containers' | 'os-container';

/** @param path what the program was started as */
export function calledName(path: string | undefined): ProgramName {
  return /^os-container(\.[a-z]+)?$/.test(basename(path ?? '')) ? 'os-container' : 'os-containers';
}

/**
 * @param wanted the words of the command that will run; undefined: all of them, with their options
 * @param name the one it was called by
 */
export async function osContainersProgram(
  wanted?: readonly string[],
  name: ProgramName = 'os-containers',
): Promise<Command> {
  const program = new Command(name)
    .description('Install system services that come as container images: atomic updates, rollback, units, host files.')
    .version(packageVersion(), '--version', 'print the version')
    .enablePositionalOptions();
  return loadCommands(groupShape(program), COMMANDS, wanted);
}
