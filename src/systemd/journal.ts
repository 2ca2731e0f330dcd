/**
 * Entries with fields of their own in the journal: an administrator finds them by `MESSAGE_ID` whatever the text says.
 * Source: "Native Journal Protocol" of systemd.
 */
import { existsSync } from 'node:fs';
import { capabilities } from '../linux/calls/capabilities.ts';
import { systemCalls } from '../linux/calls/ffi.ts';
import { runProgram } from '../linux/processes/spawn.ts';

const SOCKET = '/run/systemd/journal/socket';

/** Names in capitals; values are text. `MESSAGE` is what people read. */
export type JournalFields = Readonly<Record<string, string>>;

/** One entry: `NAME=value` lines, or the name, a length and the bytes where the value has a newline. */
export function encodeJournalEntry(fields: JournalFields): Uint8Array {
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (!/^[A-Z][A-Z0-9_]{0,63}$/.test(name)) throw new Error(`unreachable: ${name} is no name of a journal field`);
    if (!value.includes('\n')) {
      parts.push(Buffer.from(`${name}=${value}\n`));
      continue;
    }
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    parts.push(Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n'));
  }
  return Buffer.concat(parts);
}

/**
 * Send an entry. False when there is no journal here, or no means to speak to it: logging never stops the work.
 */
export async function sendToJournal(fields: JournalFields, signal: AbortSignal): Promise<boolean> {
  if (!existsSync(SOCKET)) return false;
  const calls = capabilities().datagram === undefined ? undefined : systemCalls();
  try {
    if (calls !== undefined) {
      calls.sendDatagram(SOCKET, encodeJournalEntry(fields));
      return true;
    }
    // logger(1) takes one line a field.
    const input = Object.entries(fields).map(([name, value]) => `${name}=${value.replace(/\n/g, '; ')}\n`);
    const { status } = await runProgram('logger', ['--journald'], { input: input.join(''), timeoutMs: 5000, signal });
    return status === 0;
  } catch (error) {
    if (signal.aborted) throw error;
    return false; // the same words go to standard error
  }
}
