/** A layout to look at and to damage, and blobs on their way into one. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Descriptor } from '../descriptor.ts';
import { digestOf } from '../digest.ts';

export const signal: AbortSignal = new AbortController().signal;

export function blobOf(content: string | Uint8Array): { readonly bytes: Buffer; readonly descriptor: Descriptor } {
  const bytes = Buffer.from(content as Uint8Array);
  return { bytes, descriptor: { mediaType: 'application/x', digest: digestOf(bytes), size: bytes.length } };
}

/** Delivers bytes in chunks that share their memory, and remembers where it was asked to begin. */
export function origin(bytes: Uint8Array, { chunk = 1000, failAt = Number.POSITIVE_INFINITY } = {}) {
  const asked: number[] = [];
  const room = Buffer.alloc(chunk);
  async function* source(from: number): AsyncGenerator<Uint8Array> {
    asked.push(from);
    for (let at = from; at < bytes.length; at += chunk) {
      if (at >= failAt) throw new Error('connection reset');
      const part = bytes.subarray(at, at + chunk);
      room.set(part);
      yield room.subarray(0, part.length);
      room.fill(0xee);
    }
  }
  return { source, asked };
}

/** Every file below a directory and its bytes in latin1, locks aside. */
export function treeOf(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'lock')
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    names.sort().map((name) => [name.slice(directory.length + 1), readFileSync(name, 'latin1')]),
  );
}
