/** The bytes of a host file: from a template, shared with the image where the file system can, else copied. */
import { codeOf } from '../../base/error.ts';
import { systemCalls } from '../../linux/calls/ffi.ts';
import { naming } from '../../linux/calls/system-error.ts';
import { writeAll } from '../../linux/files/write.ts';
import type { ImageTree } from '../image-tree.ts';
import type { HostFile } from './image-files.ts';

interface Content {
  readonly file: HostFile;
  readonly content: Uint8Array | undefined;
}

/** One call takes at most so much, so that a signal gets a turn. */
const RANGE = 2 ** 30;
/** Another file system, none that can, or a kernel that cannot: the bytes are copied then. */
const CANNOT = new Set(['EXDEV', 'EINVAL', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EPERM', 'ETXTBSY']);

/** @param fd of an empty file. @throws CodedError DISK_FULL; SystemError naming `path` */
export async function fillFile(
  fd: number,
  path: string,
  tree: ImageTree | undefined,
  { file, content }: Content,
): Promise<void> {
  if (content !== undefined) return naming(path, () => writeAll(fd, content));
  if (tree === undefined) throw new Error(`unreachable: ${path} is copied from no image`);
  if (share(fd, path, tree, file.source)) return;
  for await (const chunk of tree.chunks(file.source)) naming(path, () => writeAll(fd, chunk));
}

/** copy_file_range(2), which makes both share their blocks where the file system can. False: nothing was written. */
function share(fd: number, path: string, tree: ImageTree, source: string): boolean {
  const copyFileRange = systemCalls()?.copyFileRange;
  if (copyFileRange === undefined) return false;
  const copied = tree.withPlainFile?.(source, (from) => {
    let done = 0;
    try {
      for (let count = 1; count > 0; done += count) count = naming(path, () => copyFileRange(from, fd, RANGE));
      return true;
    } catch (error) {
      if (done > 0 || !CANNOT.has(codeOf(error) ?? '')) throw error;
      return false;
    }
  });
  return copied ?? false;
}
