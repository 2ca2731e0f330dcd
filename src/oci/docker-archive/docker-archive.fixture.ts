/** Archives of Docker in the shapes that its versions have written. */
import { writeFileSync } from 'node:fs';
import { TarWriter, type TarWriterEntry } from '../../tar/index.ts';
import type { Digest } from '../digest.ts';
import { digestOf } from '../digest.ts';

export type File = Pick<TarWriterEntry, 'path'> & Partial<TarWriterEntry> & { readonly data?: string | Uint8Array };

const COMMON = { type: 'file', mode: 0o644, uid: 0, gid: 0 } as const;

export async function tarOf(files: readonly File[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const tar = new TarWriter((chunk) => void chunks.push(Buffer.from(chunk)));
  for (const { data, ...entry } of files) {
    await tar.add({ ...COMMON, ...entry }, data === undefined ? undefined : Buffer.from(data as Uint8Array));
  }
  await tar.finish();
  return Buffer.concat(chunks);
}

export async function writeTar(path: string, files: readonly File[]): Promise<void> {
  writeFileSync(path, await tarOf(files));
}

export const layerOf = (content: string): Promise<Buffer> => tarOf([{ path: 'file', data: content }]);

export function configOf(...layers: readonly Uint8Array[]): Buffer {
  const rootfs = { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) };
  return Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs }));
}

export const items = (...list: readonly object[]): File => ({ path: 'manifest.json', data: JSON.stringify(list) });

export const hexOf = (bytes: Uint8Array): string => digestOf(bytes).slice('sha256:'.length);

export async function whole(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export const blob = (digest: Digest) => ({ mediaType: 'application/x', digest, size: 0 });
