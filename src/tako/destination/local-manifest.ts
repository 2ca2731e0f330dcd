/** The manifest that a directory holds, a destination's or a publisher's. */

import { isHex } from '../../base/decode.ts';
import { explain } from '../../base/error.ts';
import { TakoError } from '../error.ts';
import type { PublicKey } from '../manifest/key.ts';
import { type Manifest, openManifest } from '../manifest/manifest.ts';
import type { Destination } from './destination.ts';

/**
 * Read and verify it; undefined when there is none.
 * A file of no bytes, as a crash of the reference leaves it, counts as none as long as no image depends on it.
 * @throws TakoError as `openManifest`, saying that the local file is at fault
 */
export function readLocalManifest(
  destination: Destination,
  keys: readonly PublicKey[],
  warn: (text: string) => void,
  otherKeyHint = 'if the publisher changed its key, name the old and the new one in two PublicKey= lines',
): Manifest | undefined {
  const file = destination.readManifest();
  if (file === undefined) return undefined;
  const path = `${destination.path}/manifest`;
  if (file.bytes.length === 0 && !destination.store?.list().some((name) => isHex(name, 32))) {
    warn(`${path} is empty and no image needs it: going on as if there were none`);
    return undefined;
  }
  try {
    return openManifest(file.bytes, keys);
  } catch (cause) {
    if (!(cause instanceof TakoError)) throw cause;
    throw new TakoError(cause.code, `local ${explain(cause)} (${path})`, {
      hint:
        cause.code === 'INVALID_SIGNATURE'
          ? otherKeyHint
          : 'the file is damaged: restore it from a backup, or remove it to start anew (this gives up rollback protection)',
      subject: path,
    });
  }
}

/** For commands that need no network, but a manifest. */
export function fetchedBefore(manifest: Manifest | undefined, { path }: Destination): Manifest {
  if (manifest !== undefined) return manifest;
  throw new TakoError('NO_MANIFEST', `${path}: nothing was fetched yet`, { hint: 'run "tako fetch"', subject: path });
}
