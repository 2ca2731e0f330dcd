/** A program with groups two deep. It says on standard error what it loads, for its tests and for those of the shells. */
import { pathToFileURL } from 'node:url';
import { Command, Option } from 'commander';
import { type CommandEntry, groupShape, loadCommands } from './command-table.ts';
import { command, runMain } from './program.ts';
import { repeatable } from './repeatable.ts';
import { type RepoValues, repoOption, repoPath } from './shared-options.ts';

/** A command that prints what it was given. */
async function echo(shape: Command): Promise<Command> {
  if (process.env['POD_TRACE'] === '1') process.stderr.write(`loads ${shape.name()}\n`);
  return command<Record<string, unknown>>(shape, ['pod ...'], async () => async (values, args, { output }) => {
    output.result(JSON.stringify({ values, args }));
    return 0;
  });
}

const pull = () =>
  echo(
    new Command('pull')
      .description('Fetch images.')
      .addOption(new Option('--via <how>', 'the way').choices(['http', 'file']))
      .addOption(new Option('--sort [order]', 'in an order').choices(['name', 'size']))
      .addOption(repeatable('-l, --label <label>', 'what to write on it'))
      .option('-d, --directory <directory>', 'where to')
      .argument('[image...]', 'images'),
  );
const add = () => echo(new Command('add').argument('<name>').argument('<file>'));
const show = async () => {
  const shape = repoOption(new Command('show').description('Show it.'));
  return command<RepoValues>(shape, ['pod show'], async () => async (values, _args, { output }) => {
    output.result(repoPath(values));
    return 0;
  });
};

const REMOTE: readonly CommandEntry[] = [
  { name: 'add', summary: 'add a remote', load: add },
  { name: 'delete', aliases: ['rm'], summary: 'forget a remote', load: () => echo(new Command('delete')) },
];
const IMAGES: readonly CommandEntry[] = [
  { name: 'pull', aliases: ['fetch'], summary: 'fetch images', load: pull },
  { name: 'remote', summary: 'work with remotes', commands: REMOTE },
];
const COMMANDS: readonly CommandEntry[] = [
  { name: 'images', aliases: ['im'], summary: 'work with images', description: 'Many images.', commands: IMAGES },
  { name: 'show', summary: 'show it', load: show },
];

export function podProgram(wanted?: readonly string[]): Promise<Command> {
  const program = new Command('pod').description('A pod.').version('1.2.3', '--version', 'print the version');
  return loadCommands(groupShape(program), COMMANDS, wanted);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await runMain(podProgram, process.argv.slice(2));
