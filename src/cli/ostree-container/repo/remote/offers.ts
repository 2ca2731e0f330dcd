/** `remote refs` and `remote summary`: what a remote offers. */
import { Command } from 'commander';
import type { Summary } from '../../../../ostree/index.ts';
import { type RepoValues, type TransferValues, transferOptions } from '../../../shared-options.ts';
import { signatureDocument } from '../signature-document.ts';
import { repositoryCommand } from '../with-repository.ts';
import { accessOf } from './access.ts';

type Values = RepoValues & TransferValues & { readonly raw?: true };

export function remoteRefsCommand(): Command {
  const shape = new Command('refs')
    .description('List the refs that the summary of a remote offers.')
    .argument('<name>', 'name of the remote');
  const examples = ['ostree-container repo remote refs --repo /srv/repo origin'];
  return repositoryCommand<Values>(transferOptions(shape), examples, async (values, [name = ''], opened) => {
    const { ostree, repository, output } = opened;
    const { summary } = await ostree.remoteSummary(repository, name, accessOf(values, opened));
    for (const { ref } of summary.refs) output.result(`${name}:${ref}`);
    output.document('ostree-container.repo-remote-refs/1', { remote: name, refs: summary.refs.map(refDocument) });
    return 0;
  });
}

export function remoteSummaryCommand(): Command {
  const shape = new Command('summary')
    .description('Show the summary of a remote, verified as its configuration asks.')
    .argument('<name>', 'name of the remote')
    .option('--raw', 'show all of it as GVariant text, numbers as they are stored');
  const examples = ['ostree-container repo remote summary --repo /srv/repo origin'];
  return repositoryCommand<Values>(transferOptions(shape), examples, async (values, [name = ''], opened) => {
    const { ostree, repository, output } = opened;
    const found = await ostree.remoteSummary(repository, name, accessOf(values, opened));
    const { summaryLines } = await import('../summary-text.ts');
    if (values.raw === true) {
      output.result(ostree.formatRaw({ signature: ostree.SUMMARY_SIGNATURE, bytes: found.bytes }));
    } else for (const line of summaryLines(found.summary)) output.result(line);
    for (const report of found.signatures) output.info(ostree.describeReport(report));
    output.document('ostree-container.repo-remote-summary/1', {
      remote: name,
      refs: found.summary.refs.map(refDocument),
      collectionId: found.summary.collectionId ?? null,
      size: found.bytes.length,
      signatures: found.signatures.map(signatureDocument),
    });
    return 0;
  });
}

function refDocument({ ref, commit, size, timestamp, version }: Summary['refs'][number]) {
  const date = new Date((timestamp ?? Number.NaN) * 1000);
  return {
    ref,
    commit,
    size,
    timestamp: Number.isNaN(date.getTime()) ? null : date.toISOString(),
    version: version ?? null,
  };
}
