/** All commands of `ostree-container`: help, completions and manual pages are made from this. */
import { Command } from 'commander';
import { type CommandEntry, groupShape, loadCommands } from '../command-table.ts';
import { packageVersion } from '../version.ts';

/** The words of the `ostree` program. */
const REPO: readonly CommandEntry[] = [
  {
    name: 'init',
    summary: 'make a repository',
    load: async () => (await import('./repo/init.ts')).initCommand(),
  },
];

const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'repo',
    summary: 'work with an OSTree repository',
    description: 'Work with an OSTree repository, with the words and options that users of the program ostree know.',
    commands: REPO,
  },
];

/** @param wanted the words of the command that will run; undefined: all of them, with their options */
export async function ostreeContainerProgram(wanted?: readonly string[]): Promise<Command> {
  const program = new Command('ostree-container')
    .description('Carry OSTree commits in container images, and work with OSTree repositories.')
    .version(packageVersion(), '--version', 'print the version');
  return loadCommands(groupShape(program), COMMANDS, wanted);
}
