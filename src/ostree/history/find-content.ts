/** The content that a path in a commit leads to, links inside of the commit followed. */
import { printable } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import type { Commit } from '../objects/commit.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import type { StoredFile } from '../storage/stored-file.ts';
import { findEntry } from './find-entry.ts';

/** As many as the kernel follows. */
const LINK_LIMIT = 40;

/**
 * A path that ends in a link goes on at its target, `..` and all; the root of the commit is the root. Links in the
 * middle of a path are not followed, nor are they by `ostree cat`. The caller closes it.
 * @throws OstreeError PATH_MISSING, FILE_TYPE for a directory, or for links that go round in circles
 */
export function openContent(
  reader: ObjectReader,
  commit: Pick<Commit, 'rootTree' | 'rootMeta'>,
  path: string,
): StoredFile {
  let at = path;
  for (let links = 0; links <= LINK_LIMIT; links++) {
    const found = findEntry(reader, commit, at);
    if (found.kind === 'directory') throw wrongType(found.path, 'a directory has no content');
    const stored = reader.file(found.checksum);
    const { target } = stored.header;
    if (target === undefined) return stored;
    stored.close();
    at = resolveLink(found.path, target);
  }
  throw wrongType(path, `more than ${LINK_LIMIT} links follow on each other`);
}

function resolveLink(link: string, target: string): string {
  const parts = target.startsWith('/') ? [] : link.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

function wrongType(path: string, text: string): OstreeError {
  return new OstreeError('FILE_TYPE', `${printable(path)}: ${text}`, { subject: path });
}
