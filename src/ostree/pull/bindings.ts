/** Is a commit the one that was asked for? What it says of itself against what was wanted. Spec section 6. */
import { quote } from '../../base/text.ts';
import { array, lookup, string } from '../../gvariant/index.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { Commit } from '../objects/commit.ts';

const REFS = array(string);

/** @param ref undefined: asked for by checksum. @throws OstreeError BINDING_MISMATCH */
export function assertBindings(
  checksum: Checksum,
  { metadata }: Pick<Commit, 'metadata'>,
  { ref, collectionId }: { readonly ref: string | undefined; readonly collectionId: string | undefined },
): void {
  const refuse = (text: string): OstreeError =>
    new OstreeError('BINDING_MISMATCH', `commit ${checksum}: ${text}`, {
      hint: 'the server may offer one branch in the place of another; --disable-verify-bindings takes it all the same',
      subject: checksum,
    });
  const refs = lookup(metadata, 'ostree.ref-binding', REFS);
  if (refs === undefined) {
    if (collectionId === undefined) return;
    throw refuse(`bound to no ref, but collection ${quote(collectionId)} asks for it`);
  }
  if (ref !== undefined && !refs.includes(ref)) {
    throw refuse(
      `expected to be bound to ${quote(ref)}, found ${refs.map((each) => quote(each)).join(', ') || 'none'}`,
    );
  }
  if (collectionId === undefined) return;
  const collection = lookup(metadata, 'ostree.collection-binding', string);
  if (collection !== collectionId) {
    throw refuse(
      `expected collection ${quote(collectionId)}, found ${collection === undefined ? 'none' : quote(collection)}`,
    );
  }
}

/** @throws OstreeError OLDER_COMMIT */
export function assertNotOlder(
  checksum: Checksum,
  { timestamp }: Pick<Commit, 'timestamp'>,
  than: { readonly checksum: Checksum; readonly commit: Pick<Commit, 'timestamp'> },
): void {
  if (timestamp >= than.commit.timestamp) return;
  const time = (seconds: number): string => new Date(seconds * 1000).toISOString();
  throw new OstreeError(
    'OLDER_COMMIT',
    `commit ${checksum} of ${time(timestamp)} is older than ${than.checksum} of ${time(than.commit.timestamp)}`,
    { subject: checksum },
  );
}
