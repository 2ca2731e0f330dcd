import { Command } from 'commander';
import { command } from '../program.ts';
import { type LockValues, lockOption, type TransferValues, transferOptions } from '../shared-options.ts';

export interface FetchValues extends LockValues, TransferValues {
  readonly init?: true;
  readonly initOnly?: true;
  readonly verify: boolean;
  readonly stage?: true;
  readonly check?: true;
  readonly dryRun?: true;
  readonly metrics?: string;
}

export function fetchCommand(): Command {
  const shape = new Command('fetch')
    .description(
      'Check the origin of each configuration for a newer image that its version pattern allows, download and verify ' +
        'it, link it as "latest" and restart the units that use it. Several configurations are fetched side by side.',
    )
    .option('--init', 'make sure that an image is there: no network when a good one is, no units restarted')
    .option('--init-only', 'the same as --init')
    .option('--no-verify', 'do not hash a stored image again (signatures, sizes and downloads are always checked)')
    .option('--stage', 'download and verify, do not link: "tako apply" does that')
    .option('--check', 'exit with status 10 when there is an update, and say how many bytes it would fetch')
    .option('--dry-run', 'say what would be done and how many bytes it would fetch, change nothing')
    .option('--metrics <file>', 'write an OpenMetrics text file for monitoring')
    .argument('<config...>', 'configuration files');
  return command<FetchValues>(
    transferOptions(lockOption(shape)),
    [
      'tako fetch /etc/tako/app',
      'tako fetch --init /etc/tako/app     # in ExecStartPre= of the unit that uses the image',
    ],
    async () => (await import('./fetch-work.ts')).fetchWork,
  );
}

export function applyCommand(): Command {
  const shape = new Command('apply')
    .description(
      'Link the newest stored image that the pattern allows and restart its units; no network. Images that fetch ' +
        'has staged, outside of the maintenance window or by --stage, are verified again before.',
    )
    .option('--dry-run', 'say what would be done, change nothing')
    .option('--metrics <file>', 'write an OpenMetrics text file for monitoring')
    .argument('<config...>', 'configuration files');
  return command<FetchValues>(
    lockOption(shape),
    ['tako fetch --stage /etc/tako/app && tako apply /etc/tako/app'],
    async () => (await import('./fetch-work.ts')).applyWork,
  );
}
