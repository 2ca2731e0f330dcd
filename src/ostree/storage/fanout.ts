import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';

/** One of the 256 directories of objects, made when it is first needed; another thread may be faster. */
export function makeFanout(path: string): void {
  try {
    fs.mkdirSync(path, 0o777);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}
