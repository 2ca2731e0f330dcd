/**
 * Mode `bare-user`: for users who may not change owners. Owner, mode and attributes are in the extended attribute
 * `user.ostreemeta`, `(uuua(ayay))` big-endian; a link is a regular file with its target and a NUL. Spec 4.4.
 */
import fs from 'node:fs';
import { decodeUtf8 } from '../../base/decode.ts';
import { tuple, uint32be } from '../../gvariant/index.ts';
import { malformed } from '../error.ts';
import { decodeStrictly, type FileHeader, octal, S_IFLNK, S_IFMT, S_IFREG } from '../objects/file-header.ts';
import { packXattrs, unpackXattrs, XATTRS } from '../objects/xattrs.ts';
import type { FileFormat } from './file-format.ts';
import { openPlain, openStoredLink, writePlain } from './plain-file.ts';
import { xattrCalls } from './xattr-calls.ts';

const META = tuple(uint32be, uint32be, uint32be, XATTRS);
const META_NAME = 'user.ostreemeta';
/** The longest link target of Linux, and its NUL. */
const TARGET_LIMIT = 4096;

export const bareUser: FileFormat = {
  extension: 'file',
  open(path, what) {
    const meta = readMeta(path, what);
    const isLink = (meta.mode & S_IFMT) === S_IFLNK;
    const stored = openPlain(path, { ...meta, mode: isLink ? S_IFREG : meta.mode, target: undefined }, what);
    if (!isLink) return stored;
    try {
      if (stored.size > TARGET_LIMIT) throw malformed(what, `a link target of ${stored.size} bytes`);
      return openStoredLink({ ...meta, target: targetOf(stored.bytes(), what) }, stored.storedSize);
    } finally {
      stored.close();
    }
  },
  begin(path, header) {
    const { mode, target } = header;
    const writer = writePlain(path, (fd) => {
      const { fsetxattr } = xattrCalls();
      fsetxattr(fd, META_NAME, META.encode([header.uid, header.gid, mode, packXattrs(header.xattrs)]));
      fs.fchmodSync(fd, target === undefined ? (mode & 0o775) | 0o400 : 0o644);
      fs.futimesSync(fd, 0, 0);
    });
    if (target === undefined) return writer;
    return {
      ...writer,
      finish(flush) {
        writer.write(Buffer.from(`${target}\0`));
        return writer.finish(flush);
      },
    };
  },
};

function decodeMeta(value: Uint8Array, what: string) {
  return decodeStrictly(() => META.decode(value), what);
}

/** Three numbers and an empty list, which takes no bytes: most files, and quicker than the decoder for all types. */
const PLAIN = 12;

function plainMeta(value: Uint8Array): ReturnType<typeof decodeMeta> {
  const numbers = new DataView(value.buffer, value.byteOffset, PLAIN);
  return [numbers.getUint32(0), numbers.getUint32(4), numbers.getUint32(8), []];
}

/** Owner, mode and attributes alone, without opening the file. */
export function readMeta(path: string, what: string): Omit<FileHeader, 'target'> {
  const value = xattrCalls(what).lgetxattr(path, META_NAME);
  if (value === undefined) throw malformed(what, `no extended attribute ${META_NAME}`);
  const [uid, gid, mode, xattrs] = value.length === PLAIN ? plainMeta(value) : decodeMeta(value, what);
  if ((mode & ~(S_IFMT | 0o7777)) !== 0) throw malformed(what, `unknown bits in mode ${octal(mode)}`);
  return { uid, gid, mode, xattrs: unpackXattrs(xattrs, what) };
}

/** Everything up to the first NUL. */
function targetOf(content: Uint8Array, what: string): string {
  const end = content.indexOf(0);
  const target = decodeUtf8(end === -1 ? content : content.subarray(0, end));
  if (target === undefined) throw malformed(what, 'a link target that is not UTF-8');
  return target;
}
