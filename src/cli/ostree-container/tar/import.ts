import fs from 'node:fs';
import { Command } from 'commander';
import { formatBytes, plural } from '../../../base/text.ts';
import { decompress } from '../../../compression/index.ts';
import { openFilePath } from '../../../linux/files/walk.ts';
import { UsageError } from '../../arguments.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../shared-options.ts';
import { tellSignatures, type VerificationValues, verificationOptions, verifierFor } from '../commit-verification.ts';
import { signatureDocument } from '../repo/signature-document.ts';
import { repositoryCommand } from '../repo/with-repository.ts';

interface Values extends RepoValues, LockValues, VerificationValues {
  readonly writeRef?: string;
  readonly dryRun?: true;
}

export function importCommand(): Command {
  const shape = new Command('import')
    .description(
      'Make the commit of an exported stream again, bit for bit. Every object is held against its checksum, and the ' +
        'commit appears when all that it reaches is there. Streams of the older format v0 are read, too.',
    )
    .argument('[file]', 'the stream, compressed or not (default: standard input)')
    .option('--write-ref <ref>', 'point this ref, REF or REMOTE:REF, to the commit')
    .option('--dry-run', 'read and check everything, store nothing');
  const examples = [
    'ostree-container tar export --repo /srv/a os/main | ostree-container tar import --repo /srv/b',
    'ostree-container tar import --repo /srv/repo --remote origin --write-ref origin:os/main os.tar',
  ];
  return repositoryCommand<Values>(
    repoLockOption(verificationOptions(shape)),
    examples,
    async (values, [file], opened) => {
      const { output, repository, signal } = opened;
      const verifier = await verifierFor(values, opened);
      const { importTar } = await import('../../../ostree-container/index.ts');
      const dryRun = values.dryRun === true;
      const ref = values.writeRef;
      const tar = decompress(openInput(file), { format: 'detect', limit: Number.MAX_SAFE_INTEGER, signal });
      const options = { signal, verifier, ref, dryRun, ...repoLockWait(values, opened, repository) };
      const { commit, signatures, ...counts } = await importTar(repository, tar, options);
      tellSignatures(commit, verifier === undefined ? undefined : signatures, opened);
      const objects = `${plural(counts.metadata, 'metadata object')}, ${plural(counts.contents, 'file')}`;
      output.info(`read ${objects}; ${plural(counts.newContents, 'file')} new: ${formatBytes(counts.newBytes)}`);
      output.result(`${dryRun ? 'Would import' : 'Imported'}: ${ref === undefined ? '' : `${ref} => `}${commit}`);
      output.document('ostree-container.tar-import/1', {
        repository: repository.path,
        commit,
        ref: ref ?? null,
        dryRun,
        verified: verifier !== undefined,
        signatures: signatures.map(signatureDocument),
        metadataObjects: counts.metadata,
        contentObjects: counts.contents,
        newContentObjects: counts.newContents,
        newBytes: counts.newBytes,
      });
      return 0;
    },
  );
}

/** @throws UsageError on a terminal; CodedError NOT_A_REGULAR_FILE ...; SystemError */
function openInput(file: string | undefined): AsyncIterable<Uint8Array> {
  if (file !== undefined && file !== '-') {
    return fs.createReadStream('', { fd: openFilePath(file).fd, highWaterMark: 2 ** 20 });
  }
  if (process.stdin.isTTY) throw new UsageError('there is no stream on standard input', 'name a file');
  return process.stdin;
}
