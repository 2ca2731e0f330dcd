import { Command } from 'commander';
import { UsageError } from '../../arguments.ts';
import type { RepoValues } from '../../shared-options.ts';
import { type SharedPullValues, sharedPullOptions, sharedPullValues, tellPulled } from './pull-options.ts';
import { type Opened, repositoryCommand } from './with-repository.ts';

interface Values extends RepoValues, SharedPullValues {
  readonly remote?: string;
  readonly gpgVerify?: true;
  readonly gpgVerifySummary?: true;
}

export function pullLocalCommand(): Command {
  const shape = new Command('pull-local')
    .description(
      'Copy commits from a repository on this machine. Files are hard-linked where both repositories keep them alike ' +
        'on one file system. What is linked is not hashed, unless --untrusted is given; what is converted always is.',
    )
    .argument('<source>', 'directory of the repository to copy from')
    .argument('[refs...]', 'REF, REF@COMMIT or COMMIT (default: all refs in refs/heads)')
    .option('--remote <name>', 'write refs as those of this remote')
    .option('--gpg-verify', 'require OpenPGP signatures of commits, by the keys of --remote')
    .option('--gpg-verify-summary', 'require an OpenPGP signature of the summary, by the keys of --remote');
  const examples = ['ostree-container repo pull-local --repo /srv/repo /media/usb/repo os/stable'];
  return repositoryCommand<Values>(
    sharedPullOptions(shape),
    examples,
    async (values, [source = '', ...refs], opened) => {
      const { ostree, repository, output, progress, signal } = opened;
      const policy = await policyOf(values, opened);
      const from = ostree.openRepository(source);
      try {
        const options = {
          ...ostree.PULL_DEFAULTS,
          ...sharedPullValues(values),
          asked: refs.map(ostree.parseAsked),
          remote: values.remote,
          untrusted: values.untrusted === true,
        };
        const summarySignatures = policy && (await ostree.verifySummary(from, policy.summary));
        const onWait = (): void => output.info('locked by another process, waiting for it');
        const ports = { policy, summarySignatures, progress: progress.emit, onWait, signal };
        const result = await ostree.pullLocal(from, repository, options, ports);
        tellPulled(result, 'ostree-container.repo-pull-local/1', opened);
      } finally {
        from.close();
      }
      return 0;
    },
  );
}

async function policyOf({ gpgVerify, gpgVerifySummary, remote }: Values, { ostree, repository }: Opened) {
  if (gpgVerify === undefined && gpgVerifySummary === undefined) return undefined;
  if (remote === undefined)
    throw new UsageError('--gpg-verify and --gpg-verify-summary need --remote, which has the keys');
  const demands = { gpgVerify: gpgVerify === true, gpgVerifySummary: gpgVerifySummary === true };
  return ostree.explicitPolicy(repository, demands, { remote });
}
