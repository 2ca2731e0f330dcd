/**
 * A directory's own attributes (`.dirmeta`).
 *
 * Shape: `(uuua(ayay))` = uid, gid, mode, xattrs, the numbers big-endian. Mode as in stat(2), file type included.
 * Source: OSTREE_DIRMETA_GVARIANT_FORMAT in ostree-core.h.
 */
import { tuple, uint32be } from '../../gvariant/index.ts';
import { malformed } from '../error.ts';
import { decodeStrictly, octal, S_IFDIR, S_IFMT } from './file-header.ts';
import { packXattrs, unpackXattrs, XATTRS, type Xattrs } from './xattrs.ts';

export interface DirMeta {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly xattrs: Xattrs;
}

const DIRMETA = tuple(uint32be, uint32be, uint32be, XATTRS);

/** @throws OstreeError OBJECT_MALFORMED */
export function decodeDirMeta(object: Uint8Array, what = 'dirmeta'): DirMeta {
  const [uid, gid, mode, xattrs] = decodeStrictly(() => DIRMETA.decode(object), what);
  if ((mode & S_IFMT) !== S_IFDIR) throw malformed(what, `expected a directory, found mode ${octal(mode)}`);
  if ((mode & ~(S_IFMT | 0o7777)) !== 0) throw malformed(what, `unknown bits in mode ${octal(mode)}`);
  return { uid, gid, mode, xattrs: unpackXattrs(xattrs, what) };
}

export function encodeDirMeta({ uid, gid, mode, xattrs }: DirMeta): Uint8Array {
  return DIRMETA.encode([uid, gid, mode, packXattrs(xattrs)]);
}
