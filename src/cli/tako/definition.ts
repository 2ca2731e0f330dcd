/** All commands of `tako`: help, completions and manual pages are made from this. */
import { Command } from 'commander';
import { type CommandEntry, groupShape, loadCommands } from '../command-table.ts';
import { packageVersion } from '../version.ts';

const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'fetch',
    summary: 'check for updates, download and apply them',
    load: async () => (await import('./fetch.ts')).fetchCommand(),
  },
  {
    name: 'apply',
    summary: 'link what "fetch --stage" has downloaded',
    load: async () => (await import('./fetch.ts')).applyCommand(),
  },
  {
    name: 'status',
    summary: 'show what is installed, and what could be',
    load: async () => (await import('./status.ts')).statusCommand(),
  },
  {
    name: 'list',
    summary: 'list the published versions',
    load: async () => (await import('./status.ts')).listCommand(),
  },
  {
    name: 'history',
    summary: 'show what was installed when',
    load: async () => (await import('./status.ts')).historyCommand(),
  },
  {
    name: 'rollback',
    summary: 'go back to an earlier image',
    load: async () => (await import('./rollback.ts')).rollbackCommand(),
  },
  { name: 'hold', summary: 'stay with one version', load: async () => (await import('./rollback.ts')).holdCommand() },
  {
    name: 'unhold',
    summary: 'forget holds and skipped versions',
    load: async () => (await import('./rollback.ts')).unholdCommand(),
  },
  {
    name: 'verify',
    summary: 'check the stored images',
    load: async () => (await import('./verify.ts')).verifyCommand(),
  },
  {
    name: 'gc',
    summary: 'delete images that are not needed any more',
    load: async () => (await import('./gc.ts')).gcCommand(),
  },
  {
    name: 'gen-key',
    summary: 'make a key pair for signing',
    load: async () => (await import('./gen-key.ts')).genKeyCommand(),
  },
  { name: 'store', summary: 'publish an image', load: async () => (await import('./store.ts')).storeCommand() },
  {
    name: 'sign',
    summary: 'sign the manifest under a new key',
    load: async () => (await import('./sign.ts')).signCommand(),
  },
  {
    name: 'check-server',
    summary: 'check a server directory',
    load: async () => (await import('./check-server.ts')).checkServerCommand(),
  },
];

/** @param wanted the words of the command that will run; undefined: all of them, with their options */
export async function takoProgram(wanted?: readonly string[]): Promise<Command> {
  const program = new Command('tako')
    .description('Keep single-file images up to date from a plain web server, signed and within version bounds.')
    .version(packageVersion(), '--version', 'print the version');
  return loadCommands(groupShape(program), COMMANDS, wanted);
}
