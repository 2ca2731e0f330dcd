/** `tako sign --rotate`: sign the manifest of a publisher's directory under a new key. */
import { type LockWait, openDestination } from '../destination/destination.ts';
import { readLocalManifest } from '../destination/local-manifest.ts';
import { TakoError } from '../error.ts';
import type { PublicKey, SecretKey } from '../manifest/key.ts';
import { sealManifest } from '../manifest/manifest.ts';
import { underLock } from '../update/settle.ts';

const OTHER_KEY = 'it is signed neither by --old-public-key nor by the new key';

export interface Rotated {
  readonly entries: number;
  /** `unchanged`: the new key had signed it already. */
  readonly outcome: 'signed' | 'unchanged';
}

/**
 * The manifest must be signed by the old key, or by the new one (then the rotation was done before).
 * Clients that list only the old key refuse it from then on: tell them the new one first.
 * @throws TakoError NO_MANIFEST, INVALID_SIGNATURE
 */
export async function rotateKey(
  path: string,
  keys: { readonly old: PublicKey; readonly new: SecretKey },
  dryRun: boolean,
  ports: { readonly wait: LockWait; readonly warn: (text: string) => void },
  signal: AbortSignal,
): Promise<Rotated> {
  const directory = openDestination(path, 'refuse');
  try {
    const work = async (): Promise<Rotated> => {
      const manifest = readLocalManifest(directory, [keys.new.publicKey, keys.old], ports.warn, OTHER_KEY);
      if (manifest === undefined) throw new TakoError('NO_MANIFEST', `${path}: no manifest here`, { subject: path });
      const entries = manifest.entries.length;
      if (manifest.key === keys.new.publicKey) return { entries, outcome: 'unchanged' };
      if (!dryRun) directory.writeManifest(sealManifest(manifest.entries, keys.new));
      return { entries, outcome: 'signed' };
    };
    return dryRun ? await work() : await underLock(directory, ports, signal, work);
  } finally {
    directory.close();
  }
}
