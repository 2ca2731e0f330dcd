import { Command } from 'commander';
import { plural } from '../../../base/text.ts';
import type { LocalPlan } from '../../../ostree/index.ts';
import { UsageError } from '../../arguments.ts';
import { type RepoValues, repoLockWait } from '../../shared-options.ts';
import { type SharedPullValues, sharedPullOptions, sharedPullValues, tellPulled } from './pull-options.ts';
import { signatureDocument } from './signature-document.ts';
import { type Opened, repositoryCommand } from './with-repository.ts';

const SCHEMA = 'ostree-container.repo-pull-local/1';

interface Values extends RepoValues, SharedPullValues {
  readonly remote?: string;
  readonly gpgVerify?: true;
  readonly gpgVerifySummary?: true;
  readonly dryRun?: true;
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
    .option('--gpg-verify-summary', 'require an OpenPGP signature of the summary, by the keys of --remote')
    .option('--dry-run', 'say what would be copied, store nothing');
  const examples = ['ostree-container repo pull-local --repo /srv/repo /media/usb/repo os/stable'];
  return repositoryCommand<Values>(
    sharedPullOptions(shape),
    examples,
    async (values, [source = '', ...refs], opened) => {
      const { ostree, repository, progress, signal } = opened;
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
        const wait = repoLockWait(values, opened, repository);
        const ports = { policy, summarySignatures, progress: progress.emit, ...wait, signal };
        if (values.dryRun === true) tellPlan(await ostree.planLocal(from, repository, options, ports), opened);
        else tellPulled(await ostree.pullLocal(from, repository, options, ports), SCHEMA, opened);
      } finally {
        from.close();
      }
      return 0;
    },
  );
}

function tellPlan({ commits, metadata, content }: LocalPlan, { output, repository }: Opened): void {
  for (const { ref, to, isOld } of commits) {
    output.result(`${ref ?? 'commit'}: ${to}: ${isOld ? 'is here already' : 'would be copied'}`);
  }
  output.info(`would receive ${plural(metadata, 'metadata object')}, ${plural(content, 'file')}`);
  output.document(SCHEMA, {
    repository: repository.path,
    dryRun: true,
    refs: commits.map(({ ref, from, to, isOld, signatures }) => ({
      ref: ref ?? null,
      from: from ?? null,
      to,
      isNew: !isOld,
      signatures: signatures.map(signatureDocument),
    })),
    metadataObjects: metadata,
    contentObjects: content,
  });
}

async function policyOf({ gpgVerify, gpgVerifySummary, remote }: Values, { ostree, repository }: Opened) {
  if (gpgVerify === undefined && gpgVerifySummary === undefined) return undefined;
  if (remote === undefined)
    throw new UsageError('--gpg-verify and --gpg-verify-summary need --remote, which has the keys');
  const demands = { gpgVerify: gpgVerify === true, gpgVerifySummary: gpgVerifySummary === true };
  return ostree.explicitPolicy(repository, demands, { remote });
}
