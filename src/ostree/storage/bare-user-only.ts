/** Mode `bare-user-only`: plain files and links of owner 0:0 without extended attributes; spec 4.4. */
import fs from 'node:fs';
import { OstreeError } from '../error.ts';
import { octal, S_IFLNK, S_IFMT } from '../objects/file-header.ts';
import { NO_XATTRS } from '../objects/xattrs.ts';
import type { FileFormat } from './file-format.ts';
import { linkWriter, openPlain, openStoredLink, readTarget, writePlain } from './plain-file.ts';

export const bareUserOnly: FileFormat = {
  extension: 'file',
  open(path, what) {
    const { mode } = fs.lstatSync(path);
    const attributes = { uid: 0, gid: 0, mode, xattrs: NO_XATTRS };
    if ((mode & S_IFMT) === S_IFLNK) return openStoredLink({ ...attributes, target: readTarget(path, what) });
    return openPlain(path, { ...attributes, target: undefined }, what);
  },
  begin(path, { mode, target }) {
    if (target !== undefined) return linkWriter(target, () => fs.symlinkSync(target, path));
    if ((mode & 0o7777 & ~0o775) !== 0) {
      throw new OstreeError(
        'OBJECT_UNSUITABLE',
        `a file of mode ${octal(mode)} cannot be in a bare-user-only repository`,
        {
          hint: 'commit it with --canonical-permissions',
        },
      );
    }
    return writePlain(path, (fd) => {
      fs.fchmodSync(fd, mode & 0o7777);
      fs.futimesSync(fd, 0, 0);
    });
  },
};
