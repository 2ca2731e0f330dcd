/** Files with OpenPGP keys, as they are named on the command line. */
import type { importKeys } from '../../../../ostree/index.ts';

/** The ring of all Debian developers has 30 MB. */
const LIMIT = 64 * 2 ** 20;

export type KeyFiles = Parameters<typeof importKeys>[1]['files'];

export async function readKeyFiles(names: readonly string[]): Promise<KeyFiles> {
  if (names.length === 0) return [];
  const { readFileBounded } = await import('../../../../linux/files/read.ts');
  return names.map((name) => ({ name, bytes: readFileBounded(name, LIMIT).bytes }));
}

/** All of standard input. */
export async function readKeysFromInput(): Promise<KeyFiles> {
  const { CodedError } = await import('../../../../base/error.ts');
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    size += (chunk as Uint8Array).length;
    if (size > LIMIT) throw new CodedError('TOO_LARGE', `standard input: larger than the limit of ${LIMIT} bytes`);
    chunks.push(chunk as Uint8Array);
  }
  return [{ name: 'standard input', bytes: Buffer.concat(chunks) }];
}
