/** What a stream begins with: a commit and its signatures, to be judged before anything is written. */
import {
  type Checksum,
  type Commit,
  decodeCommit,
  decodeDetached,
  OstreeError,
  type SignatureReport,
  sha256,
  type Verifier,
} from '../../../ostree/index.ts';
import { StreamError } from '../error.ts';
import { METADATA_BYTES } from '../limits.ts';
import { type ObjectStream, readObject } from './object-stream.ts';
import { moreExactly } from './signature-refusal.ts';

export interface CommitHead {
  readonly checksum: Checksum;
  readonly commit: Commit;
  readonly bytes: Uint8Array;
  readonly detached: Uint8Array | undefined;
}

/**
 * The commit, whose bytes give its checksum, and its detached metadata, which nothing vouches for yet.
 * @throws StreamError STREAM_NO_COMMIT, STREAM_MALFORMED, STREAM_LIMIT; OstreeError OBJECT_CORRUPT, OBJECT_MALFORMED;
 *   TarError
 */
export async function readHead(stream: ObjectStream): Promise<CommitHead> {
  const first = await stream.next();
  if (first?.type !== 'commit') {
    const found = first === undefined ? 'there is no object' : `the first object is ${first.type} ${first.checksum}`;
    throw new StreamError('STREAM_NO_COMMIT', `${found}: a stream begins with a commit`, {
      hint: 'is this the layer of the commit, and not one of those behind it?',
      subject: first?.checksum,
    });
  }
  const { checksum } = first;
  const bytes = await readObject(first, METADATA_BYTES);
  const found = sha256(bytes);
  if (found !== checksum) {
    throw new OstreeError('OBJECT_CORRUPT', `commit ${checksum}: its content gives ${found}`, { subject: checksum });
  }
  const detached = await readDetached(stream, checksum);
  return { checksum, commit: decodeCommit(bytes, `commit ${checksum}`), bytes, detached };
}

async function readDetached(stream: ObjectStream, commit: Checksum): Promise<Uint8Array | undefined> {
  const next = await stream.next();
  if (next === undefined) return undefined;
  if (next.type !== 'commitmeta' || next.checksum !== commit) {
    stream.giveBack(next);
    return undefined;
  }
  const detached = await readObject(next, METADATA_BYTES);
  decodeDetached(detached, `commitmeta ${commit}`); // judged, also when nobody asks for signatures
  return detached;
}

/**
 * Is it signed as it has to be?
 * @throws StreamError COMMITMETA_MISSING, SIGNATURE_KEY_MISSING, SIGNATURE_EXPIRED; OstreeError SIGNATURE_MISSING,
 *   SIGNATURE_INVALID for a signature that is bad
 */
export async function verifyHead(
  { checksum, bytes, detached }: CommitHead,
  verifier: Verifier,
): Promise<readonly SignatureReport[]> {
  const what = `commit ${checksum}`;
  if (detached === undefined) {
    throw new StreamError('COMMITMETA_MISSING', `${what}: has no detached metadata, where its signatures would be`, {
      hint: 'ask the publisher to sign it; the signatures must be there when the commit is exported',
      subject: checksum,
    });
  }
  try {
    return await verifier.verify(bytes, decodeDetached(detached, `commitmeta ${checksum}`), what);
  } catch (error) {
    throw moreExactly(error);
  }
}
