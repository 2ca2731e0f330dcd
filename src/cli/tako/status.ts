import { Command } from 'commander';
import { command } from '../program.ts';
import { type TransferValues, transferOptions } from '../shared-options.ts';

export interface StatusValues extends TransferValues {
  readonly refresh?: true;
  readonly metrics?: string;
}

export function statusCommand(): Command {
  const shape = new Command('status')
    .description(
      'Show the current, the newest compatible and the newest published version of each configuration, and what is ' +
        'remembered about it. Without --refresh nothing is asked of the network. Without configurations: all of them.',
    )
    .option('--refresh', 'ask the origins for the newest manifest first')
    .option('--metrics <file>', 'write an OpenMetrics text file for monitoring')
    .argument('[config...]', 'configuration files');
  return command<StatusValues>(
    transferOptions(shape),
    ['tako status', 'tako status --refresh /etc/tako/app', 'tako status --json /etc/tako/app'],
    async () => (await import('./status-work.ts')).statusWork,
  );
}

export function listCommand(): Command {
  const shape = new Command('list')
    .description('List every published version, oldest first: which match the pattern, which are stored here.')
    .argument('<config>', 'configuration file');
  return command(shape, ['tako list /etc/tako/app'], async () => (await import('./status-work.ts')).listWork);
}

export function historyCommand(): Command {
  const shape = new Command('history')
    .description('Show what was installed when, why and with which result, oldest first.')
    .argument('<config>', 'configuration file');
  return command(shape, ['tako history /etc/tako/app'], async () => (await import('./status-work.ts')).historyWork);
}
