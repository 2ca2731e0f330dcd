#!/usr/bin/env node
import { Command } from 'commander';
import { runMain } from '../program.ts';
import { packageVersion } from '../version.ts';
import { fetchCommand } from './fetch.ts';
import { gcCommand } from './gc.ts';
import { genKeyCommand } from './gen-key.ts';
import { storeCommand } from './store.ts';

const program = new Command('tako')
  .description('Keep single-file images up to date from a plain web server, signed and within version bounds.')
  .usage('<command> [options]')
  .version(packageVersion(), '--version', 'print the version')
  .helpCommand(false)
  .addCommand(fetchCommand())
  .addCommand(gcCommand())
  .addCommand(storeCommand())
  .addCommand(genKeyCommand())
  .addHelpText('after', '\nSee "tako <command> --help" for a command.');

await runMain(program, process.argv.slice(2));
