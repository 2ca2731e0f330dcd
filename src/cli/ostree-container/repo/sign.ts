import { Command, Option } from 'commander';
import { plural } from '../../../base/text.ts';
import { readFileBounded } from '../../../linux/files/read.ts';
import { UsageError } from '../../arguments.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../shared-options.ts';
import { signatureDocument } from './signature-document.ts';
import { describeSigned, ed25519Signers } from './signing-options.ts';
import { type Opened, repositoryCommand } from './with-repository.ts';

interface Values extends RepoValues, LockValues {
  readonly signType: 'ed25519' | 'spki';
  readonly keysFile?: string;
  readonly keysDir?: string;
  readonly verify?: true;
  readonly delete?: true;
  readonly dryRun?: true;
}

/** Thousands of keys. */
const KEYS_LIMIT = 2 ** 20;

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
  return repositoryCommand<Values>(
    repoLockOption(shape),
    [
      'ostree-container repo sign --repo /srv/repo --keys-file secret.key os/main',
      'ostree-container repo sign --repo /srv/repo --verify --keys-file public.keys os/main',
    ],
    async (values, [revision = '', ...texts], opened) => {
      const act = actionOf(values, texts);
      const commit = opened.ostree.resolveRevision(opened.repository, revision);
      await act({ commit, texts, values, opened });
      return 0;
    },
  );
}

interface Task {
  readonly commit: string;
  /** Keys in base64. */
  readonly texts: readonly string[];
  readonly values: Values;
  readonly opened: Opened;
}

/** What to do, when the words fit together. @throws UsageError */
function actionOf(values: Values, texts: readonly string[]): (task: Task) => Promise<void> {
  if (values.verify === true && values.delete === true) {
    throw new UsageError('--verify and --delete exclude each other');
  }
  if (values.verify === true) return verifySignatures;
  if (values.keysDir !== undefined) throw new UsageError('--keys-dir is for --verify');
  if (texts.length === 0 && values.keysFile === undefined) {
    throw new UsageError('no key is named', 'write keys behind the commit, or --keys-file FILE');
  }
  if (values.delete === true) return deleteSignatures;
  if (values.signType === 'ed25519') return addSignatures;
  throw new UsageError(`signatures of type ${values.signType} can only be verified and deleted here`);
}

async function verifySignatures({
  commit,
  texts,
  values,
  opened: { ostree, repository, output },
}: Task): Promise<void> {
  const { signType } = values;
  const keys = ostree.givenKeys(signType, { texts, files: readKeysFile(values), folder: values.keysDir });
  const reports = await ostree.verifyCommit(repository, commit, keys);
  for (const report of reports) output.result(`${commit}: ${ostree.describeReport(report)}`);
  const signatures = reports.map(signatureDocument);
  output.document('ostree-container.repo-sign/1', { commit, action: 'verify', signType, signatures });
}

async function deleteSignatures({ commit, texts, values, opened }: Task): Promise<void> {
  const { ostree, repository, output } = opened;
  const { signType, dryRun = false } = values;
  const keys = { kind: signType, texts, files: readKeysFile(values) };
  const removed = await ostree.removeRawSignatures(repository, commit, keys, changeOptions(values, opened));
  output.info(`${commit}: ${plural(removed, 'signature')} ${dryRun ? 'would be deleted' : 'deleted'}`);
  output.document('ostree-container.repo-sign/1', { commit, action: 'delete', signType, dryRun, removed });
}

async function addSignatures({ commit, texts, values, opened }: Task): Promise<void> {
  const { ostree, repository, output } = opened;
  const { signType, dryRun = false } = values;
  const files = values.keysFile === undefined ? [] : [values.keysFile];
  const signers = await ed25519Signers({ keys: texts, files }, opened);
  const done = await ostree.signCommit(repository, commit, signers, changeOptions(values, opened));
  output.info(`${commit}: ${describeSigned(done, dryRun)}`);
  output.document('ostree-container.repo-sign/1', { commit, action: 'sign', signType, dryRun, ...done });
}

function changeOptions(values: Values, opened: Opened) {
  return { signal: opened.signal, dryRun: values.dryRun === true, ...repoLockWait(values, opened, opened.repository) };
}

function readKeysFile({ keysFile }: Values) {
  return keysFile === undefined ? [] : [{ name: keysFile, bytes: readFileBounded(keysFile, KEYS_LIMIT).bytes }];
}
