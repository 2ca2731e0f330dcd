import { codeOf } from '../../base/error.ts';
import { readFileBounded, type SmallFile } from '../../linux/files/read.ts';

/** Undefined when there is no such file. @throws CodedError TOO_LARGE, NOT_A_REGULAR_FILE, UNSAFE_LINK; SystemError */
export function readOptionalFile(path: string, limit: number): SmallFile | undefined {
  try {
    return readFileBounded(path, limit);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR' || codeOf(error) === 'NOT_A_DIRECTORY') {
      return undefined;
    }
    throw error;
  }
}
