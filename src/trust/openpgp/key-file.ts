/** A file with keys, in any of the forms in which they come: binary, armored, keybox. */
import { quote } from '../../base/text.ts';
import { readArmor } from './armor.ts';
import { type KeyBlock, sortKeys } from './key-block.ts';
import { isKeybox, readKeybox } from './keybox.ts';
import { looksBinary, splitPackets } from './packets.ts';

export interface KeyFile {
  /** What the file is called in messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The ring of all Debian developers has 30 MB. */
const MAX_BYTES = 64 * 2 ** 20;

export interface KeyFileContent {
  readonly keys: readonly KeyBlock[];
  /** What could not be read, each beginning with the name of the file. */
  readonly problems: readonly string[];
}

export function readKeyFile(file: KeyFile): KeyFileContent {
  const problems: string[] = [];
  const keys = sequences(file.bytes, problems).flatMap((bytes) => readSequence(bytes, problems));
  return { keys, problems: problems.map((problem) => `${file.name}: ${problem}`) };
}

function sequences(bytes: Uint8Array, problems: string[]): readonly Uint8Array[] {
  if (bytes.length > MAX_BYTES) {
    problems.push(`larger than the limit of ${MAX_BYTES} bytes for keys`);
    return [];
  }
  if (isKeybox(bytes)) {
    const { keys, flaw } = readKeybox(bytes);
    if (flaw !== undefined) problems.push(flaw);
    return keys;
  }
  return looksBinary(bytes) || bytes.length === 0 ? [bytes] : armored(bytes, problems);
}

function armored(bytes: Uint8Array, problems: string[]): readonly Uint8Array[] {
  const blocks = readArmor(bytes);
  if (blocks.length === 0) problems.push('neither a binary keyring nor ASCII armor');
  return blocks.flatMap(({ label, bytes: content, flaw }) => {
    if (content === undefined) problems.push(`block ${quote(label)} ${flaw}`);
    else if (label !== 'PGP PUBLIC KEY BLOCK' && label !== 'PGP PRIVATE KEY BLOCK') {
      problems.push(`block ${quote(label)} holds no keys`);
    } else return [content];
    return [];
  });
}

function readSequence(bytes: Uint8Array, problems: string[]): readonly KeyBlock[] {
  const { packets, flaw } = splitPackets(bytes);
  const sorted = sortKeys(packets);
  problems.push(...sorted.problems);
  if (flaw === undefined) return sorted.keys;
  // The lost end may hold the revocation of the key that it belongs to: that key is not to be used.
  problems.push(`${flaw}, and the key that it belongs to is left out`);
  return sorted.keys.slice(0, -1);
}
