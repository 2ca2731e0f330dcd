/** All commands of `tako`: help, completions and manual pages are made from this. */
import { Command } from 'commander';
import { packageVersion } from '../version.ts';
import { checkServerCommand } from './check-server.ts';
import { applyCommand, fetchCommand } from './fetch.ts';
import { gcCommand } from './gc.ts';
import { genKeyCommand } from './gen-key.ts';
import { holdCommand, rollbackCommand, unholdCommand } from './rollback.ts';
import { signCommand } from './sign.ts';
import { historyCommand, listCommand, statusCommand } from './status.ts';
import { storeCommand } from './store.ts';
import { verifyCommand } from './verify.ts';

export function takoProgram(): Command {
  return new Command('tako')
    .description('Keep single-file images up to date from a plain web server, signed and within version bounds.')
    .usage('<command> [options]')
    .version(packageVersion(), '--version', 'print the version')
    .helpCommand(false)
    .addCommand(fetchCommand())
    .addCommand(applyCommand())
    .addCommand(statusCommand())
    .addCommand(listCommand())
    .addCommand(historyCommand())
    .addCommand(rollbackCommand())
    .addCommand(holdCommand())
    .addCommand(unholdCommand())
    .addCommand(verifyCommand())
    .addCommand(gcCommand())
    .addCommand(genKeyCommand())
    .addCommand(storeCommand())
    .addCommand(signCommand())
    .addCommand(checkServerCommand())
    .addHelpText('after', '\nSee "tako <command> --help" for a command.');
}
