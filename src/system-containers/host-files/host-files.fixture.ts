/** For tests of host files: an image in memory, a host in a scratch directory, and what an administrator would see. */
import fs from 'node:fs';
import { join } from 'node:path';
import type { ActionLog } from '../host.ts';
import type { ImageTree, TreeEntry } from '../image-tree.ts';
import type { Places } from '../places/index.ts';
import { copyStep, type HostFilesRequest, type HostPlan, planHostFiles, removalStep } from './index.ts';

/** Paths below `hostfs`; text is a file, an object anything else. Directories on the way have mode 0755. */
export type HostFiles = Readonly<Record<string, string | Partial<TreeEntry & { readonly content: string }>>>;

const DIRECTORY: TreeEntry = {
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  target: undefined,
  hasCapabilities: false,
};

/** An image in memory. */
export function imageOf(files: HostFiles, name = 'etcd'): ImageTree {
  const entries = new Map<string, TreeEntry & { readonly bytes: Buffer }>();
  const put = (path: string, entry: TreeEntry, bytes = Buffer.alloc(0)): void => {
    const above = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (path !== '' && !entries.has(above)) put(above, DIRECTORY);
    entries.set(path, { ...entry, bytes });
  };
  put('exports/hostfs', DIRECTORY);
  for (const [path, given] of Object.entries(files)) {
    const { content = '', ...more } = typeof given === 'string' ? { content: given } : given;
    const type = more.target === undefined ? (more.type ?? 'file') : 'symlink';
    const bytes = Buffer.from(content, 'latin1');
    const mode = type === 'file' ? 0o644 : 0o755;
    put(`exports/hostfs/${path}`, { ...DIRECTORY, mode, ...more, type, size: bytes.length }, bytes);
  }
  return {
    name,
    look: (path) => entries.get(path),
    list: (path) =>
      [...entries.keys()]
        .filter((each) => each !== '' && each.slice(0, Math.max(0, each.lastIndexOf('/'))) === path)
        .map((each) => each.slice(path.length + 1))
        .sort(),
    read: (path) => entries.get(path)?.bytes ?? Buffer.alloc(0),
    async *chunks(path) {
      const bytes = entries.get(path)?.bytes ?? Buffer.alloc(0);
      for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
    },
  };
}

export function placesAt(root: string, more: Partial<Places> = {}): Places {
  const checkouts = `${root}/var/lib/containers/atomic`;
  return {
    scope: 'system',
    uid: 0,
    gid: 0,
    root,
    checkouts,
    state: `${checkouts}/.state`,
    repository: `${checkouts}/.storage/repo`,
    repositoryMode: 'bare',
    preinstalled: undefined,
    units: `${root}/etc/systemd/system`,
    tmpfiles: `${root}/etc/tmpfiles.d`,
    directories: { run: '/run', state: '/var/lib', conf: '/etc' },
    keep: 2,
    hostPrefixes: [],
    ...more,
  };
}

export const NO_RULES = { renameFiles: new Map<string, string>(), installedFilesTemplate: [] };

export type Wish = Omit<HostFilesRequest, 'manifest' | 'values' | 'tree'> &
  Partial<Pick<HostFilesRequest, 'manifest' | 'values' | 'tree'>>;

export function plan(wish: Wish): Promise<HostPlan> {
  return planHostFiles({ manifest: NO_RULES, values: new Map(), tree: undefined, ...wish });
}

export interface Done {
  readonly plan: HostPlan;
  /** Actions, and warnings behind `! `. */
  readonly log: readonly string[];
  readonly failed: readonly string[];
}

/** Both halves of a change. */
export async function change(wish: Wish): Promise<Done> {
  const made = await plan(wish);
  const { log, lines } = recorder();
  const failed = await removalStep(made, log);
  await copyStep(made, wish.tree, log, { isUndo: wish.begun !== undefined });
  return { plan: made, log: lines, failed };
}

export function recorder(): { readonly log: ActionLog; readonly lines: string[] } {
  const lines: string[] = [];
  const log = {
    action: (line: string) => void lines.push(line),
    detail: (line: string) => void lines.push(`  ${line}`),
    warning: (line: string) => void lines.push(`! ${line}`),
  };
  return { log, lines };
}

/** Everything below a directory: `mode owner:group content`, links as `-> target`, directories with a slash. */
export function snapshot(root: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const visit = (path: string): void => {
    for (const name of fs.readdirSync(join(root, path)).sort()) {
      const each = `${path}/${name}`;
      const stats = fs.lstatSync(join(root, each));
      const owner = `${(stats.mode & 0o7777).toString(8)} ${stats.uid}:${stats.gid}`;
      if (stats.isSymbolicLink()) found[each] = `${stats.uid}:${stats.gid} -> ${fs.readlinkSync(join(root, each))}`;
      else if (stats.isDirectory()) found[`${each}/`] = owner;
      else found[each] = `${owner} ${fs.readFileSync(join(root, each), 'latin1')}`;
      if (stats.isDirectory()) visit(each);
    }
  };
  visit('');
  return found;
}

/** Files of a host: text is content, an object more; directories on the way are made 0755. */
export function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    fs.mkdirSync(join(root, path, '..'), { recursive: true, mode: 0o755 });
    fs.writeFileSync(join(root, path), content);
  }
}
