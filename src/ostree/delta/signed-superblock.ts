/**
 * A superblock with signatures around it.
 *
 * Shape: `(taya{sv})` = the eight bytes `OSTSGNDT`, the superblock as it is, signatures as in detached metadata. They
 * are made over the superblock's bytes. No client that pulls understands it. Spec 9.5.
 */
import { bytes, tuple, uint64be, type Vardict, vardict } from '../../gvariant/index.ts';
import { malformed, naming } from './superblock.ts';

const SIGNED = tuple(uint64be, bytes, vardict);
const MAGIC = Buffer.from('OSTSGNDT', 'latin1');

export interface SignedSuperblock {
  readonly superblock: Uint8Array;
  /** Undefined: it is not wrapped at all. */
  readonly signatures: Vardict | undefined;
}

/** The superblock of a file, wrapped or not; nothing is verified. @throws OstreeError DELTA_MALFORMED */
export function unwrapSuperblock(file: Uint8Array, what: string): SignedSuperblock {
  if (!isSigned(file)) return { superblock: file, signatures: undefined };
  return naming(what, () => {
    const [, superblock, signatures] = SIGNED.decode(file);
    if (isSigned(superblock)) throw malformed(what, 'signed twice');
    return { superblock, signatures };
  });
}

export function wrapSuperblock(superblock: Uint8Array, signatures: Vardict): Uint8Array {
  return SIGNED.encode([MAGIC.readBigUInt64BE(), superblock, signatures]);
}

function isSigned(file: Uint8Array): boolean {
  return file.length >= MAGIC.length && MAGIC.compare(file, 0, MAGIC.length) === 0;
}
