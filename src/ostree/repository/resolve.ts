/** What a user calls a commit: a checksum, the beginning of one, a ref, `REMOTE:REF`, each with `^` for the parent. */
import fs from 'node:fs';
import { quote } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import { type Checksum, isChecksum } from '../objects/checksum.ts';
import { decodeCommit } from '../objects/commit.ts';
import { parseObjectName } from '../objects/object-type.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { isRefName, parseRefspec } from './ref-names.ts';
import { HEAD, readRef, refMissing, remotesWithRefs } from './refs.ts';
import type { Repository } from './repository.ts';

/** In the order of spec 7.2. @throws OstreeError REF_MISSING, REF_AMBIGUOUS, REF_NAME, OBJECT_MISSING */
export function resolveRevision(repository: Repository, text: string): Checksum {
  const found = tryResolve(repository, text);
  if (found === undefined) throw refMissing(text);
  return found;
}

/** Undefined when there is no such ref. */
export function tryResolve(repository: Repository, text: string): Checksum | undefined {
  if (isChecksum(text)) return text;
  const ofPrefix = /^[0-9a-f]{2,63}$/.test(text) ? resolvePrefix(repository, text) : undefined;
  if (ofPrefix !== undefined) return ofPrefix;
  if (!text.endsWith('^')) return resolveRef(repository, text);
  let at = text.length;
  while (text[at - 1] === '^') at--; // one by one: a regular expression could try every beginning
  let commit = resolveRevision(repository, text.slice(0, at));
  for (let generations = text.length - at; generations > 0; generations--) commit = parentOf(repository, commit);
  return commit;
}

function parentOf(repository: Repository, commit: Checksum): Checksum {
  const { parent } = decodeCommit(objectsOf(repository).metadata(commit, 'commit'), `commit ${commit}`);
  if (parent === undefined) throw new OstreeError('REF_MISSING', `commit ${commit} has no parent`, { subject: commit });
  return parent;
}

function resolveRef(repository: Repository, text: string): Checksum | undefined {
  const { remote, ref } = parseRefspec(text);
  const found =
    remote === undefined ? resolveLocal(repository, ref) : readRef(repository, { kind: 'remote', remote }, ref);
  if (found !== undefined) return found;
  return repository.parent === undefined ? undefined : resolveRef(repository.parent, text);
}

function resolveLocal(repository: Repository, ref: string): Checksum | undefined {
  const head = readRef(repository, HEAD, ref);
  if (head !== undefined) return head;
  const [remote = '', ...rest] = ref.split('/');
  if (rest.length > 0) {
    const ofRemote = readRef(repository, { kind: 'remote', remote }, rest.join('/'));
    if (ofRemote !== undefined) return ofRemote;
  }
  for (const each of remotesWithRefs(repository)) {
    const found = readRef(repository, { kind: 'remote', remote: each }, ref);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @throws OstreeError REF_AMBIGUOUS */
function resolvePrefix(repository: Repository, prefix: string): Checksum | undefined {
  const fanout = prefix.slice(0, 2);
  const folder = `${repository.root}/objects/${fanout}`;
  if (!fs.existsSync(folder)) return undefined;
  const commits = fs
    .readdirSync(folder)
    .map((name) => parseObjectName(fanout, name))
    .flatMap((found) => (found?.type === 'commit' && found.checksum.startsWith(prefix) ? [found.checksum] : []));
  if (commits.length > 1) {
    throw new OstreeError('REF_AMBIGUOUS', `${quote(prefix)} is the beginning of ${commits.length} commits`, {
      subject: prefix,
    });
  }
  return commits[0];
}

/** Is this the name of something that could be resolved at all? */
export function isRevisionName(text: string): boolean {
  return isChecksum(text) || isRefName(text) || /^[^:]+:[^:]+$/.test(text);
}
