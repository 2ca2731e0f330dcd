/** The root file system of an image, in memory: paths to contents; a path that ends in a slash is a directory. */
import { CodedError } from '../../base/error.ts';
import type { ImageTree, TreeEntry } from '../image-tree.ts';

export type TreeFile = string | Uint8Array | (Partial<TreeEntry> & { readonly content?: string });

export function memoryTree(files: Readonly<Record<string, TreeFile>>, name = 'example/image'): ImageTree {
  const entries = new Map<string, { readonly entry: TreeEntry; readonly bytes: Uint8Array }>();
  for (const [path, file] of Object.entries({ '/': {}, ...files })) {
    const [plain, isDirectory] = [path.replace(/\/$/, ''), path.endsWith('/')];
    for (let at = plain.indexOf('/'); at !== -1; at = plain.indexOf('/', at + 1)) {
      const parent = plain.slice(0, at);
      if (!entries.has(parent)) entries.set(parent, make({}, true));
    }
    entries.set(plain, make(file, isDirectory));
  }
  const bytesOf = (path: string): Uint8Array => entries.get(path)?.bytes ?? new Uint8Array();
  return {
    name,
    look: (path) => entries.get(path)?.entry,
    list: (path) => {
      const prefix = path === '' ? '' : `${path}/`;
      const below = [...entries.keys()].filter((each) => each !== '' && each.startsWith(prefix));
      return [...new Set(below.map((each) => each.slice(prefix.length).split('/')[0] ?? ''))].sort();
    },
    read(path, limit) {
      const bytes = bytesOf(path);
      if (bytes.length > limit) throw new CodedError('TOO_LARGE', `${path}: larger than the limit of ${limit} bytes`);
      return bytes;
    },
    async *chunks(path) {
      yield bytesOf(path);
    },
  };
}

function make(file: TreeFile, isDirectory: boolean) {
  const given = typeof file === 'string' || file instanceof Uint8Array ? {} : file;
  const content = typeof file === 'string' || file instanceof Uint8Array ? file : (file.content ?? '');
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const type = given.type ?? (isDirectory ? 'directory' : given.target === undefined ? 'file' : 'symlink');
  const mode = given.mode ?? (type === 'file' ? 0o644 : 0o755);
  const entry: TreeEntry = {
    type,
    mode,
    uid: given.uid ?? 0,
    gid: given.gid ?? 0,
    size: type === 'file' ? bytes.length : 0,
    target: given.target,
    hasCapabilities: given.hasCapabilities ?? false,
  };
  return { entry, bytes };
}
