/** Branches as they are written: subject and body empty, no parent, everything that is told in string metadata. */
import { impliedMetadata, type WrittenLayer } from '../../layers/index.ts';
import type { Descriptor, Digest, RawManifest } from '../../oci/index.ts';
import {
  type Checksum,
  DirMetas,
  HEAD,
  MutableTree,
  PLAIN_DIRECTORY,
  S_IFREG,
  type Transaction,
  writeCommit,
} from '../../ostree/index.ts';
import type { Verification } from '../verification.ts';
import { blobBranch, imageBranch } from './branch.ts';
import { KEYS, textEntries } from './metadata.ts';
import { formatVerification } from './verification.ts';

export interface LayerToWrite {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly written: Pick<WrittenLayer, 'root' | 'implied' | 'uncompressedSize' | 'counts'>;
  /** Diff ids of everything below. */
  readonly below: readonly Digest[];
}

/** @param timestamp in seconds; of everything here */
export function writeLayerBranch(transaction: Transaction, layer: LayerToWrite, timestamp: number): Checksum {
  const { descriptor, diffId, written, below } = layer;
  const texts = {
    [KEYS.size]: String(descriptor.size),
    [KEYS.uncompressedSize]: String(written.uncompressedSize),
    [KEYS.uncompressedDigest]: diffId,
    [KEYS.below]: written.counts.linksBelow > 0 ? below.join(' ') : undefined,
    [KEYS.whiteouts]: written.counts.whiteouts === 0 ? '0' : undefined,
  };
  const metadata = [...textEntries(texts), ...impliedMetadata(written.implied)];
  const commit = writeCommit(transaction.writer, written.root, { timestamp, metadata });
  publish(transaction, blobBranch(descriptor.digest), commit);
  return commit;
}

export function writeConfigBranch(
  transaction: Transaction,
  digest: Digest,
  bytes: Uint8Array,
  timestamp: number,
): void {
  const metadata = textEntries({ [KEYS.size]: String(bytes.length) });
  const root = treeOf(transaction, { content: bytes });
  const commit = writeCommit(transaction.writer, root, { timestamp, metadata });
  publish(transaction, blobBranch(digest), commit);
}

export interface ImageToWrite {
  readonly name: string;
  readonly manifest: Pick<RawManifest, 'bytes' | 'digest'>;
  /** Of simple signing, as they were found beside the image. */
  readonly signatures: readonly Uint8Array[];
  readonly verification: Verification;
}

/** What makes the image visible: in a transaction after those of its layers, or in the same. */
export function writeImageBranch(transaction: Transaction, image: ImageToWrite, timestamp: number): Checksum {
  const { name, manifest, signatures, verification } = image;
  const metadata = textEntries({
    [KEYS.manifest]: Buffer.from(manifest.bytes).toString('utf8'),
    [KEYS.digest]: manifest.digest,
    [KEYS.signatures]: String(signatures.length),
    [KEYS.verification]: formatVerification(verification),
  });
  const files = Object.fromEntries(signatures.map((bytes, i) => [`signature-${i + 1}`, bytes]));
  const root = treeOf(transaction, { 'manifest.json': manifest.bytes, ...files });
  const commit = writeCommit(transaction.writer, root, { timestamp, metadata });
  publish(transaction, imageBranch(name), commit);
  return commit;
}

/** A check may have found the same commit damaged before: all that it needs is written now. */
export function publish(transaction: Transaction, ref: string, commit: Checksum): void {
  transaction.endPartial(commit);
  transaction.setRef({ place: HEAD, ref, commit });
}

function treeOf({ writer }: Transaction, files: Readonly<Record<string, Uint8Array>>) {
  const tree = MutableTree.empty();
  tree.setMeta(new DirMetas(writer).put(PLAIN_DIRECTORY));
  const header = { uid: 0, gid: 0, mode: S_IFREG | 0o644, target: undefined, xattrs: [] };
  for (const [name, bytes] of Object.entries(files)) tree.putFile(name, writer.putFile(header, bytes).checksum);
  return tree.write(writer);
}
