import { Command, Option } from 'commander';
import { plural } from '../../../base/text.ts';
import { UsageError } from '../../arguments.ts';
import { command } from '../../program.ts';
import { type LockValues, lockOption, lockWait, type RepoValues, repoOption, repoPath } from '../../shared-options.ts';
import { signatureDocument } from './signature-document.ts';
import { ed25519Signers } from './signing-options.ts';

interface Values extends RepoValues, LockValues {
  readonly signType: 'ed25519' | 'spki';
  readonly keysFile?: string;
  readonly keysDir?: string;
  readonly verify?: true;
  readonly delete?: true;
  readonly dryRun?: true;
}

const KEY_FILE_LIMIT = 16 * 2 ** 20;

export function signCommand(): Command {
  const shape = new Command('sign')
    .description(
      'Sign a commit, or verify or delete its signatures (not those of OpenPGP: see gpg-sign). The keys are base64: ' +
        'secret ones to sign, public ones for --verify and --delete. Without any, --verify takes the lists of the ' +
        'system in /etc/ostree and /usr/share/ostree.',
    )
    .argument('<commit>', 'a checksum or a ref')
    .argument('[key...]', 'keys (other users can see secret ones: prefer --keys-file)')
    .addOption(
      new Option('-s, --sign-type <type>', 'kind of signatures; spki only with --verify and --delete')
        .choices(['ed25519', 'spki'])
        .default('ed25519'),
    )
    .option('--keys-file <file>', 'keys, one a line')
    .option('--keys-dir <directory>', 'with --verify: lists of keys, instead of those of the system')
    .option('--verify', 'verify the signatures')
    .option('-d, --delete', 'delete the signatures that these keys made')
    .option('--dry-run', 'say what would be done, change nothing');
  return command<Values>(
    lockOption(repoOption(shape)),
    [
      'ostree-container repo sign --repo /srv/repo --keys-file secret.key os/main',
      'ostree-container repo sign --repo /srv/repo --verify --keys-file public.keys os/main',
    ],
    async () => {
      const ostree = await import('../../../ostree/index.ts');
      const { readFileBounded } = await import('../../../linux/files/read.ts');
      return async (values, args, context) => {
        const [revision = '', ...keys] = args;
        const { signType, verify = false, dryRun = false } = values;
        assertWords(values, keys);
        const repository = ostree.openRepository(repoPath(values));
        try {
          const commit = ostree.resolveRevision(repository, revision);
          const { output, signal } = context;
          const options = { signal, dryRun, ...lockWait(values, context, repository.path) };
          const files = values.keysFile === undefined ? [] : [values.keysFile];
          const readFiles = () => files.map((name) => ({ name, bytes: readFileBounded(name, KEY_FILE_LIMIT).bytes }));
          if (verify) {
            const given = ostree.givenKeys(signType, { texts: keys, files: readFiles(), folder: values.keysDir });
            const reports = await ostree.verifyCommit(repository, commit, given);
            for (const report of reports) output.result(`${commit}: ${ostree.describeReport(report)}`);
            output.document('ostree.sign/1', {
              commit,
              action: 'verify',
              signType,
              dryRun,
              signatures: reports.map(signatureDocument),
            });
            return 0;
          }
          if (values.delete === true) {
            const given = { texts: keys, files: readFiles() };
            const removed = await ostree.removeRawSignatures(repository, commit, { kind: signType, ...given }, options);
            output.info(`${commit}: ${plural(removed, 'signature')} ${dryRun ? 'would be deleted' : 'deleted'}`);
            output.document('ostree.sign/1', { commit, action: 'delete', signType, dryRun, removed });
            return 0;
          }
          const signers = await ed25519Signers({ keys, files }, context);
          const { added, present } = await ostree.signCommit(repository, commit, signers, options);
          output.info(`${commit}: ${added === 0 ? 'is signed so already' : sentence(added, dryRun)}`);
          output.document('ostree.sign/1', { commit, action: 'sign', signType, dryRun, added, present });
          return 0;
        } finally {
          repository.close();
        }
      };
    },
  );
}

function sentence(added: number, dryRun: boolean): string {
  return `${plural(added, 'signature')} ${dryRun ? 'would be added' : 'added'}`;
}

function assertWords(values: Values, keys: readonly string[]): void {
  const isSigning = values.verify !== true && values.delete !== true;
  if (values.verify === true && values.delete === true) {
    throw new UsageError('--verify and --delete exclude each other');
  }
  if (values.keysDir !== undefined && values.verify !== true) throw new UsageError('--keys-dir is for --verify');
  if (isSigning && values.signType !== 'ed25519') {
    throw new UsageError(`signatures of type ${values.signType} can only be verified and deleted here`);
  }
  if (values.verify !== true && keys.length === 0 && values.keysFile === undefined) {
    throw new UsageError('no key is named', 'write keys behind the commit, or --keys-file FILE');
  }
}
