/** From key files to keys that the library understands. */
import type { Key } from 'openpgp';
import { printable } from '../../base/text.ts';
import { identity, isSubkey, type KeyBlock, mergeKeys, type Section, serializeKey } from './key-block.ts';
import { type KeyFile, readKeyFile } from './key-file.ts';
import { type Library, policy } from './library.ts';
import { type Packet, TAG } from './packets.ts';

export interface LoadedKey {
  readonly key: Key;
  /** All packets of it, also those that the library does not know. */
  readonly block: KeyBlock;
}

export interface LoadedKeys {
  readonly loaded: readonly LoadedKey[];
  readonly problems: readonly string[];
}

/** The keys of all files, copies merged. */
export async function loadKeys(library: Library, files: readonly KeyFile[]): Promise<LoadedKeys> {
  const problems: string[] = [];
  const merged = new Map<string, { readonly name: string; readonly block: KeyBlock }>();
  for (const file of files) {
    const content = readKeyFile(file);
    problems.push(...content.problems);
    for (const block of content.keys) {
      const id = identity(block[0].head);
      const known = merged.get(id);
      merged.set(id, { name: known?.name ?? file.name, block: known ? mergeKeys(known.block, block) : block });
    }
  }
  const loaded: LoadedKey[] = [];
  for (const { name, block } of merged.values()) {
    const found = await load(library, block);
    if (typeof found === 'string') problems.push(`${name}: ${found}`);
    else loaded.push({ key: found, block });
  }
  return { loaded, problems };
}

/** The key, or why it cannot be used. */
async function load(library: Library, block: KeyBlock): Promise<Key | string> {
  const [primary, ...parts] = block;
  if (primary.head.tag !== TAG.publicKey) return 'secret key left out: a keyring holds public keys';
  if (
    !(await revocationsReadable(
      library,
      block.filter(({ head }) => !isSubkey(head)),
    ))
  ) {
    return 'key with a revocation that cannot be read left out';
  }
  const sections: Section[] = [primary];
  for (const section of parts) {
    if (section.head.tag === TAG.userId) sections.push(section);
    // A subkey of which we cannot tell whether it is revoked does not sign.
    else if (isSubkey(section.head) && (await revocationsReadable(library, [section]))) sections.push(section);
  }
  try {
    const binaryKey = Buffer.concat(sections.map((section) => serializeKey([section])));
    const key = await library.readKey({ binaryKey, config: policy(library) });
    // Other bytes with the same fingerprint would be a second copy that a revocation of the first does not reach.
    return Buffer.from(key.keyPacket.write()).equals(primary.head.body) ? key : 'key in a form of its own left out';
  } catch (error) {
    return `key that cannot be read left out: ${printable(error instanceof Error ? error.message : String(error))}`;
  }
}

const KEY_REVOCATION = 0x20;
const SUBKEY_REVOCATION = 0x28;

async function revocationsReadable(library: Library, sections: readonly Section[]): Promise<boolean> {
  for (const packet of sections.flatMap(({ signatures }) => signatures)) {
    if (isRevocation(packet) && !(await isReadable(library, packet))) return false;
  }
  return true;
}

function isRevocation({ body }: Packet): boolean {
  const type = (body[0] ?? 0) <= 3 ? body[2] : body[1]; // versions 2 and 3 have a length first
  return type === KEY_REVOCATION || type === SUBKEY_REVOCATION;
}

async function isReadable(library: Library, packet: Packet): Promise<boolean> {
  try {
    const { packets } = await library.readSignature({ binarySignature: packet.raw, config: policy(library) });
    return packets[0] instanceof library.SignaturePacket;
  } catch {
    return false; // malformed in whatever way
  }
}
