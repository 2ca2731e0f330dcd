/** A file without a name, gone with its descriptor however the process ends. */
import fs from 'node:fs';
import { naming } from '../calls/system-error.ts';

/** `TMPDIR`, else `/var/tmp`: unlike `/tmp` it is not kept in memory. */
export function temporaryFolder(): string {
  return process.env['TMPDIR'] || '/var/tmp';
}

/** For writing and reading; the caller closes it. @throws SystemError, DISK_FULL, which names the folder */
export function openNamelessFile(folder = temporaryFolder()): number {
  return naming(folder, () => {
    const directory = fs.mkdtempSync(`${folder}/tako-`); // mode 0700
    try {
      const fd = fs.openSync(`${directory}/file`, 'wx+', 0o600);
      fs.unlinkSync(`${directory}/file`);
      return fd;
    } finally {
      fs.rmdirSync(directory);
    }
  });
}
