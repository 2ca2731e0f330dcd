/** Names in ELF files. */
import { type ElfSource, malformed } from './elf-file.ts';

const strict = new TextDecoder('utf-8', { fatal: true });

export function decodeUtf8(source: ElfSource, bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    throw malformed(source, 'a name in UTF-8', Buffer.from(bytes).toString('hex').slice(0, 32)); // a TypeError says no more
  }
}
