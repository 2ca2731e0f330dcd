import { Command } from 'commander';
import type { RepoValues } from '../../../shared-options.ts';
import { signatureDocument } from '../signature-document.ts';
import { repositoryCommand } from '../with-repository.ts';
import { openNamed } from './named-delta.ts';
import { type KeyValues, keyOptions, verifierFor } from './verification-keys.ts';

export function verifyCommand(): Command {
  const shape = new Command('verify')
    .description('Verify the signatures of a static delta. Without keys the lists of the system are taken.')
    .argument('<delta>', 'file of a superblock, its directory, or the name of a delta in the repository')
    .argument('[key...]', 'public keys in base64');
  const examples = ['ostree-container repo delta verify --repo /srv/repo --keys-file public.keys update.delta'];
  return repositoryCommand<RepoValues & KeyValues>(keyOptions(shape), examples, async (values, args, opened) => {
    const [delta = '', ...texts] = args;
    const { output, ostree } = opened;
    const file = openNamed(delta, opened);
    try {
      const reports = await ostree.verifyDelta(file, verifierFor(values, texts, opened));
      output.result('Verification OK');
      for (const report of reports) output.info(`${file.what}: ${ostree.describeReport(report)}`);
      const signatures = reports.map(signatureDocument);
      output.document('ostree-container.repo-delta-verify/1', { delta, signatures });
    } finally {
      file.close();
    }
    return undefined;
  });
}
