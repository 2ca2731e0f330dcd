import { Command, InvalidArgumentError } from 'commander';
import { formatBytes } from '../../../base/text.ts';
import type { FromRemote, PlannedCommit, PullOptions } from '../../../ostree/index.ts';
import { UsageError } from '../../arguments.ts';
import { repeatable } from '../../repeatable.ts';
import { type RepoValues, type TransferValues, transferOptions } from '../../shared-options.ts';
import { type SharedPullValues, sharedPullOptions, sharedPullValues, tellPulled } from './pull-options.ts';
import { accessOf } from './remote/access.ts';
import { signatureDocument } from './signature-document.ts';
import { type Opened, repositoryCommand } from './with-repository.ts';

const SCHEMA = 'ostree-container.repo-pull/1';

interface Values extends RepoValues, SharedPullValues, TransferValues {
  readonly mirror?: true;
  readonly subpath?: readonly string[];
  readonly disableStaticDeltas?: true;
  readonly requireStaticDeltas?: true;
  readonly httpTrusted?: true;
  readonly dryRun?: true;
  readonly timestampCheck?: true;
  readonly timestampCheckFromRev?: string;
  readonly url?: string;
  readonly httpHeader?: readonly string[];
  readonly localcacheRepo?: readonly string[];
  readonly networkRetries?: number;
  readonly appendUserAgent?: string;
}

export function pullCommand(): Command {
  const shape = new Command('pull')
    .description(
      'Fetch commits from a remote: signatures and checksums are verified before anything is stored, and refs move ' +
        'when everything is there. A pull that was ended goes on where it stopped when it is run again.',
    )
    .argument('<remote>', 'name of the remote, or REMOTE:REF')
    .argument('[refs...]', 'REF, REF@COMMIT or COMMIT (default: the branches of the remote, with --mirror all)')
    .option('--mirror', 'write refs as the remote has them, and without REFs its summary, too')
    .addOption(repeatable('--subpath <path>', 'fetch only this directory or file of the tree'))
    .option('--disable-static-deltas', 'fetch objects one by one')
    .option('--require-static-deltas', 'fail when there is no static delta')
    .option('--http-trusted', 'into an archive: store files as they come, without hashing them')
    .option('--dry-run', 'say what would be fetched, and how much where that is known; store nothing')
    .option('-T, --timestamp-check', 'refuse commits that are older than what the ref points to')
    .option('--timestamp-check-from-rev <rev>', 'refuse commits that are older than this one')
    .option('--url <url>', "fetch from here instead of the remote's address")
    .addOption(repeatable('--http-header <name=value>', 'send this with each request'))
    .addOption(repeatable('-L, --localcache-repo <directory>', 'take objects from this repository when it has them'))
    .option('--network-retries <times>', 'the same as --retry', readCount)
    .option('--append-user-agent <text>', 'add this to the User-Agent that is sent');
  const examples = [
    'ostree-container repo pull --repo /srv/repo origin os/stable',
    'ostree-container repo pull --repo /srv/mirror --mirror origin',
  ];
  return repositoryCommand<Values>(
    transferOptions(sharedPullOptions(shape)),
    examples,
    async (values, [remote = '', ...refs], opened) => {
      const { name, asked } = readAsked(remote, refs, opened);
      const options = readOptions(values, asked, opened);
      const access = accessOf(values, opened);
      if (values.dryRun === true) await dryRun(name, options, access, opened);
      else tellPulled(await opened.ostree.pullFromRemote(opened.repository, name, options, access), SCHEMA, opened);
      return 0;
    },
  );
}

/** `REMOTE:REF` names both, and then there may be no other. */
function readAsked(remote: string, refs: readonly string[], { ostree }: Opened) {
  const colon = remote.indexOf(':');
  if (colon === -1) return { name: remote, asked: refs.map(ostree.parseAsked) };
  if (refs.length > 0) throw new UsageError('after REMOTE:REF no other refs can be named');
  return { name: remote.slice(0, colon), asked: [ostree.parseAsked(remote.slice(colon + 1))] };
}

function readOptions(values: Values, asked: PullOptions['asked'], { ostree, repository }: Opened): PullOptions {
  if (values.disableStaticDeltas === true && values.requireStaticDeltas === true) {
    throw new UsageError('--disable-static-deltas and --require-static-deltas exclude each other');
  }
  const off = values.disableStaticDeltas === true ? ('off' as const) : ('allowed' as const);
  const from = values.timestampCheckFromRev;
  return {
    ...ostree.PULL_DEFAULTS,
    ...sharedPullValues(values),
    asked,
    mirror: values.mirror === true,
    subpaths: values.subpath ?? [],
    deltas: values.requireStaticDeltas === true ? 'required' : off,
    trusted: values.httpTrusted === true,
    timestampCheck: values.timestampCheck === true,
    notBefore: from === undefined ? undefined : ostree.resolveRevision(repository, from),
    caches: values.localcacheRepo ?? [],
  };
}

async function dryRun(name: string, options: PullOptions, access: FromRemote, opened: Opened): Promise<void> {
  const { ostree, repository, output } = opened;
  const planned = await ostree.planFromRemote(repository, name, options, access);
  for (const each of planned) output.result(`${each.ref ?? 'commit'}: ${each.to}: ${describe(each)}`);
  const isKnown = planned.every(({ bytes }) => bytes !== undefined);
  output.document(SCHEMA, {
    repository: repository.path,
    dryRun: true,
    bytes: isKnown ? planned.reduce((sum, { bytes = 0 }) => sum + bytes, 0) : null,
    refs: planned.map(({ ref, from, to, isOld, bytes, delta, signatures }) => ({
      ref: ref ?? null,
      from: from ?? null,
      to,
      isNew: !isOld,
      bytes: bytes ?? null,
      delta: delta === undefined ? null : { from: delta.from ?? null, parts: delta.parts },
      signatures: signatures.map(signatureDocument),
    })),
  });
}

function describe({ isOld, bytes, delta }: PlannedCommit): string {
  if (isOld) return 'is here already';
  const size = bytes === undefined ? 'bytes not known before' : formatBytes(bytes);
  if (delta === undefined) return `would fetch objects, ${size}`;
  return `would fetch a static delta from ${delta.from ?? 'nothing'}, ${size}`;
}

function readCount(text: string): number {
  if (!/^[0-9]{1,4}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}
