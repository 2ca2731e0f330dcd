/** Mode `bare`: objects are the files themselves, with owner, mode and extended attributes; spec 4.4. */
import fs from 'node:fs';
import { S_IFMT } from '../objects/file-header.ts';
import { NO_XATTRS, type Xattrs } from '../objects/xattrs.ts';
import type { FileFormat } from './file-format.ts';
import { linkWriter, openPlain, openStoredLink, readTarget, writePlain } from './plain-file.ts';
import { readXattrs, xattrCalls } from './xattr-calls.ts';

export const bare: FileFormat = { extension: 'file', ...bareWith(readXattrs), begin: beginBare };

/** Reads files whose attributes are found by `attributesOf`. */
export function bareWith(attributesOf: (path: string, what: string) => Xattrs): Pick<FileFormat, 'open'> {
  return {
    open(path, what) {
      const { uid, gid, mode } = fs.lstatSync(path);
      const xattrs = attributesOf(path, what);
      if ((mode & S_IFMT) === fs.constants.S_IFLNK) {
        return openStoredLink({ uid, gid, mode, target: readTarget(path, what), xattrs });
      }
      return openPlain(path, { uid, gid, mode, target: undefined, xattrs }, what);
    },
  };
}

function beginBare(...[path, header]: Parameters<FileFormat['begin']>): ReturnType<FileFormat['begin']> {
  const { uid, gid, mode, target, xattrs } = header;
  if (target !== undefined) {
    return linkWriter(target, () => {
      fs.symlinkSync(target, path);
      fs.lchownSync(path, uid, gid);
      for (const [name, value] of xattrs) xattrCalls().lsetxattr(path, name, value);
    });
  }
  return writePlain(path, (fd) => {
    fs.fchownSync(fd, uid, gid);
    fs.fchmodSync(fd, mode & 0o7777); // after the owner, whose change clears setuid
    if (xattrs !== NO_XATTRS) for (const [name, value] of xattrs) xattrCalls().fsetxattr(fd, name, value);
    fs.futimesSync(fd, 0, 0);
  });
}
