/** Keys that may vouch, and the verification of detached signatures by them and by nothing else. */
import type { Key } from 'openpgp';
import { describe, judge, type Signer } from './judge.ts';
import { type KeyBlock, serializeKey } from './key-block.ts';
import type { KeyFile } from './key-file.ts';
import { describeKey } from './key-info.ts';
import { type Library, loadLibrary } from './library.ts';
import { loadKeys } from './load-keys.ts';
import { parseSignature, readSignatureFile, type SignatureEntry, unreadable } from './signature-file.ts';
import { splitSignedMessage } from './signed-message.ts';
import type { OpenedMessage, OpenPgpKeyInfo, OpenPgpVerdict, SignatureStatus } from './verdict.ts';

export interface OpenPgpKeyring {
  readonly keys: readonly OpenPgpKeyInfo[];
  /** What of the sources could not be read, each beginning with the source's name; the rest is in use. */
  readonly problems: readonly string[];
  /**
   * One verdict for each signature packet of a detached signature, binary or armored, in their order; what cannot be
   * read gives a `bad` one. Never empty. The data is accepted when any verdict is `good`.
   *
   * `now` decides on expiry: a key that has expired by then vouches for nothing, not even for what it signed before.
   */
  verify(data: Uint8Array, signature: Uint8Array, now: Date): Promise<readonly OpenPgpVerdict[]>;
  /** A binary message with its signatures inside, as `gpg --sign` makes it; `now` as above. */
  open(message: Uint8Array, now: Date): Promise<OpenedMessage>;
  /** The keys as one binary keyring, each once, their packets as they were read. */
  serialize(): Uint8Array;
}

/** See `openKeyring`. */
export async function readKeyring(sources: readonly KeyFile[]): Promise<OpenPgpKeyring> {
  const library = await loadLibrary();
  const { loaded, problems } = await loadKeys(library, sources);
  const keys = loaded.map(({ key }) => key);
  const judgeAll = async (
    data: Uint8Array,
    entries: readonly SignatureEntry[],
    now: Date,
  ): Promise<readonly OpenPgpVerdict[]> => {
    const verdicts: OpenPgpVerdict[] = [];
    const message = await library.createMessage({ binary: data });
    const [literal = {}] = message.packets;
    for (const entry of entries) verdicts.push(await verifyEntry(library, keys, entry, literal, now));
    return verdicts;
  };
  return {
    keys: await Promise.all(keys.map((key) => describeKey(library, key))),
    problems,
    verify: (data, signature, now) => judgeAll(data, readSignatureFile(signature), now),
    async open(message, now) {
      const parts = splitSignedMessage(message);
      if (typeof parts === 'string') return { verdicts: [unreadable(parts)], content: undefined };
      const { content, signatures } = parts;
      const verdicts = await judgeAll(
        content,
        signatures.map((packet) => ({ packet })),
        now,
      );
      return { verdicts, content: verdicts.every(({ status }) => status === 'good') ? content : undefined };
    },
    serialize: () => Buffer.concat(loaded.map(({ block }: { readonly block: KeyBlock }) => serializeKey(block))),
  };
}

async function verifyEntry(
  library: Library,
  keys: readonly Key[],
  entry: SignatureEntry,
  data: object,
  now: Date,
): Promise<OpenPgpVerdict> {
  if ('flaw' in entry) return unreadable(entry.flaw);
  const signature = await parseSignature(library, entry.packet);
  if ('status' in signature) return signature;
  const verdicts: OpenPgpVerdict[] = [];
  for (const signer of signersNamed(keys, signature.issuerKeyID.toHex())) {
    verdicts.push(await judge(library, signer, signature, data, now));
  }
  // Two keys may share a key id: then only one of them can have made it.
  const [best] = verdicts.sort((a, b) => RANK.indexOf(a.status) - RANK.indexOf(b.status));
  return best ?? { ...describe(signature), status: 'unknown-key', reason: 'key is not among those that are trusted' };
}

/** The more it tells about the key the further in front. */
const RANK: readonly SignatureStatus[] = [
  'good',
  'revoked-key',
  'expired-key',
  'expired-signature',
  'unusable',
  'bad',
  'unknown-key',
];

function signersNamed(keys: readonly Key[], keyId: string): readonly Signer[] {
  return keys.flatMap((key) =>
    [key, ...key.subkeys].filter((part) => part.getKeyID().toHex() === keyId).map((part) => ({ key, part })),
  );
}
