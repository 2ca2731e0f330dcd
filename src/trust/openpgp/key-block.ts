/**
 * The packets of one key, ordered by what they belong to, so that copies of a key from several files can be merged
 * and written again byte for byte, whatever the library makes of them.
 */
import { FIRST_OPTIONAL_TAG, type Packet, TAG } from './packets.ts';

/** A key, subkey or user id, with the signatures over it. */
export interface Section {
  readonly head: Packet;
  readonly signatures: readonly Packet[];
}

/** The first section is the primary key. */
export type KeyBlock = readonly [Section, ...Section[]];

const SECTION_TAGS: ReadonlySet<number> = new Set([
  TAG.publicKey,
  TAG.publicSubkey,
  TAG.secretKey,
  TAG.secretSubkey,
  TAG.userId,
  TAG.userAttribute,
]);
/** Without meaning for anybody but the program that wrote the file. */
const SILENT_TAGS: ReadonlySet<number> = new Set([TAG.marker, TAG.trust, TAG.padding]);

interface OpenSection {
  readonly head: Packet;
  readonly signatures: Packet[];
}

export interface SortedKeys {
  readonly keys: readonly KeyBlock[];
  readonly problems: readonly string[];
}

/** Cut a keyring into keys. A packet that is of no known kind costs itself; what stands before the first key, too. */
export function sortKeys(packets: readonly Packet[]): SortedKeys {
  const keys: [OpenSection, ...OpenSection[]][] = [];
  const problems: string[] = [];
  for (const packet of packets) {
    const { tag } = packet;
    if (SILENT_TAGS.has(tag) || tag >= FIRST_OPTIONAL_TAG) continue;
    if (tag === TAG.publicKey || tag === TAG.secretKey) keys.push([{ head: packet, signatures: [] }]);
    else if (tag !== TAG.signature && !SECTION_TAGS.has(tag))
      problems.push(`packet of unknown kind ${tag} passed over`);
    else if (keys.length === 0) problems.push(`packet of kind ${tag} before the first key passed over`);
    else if (tag === TAG.signature) keys.at(-1)?.at(-1)?.signatures.push(packet);
    else keys.at(-1)?.push({ head: packet, signatures: [] });
  }
  return { keys, problems };
}

/** Everything that is in either copy, each once. */
export function mergeKeys(ours: KeyBlock, theirs: KeyBlock): KeyBlock {
  const merged = new Map<string, { head: Packet; signatures: Map<string, Packet> }>();
  for (const { head, signatures } of [...ours, ...theirs]) {
    const section = merged.get(identity(head)) ?? { head, signatures: new Map() };
    for (const packet of signatures) {
      if (!section.signatures.has(identity(packet))) section.signatures.set(identity(packet), packet);
    }
    merged.set(identity(head), section);
  }
  const sections = [...merged.values()].map(({ head, signatures }) => ({ head, signatures: [...signatures.values()] }));
  // User ids before subkeys: the order that readers expect.
  const [primary = ours[0], ...rest] = sections;
  return [primary, ...rest.filter(({ head }) => !isSubkey(head)), ...rest.filter(({ head }) => isSubkey(head))];
}

export function serializeKey(key: KeyBlock): Uint8Array {
  return Buffer.concat(key.flatMap(({ head, signatures }) => [head.raw, ...signatures.map(({ raw }) => raw)]));
}

/** The same bytes may be framed in several ways. */
export function identity(packet: Packet): string {
  return `${packet.tag} ${Buffer.from(packet.body).toString('latin1')}`;
}

export function isSubkey(packet: Packet): boolean {
  return packet.tag === TAG.publicSubkey || packet.tag === TAG.secretSubkey;
}
