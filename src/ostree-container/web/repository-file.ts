/** A file of the repository as a body: opened one directory after the other, no link followed. */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { codeOf } from '../../base/error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { type Body, PIECE } from './body.ts';

const readAt = promisify(fs.read);

type Kind = Pick<Body, 'caching'>;

/** Undefined when it is absent, or anything but a regular file in directories. The caller closes it. */
export function openRepositoryFile(root: Directory, path: readonly string[], { caching }: Kind): Body | undefined {
  const opened = openBelow(root, path);
  if (opened === undefined) return undefined;
  const { fd, stats } = opened;
  let isOpen = true;
  return {
    size: stats.size,
    type: 'application/octet-stream',
    etag: tagOf(stats, caching),
    modified: stats.mtime,
    caching,
    isSeekable: true,
    chunks: (start, end) => readPieces(fd, start, end),
    close() {
      if (isOpen) fs.closeSync(fd);
      isOpen = false;
    },
  };
}

/** A file that is replaced may keep size and time; what never changes has one tag on all servers that have a copy. */
function tagOf({ size, mtimeMs, ctimeMs, ino }: fs.Stats, caching: Body['caching']): string {
  const parts = caching === 'immutable' ? [size, mtimeMs] : [size, mtimeMs, ctimeMs, ino];
  return `"${parts.map((part) => Math.round(part * 1000).toString(36)).join('-')}"`;
}

/** What is no file, or lies behind a link, is as good as absent: nobody learns more about this machine. */
const ABSENT = ['NOT_A_DIRECTORY', 'NOT_A_REGULAR_FILE', 'ENAMETOOLONG', 'ELOOP'];

export function openBelow(
  root: Directory,
  path: readonly string[],
): { readonly fd: number; readonly stats: fs.Stats } | undefined {
  try {
    return openIn(root, path);
  } catch (error) {
    if (ABSENT.includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

function openIn(directory: Directory, [name = '', ...rest]: readonly string[]): ReturnType<typeof openBelow> {
  if (rest.length === 0) return directory.openRegular(name);
  const inner = directory.openDirectory(name);
  if (inner === undefined) return undefined;
  try {
    return openIn(inner, rest);
  } finally {
    inner.close();
  }
}

/** Ends early when the file has become shorter. */
async function* readPieces(fd: number, start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; ) {
    const { buffer, bytesRead } = await readAt(
      fd,
      Buffer.allocUnsafe(Math.min(PIECE, end - at)),
      0,
      Math.min(PIECE, end - at),
      at,
    );
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}
