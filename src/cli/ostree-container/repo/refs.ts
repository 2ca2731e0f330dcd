import { Command } from 'commander';
import type { Ref, RefPlace } from '../../../ostree/index.ts';
import { UsageError } from '../../arguments.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../shared-options.ts';
import { type Opened, repositoryCommand, underLock } from './with-repository.ts';

interface Values extends RepoValues, LockValues {
  readonly list?: true;
  readonly alias?: true;
  readonly create?: string;
  readonly delete?: true;
  readonly force?: true;
  readonly revision?: true;
  readonly collections?: true;
  readonly dryRun?: true;
}

export function refsCommand(): Command {
  const shape = new Command('refs')
    .description('List refs, or create or delete some.')
    .argument('[prefix...]', 'those at or below PREFIX, REMOTE: or REMOTE:PREFIX; with --create: the commit')
    .option('--list', 'list whole names, also below a prefix')
    .option('-r, --revision', 'list their commits, too')
    .option('-A, --alias', 'list aliases alone; with --create: make an alias of a ref')
    .option('-c, --collections', 'refs of collections; the prefix is a collection id')
    .option('--create <newref>', 'make a ref for a commit')
    .option('--force', 'with --create: also over a ref that is there')
    .option('--delete', 'delete the refs that the prefix names')
    .option('--dry-run', 'say what would be done, change nothing');
  const examples = [
    'ostree-container repo refs --repo /srv/repo --list os',
    'ostree-container repo refs --repo /srv/repo --create os/stable os/testing',
  ];
  return repositoryCommand<Values>(repoLockOption(shape), examples, async (values, prefixes, opened) => {
    assertWords(values, prefixes);
    if (values.create !== undefined) await create(opened, values, values.create, prefixes[0] ?? '');
    else if (values.delete === true) await remove(opened, values, prefixes);
    else list(opened, values, prefixes.length === 0 ? [undefined] : prefixes);
    return 0;
  });
}

function assertWords(values: Values, prefixes: readonly string[]): void {
  const { create, list: isList, revision, alias, collections } = values;
  if (create !== undefined && values.delete === true) throw new UsageError('say one of --create and --delete');
  if (create !== undefined && prefixes.length !== 1) throw new UsageError('--create needs one existing commit or ref');
  if (values.delete === true && prefixes.length === 0) throw new UsageError('--delete needs a prefix');
  const isChange = create !== undefined || values.delete === true;
  if (isChange && (isList === true || revision === true)) throw new UsageError('--list and --revision only list');
  if (values.delete === true && alias === true) throw new UsageError('an alias is deleted like a ref: without --alias');
  if (create === undefined && values.force === true) throw new UsageError('--force is for --create');
  if (!isChange && values.dryRun === true) throw new UsageError('--dry-run is for --create and --delete');
  if (!isChange && values.lockTimeout !== undefined)
    throw new UsageError('--lock-timeout is for --create and --delete');
  if (alias === true && collections === true) throw new UsageError('an alias belongs to no collection');
}

interface Listed extends Ref {
  /** Without the prefix, where that is left off. */
  readonly short: string;
}

function select({ ostree, repository }: Opened, { collections, alias }: Values, prefix: string | undefined): Listed[] {
  if (collections === true) {
    const refs = ostree.selectCollectionRefs(repository, prefix);
    return refs.map((ref) => ({ ...ref, short: `(${ref.collection}, ${ref.ref})` }));
  }
  const refs = ostree.selectRefs(repository, prefix);
  return alias === true ? refs.filter((ref) => ref.alias !== undefined) : refs;
}

function list(opened: Opened, values: Values, prefixes: readonly (string | undefined)[]): void {
  const { output, ostree } = opened;
  const found = prefixes.flatMap((prefix) => select(opened, values, prefix));
  output.results(
    found.map((ref) => {
      const isWhole = values.list === true || values.alias === true;
      const name = isWhole && values.collections !== true ? ostree.refspecOf(ref) : ref.short;
      if (values.alias === true) return `${name} -> ${ref.alias}`;
      return values.revision === true ? `${name}\t${ref.commit}` : name;
    }),
  );
  output.document('ostree-container.repo-refs/1', { refs: found.map(refDocument) });
}

function refDocument({ place, ref, commit, alias }: Ref) {
  const remote = place.kind === 'remote' ? place.remote : null;
  return { ref, remote, collection: place.kind === 'mirror' ? place.collection : null, commit, alias: alias ?? null };
}

/** What is made, `REMOTE:REF` or `REF`, with --collections `COLLECTION:REF`. */
function placeOf({ ostree }: Opened, { collections }: Values, text: string): { place: RefPlace; ref: string } {
  if (collections === true) {
    const [collection = '', ref, extra] = text.split(':');
    if (ref === undefined || extra !== undefined) throw new UsageError(`expected COLLECTION:REF, found "${text}"`);
    return { place: { kind: 'mirror', collection }, ref };
  }
  const { remote, ref } = ostree.parseRefspec(text);
  return { place: remote === undefined ? ostree.HEAD : { kind: 'remote', remote }, ref };
}

async function create(opened: Opened, values: Values, text: string, target: string): Promise<void> {
  const { output, ostree, repository, signal } = opened;
  const [dryRun, isAlias] = [values.dryRun === true, values.alias === true];
  const { place, ref } = placeOf(opened, values, text);
  if (isAlias && place.kind !== 'head') throw new UsageError('only local refs can be aliases');
  let commit = '';
  await underLock(opened, 'shared', values, () => {
    commit = isAlias ? commitOfRef(opened, target) : ostree.resolveRevision(repository, target);
    assertFree(opened, { place, ref }, { force: values.force === true, isAlias });
    if (!ostree.objectsOf(repository).has(commit, 'commit')) ostree.objectsOf(repository).commit(commit);
    if (dryRun) return;
    if (isAlias) ostree.writeAlias(repository, ref, target);
    else ostree.writeRefs(repository, [{ place, ref, commit }], repository.config.fsync);
  });
  if (!dryRun) await ostree.afterRefsChanged(repository, { signal, ...repoLockWait(values, opened, repository) });
  const made = `${text} -> ${isAlias ? target : commit}`;
  output.info(`${made}${dryRun ? ': would be made' : ''}`);
  const created = refDocument({ place, ref, commit, alias: isAlias ? target : undefined });
  output.document('ostree-container.repo-refs/1', { action: 'create', dryRun, refs: [created] });
}

/** @throws OstreeError REF_MISSING */
function commitOfRef({ ostree, repository }: Opened, ref: string): string {
  const commit = ostree.isRefName(ref) ? ostree.readRef(repository, ostree.HEAD, ref) : undefined;
  if (commit === undefined) {
    throw new ostree.OstreeError('REF_MISSING', `no local ref "${ref}" to make an alias of`, { subject: ref });
  }
  return commit;
}

/** An alias may take the place of an alias. @throws OstreeError REF_EXISTS */
function assertFree(
  { ostree, repository }: Opened,
  { place, ref }: { readonly place: RefPlace; readonly ref: string },
  { force, isAlias }: { readonly force: boolean; readonly isAlias: boolean },
): void {
  if (force || ostree.readRef(repository, place, ref) === undefined) return;
  const isOldAlias = ostree.selectRefs(repository, ref).some((each) => each.ref === ref && each.alias !== undefined);
  if (isAlias && isOldAlias) return;
  throw new ostree.OstreeError('REF_EXISTS', `ref "${ref}" exists already`, {
    hint: 'give another name, or --force',
    subject: ref,
  });
}

async function remove(opened: Opened, values: Values, prefixes: readonly string[]): Promise<void> {
  const { output, ostree, repository, signal } = opened;
  const dryRun = values.dryRun === true;
  let found: Listed[] = [];
  await underLock(opened, 'shared', values, () => {
    found = prefixes.flatMap((prefix) => select(opened, values, prefix));
    ostree.deleteRefs(repository, found, dryRun);
  });
  if (!dryRun && found.length > 0)
    await ostree.afterRefsChanged(repository, { signal, ...repoLockWait(values, opened, repository) });
  if (found.length === 0) output.info('no ref of this name, nothing to do');
  for (const ref of found) output.info(`${ostree.refspecOf(ref)}: ${dryRun ? 'would be deleted' : 'deleted'}`);
  output.document('ostree-container.repo-refs/1', { action: 'delete', dryRun, refs: found.map(refDocument) });
}
