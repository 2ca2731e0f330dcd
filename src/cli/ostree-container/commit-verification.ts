/** Options that say whose signatures a commit must carry, for commands that take commits out of images and streams. */
import type { Command } from 'commander';
import { readFileBounded } from '../../linux/files/read.ts';
import type { SignatureReport, Verifier } from '../../ostree/index.ts';
import { UsageError } from '../arguments.ts';
import { repeatable } from '../repeatable.ts';
import type { Opened } from './repo/with-repository.ts';

export interface VerificationValues {
  readonly remote?: string;
  readonly gpgKeyring?: readonly string[];
}

/** A keyring of a distribution has some hundred KiB. */
const KEYRING_LIMIT = 16 * 2 ** 20;

export function verificationOptions(shape: Command): Command {
  return shape
    .option('--remote <name>', 'require the signatures that this remote of the repository asks for, by its keys')
    .addOption(repeatable('--gpg-keyring <file>', 'require an OpenPGP signature by a key of this file'));
}

/** Undefined when no option asks for signatures. @throws UsageError; OstreeError REMOTE_UNKNOWN */
export async function verifierFor(values: VerificationValues, opened: Opened): Promise<Verifier | undefined> {
  const { remote, gpgKeyring } = values;
  if (remote !== undefined && gpgKeyring !== undefined) {
    throw new UsageError('--remote and --gpg-keyring exclude each other');
  }
  const { ostree, repository } = opened;
  if (gpgKeyring !== undefined) {
    return ostree.keyringVerifier(
      gpgKeyring.map((name) => ({ name, bytes: readFileBounded(name, KEYRING_LIMIT).bytes })),
    );
  }
  if (remote === undefined) return undefined;
  const { commits } = await ostree.remotePolicy(repository, remote);
  // Who names a remote wants its signatures, also when the configuration switches them off for pulls.
  return commits.isRequired
    ? commits
    : (await ostree.explicitPolicy(repository, { gpgVerify: true }, { remote })).commits;
}

/** Who signed it; or that nobody was asked. */
export function tellSignatures(
  commit: string,
  signatures: readonly SignatureReport[] | undefined,
  { ostree, output }: Opened,
): void {
  if (signatures === undefined) output.info(`commit ${commit}: signatures were not checked`);
  for (const report of signatures ?? []) {
    if (report.status === 'good') output.info(`commit ${commit}: ${ostree.describeReport(report)}`);
  }
}
