/** `/browse/CHECKSUM/PATH/`: a folder of a commit. */
import { codeOf } from '../../../base/error.ts';
import { formatBytes, plural } from '../../../base/text.ts';
import { type ObjectReader, S_IFMT, type Subtree } from '../../../ostree/index.ts';
import { type Content, type Html, html } from './html.ts';
import { layout, pager, short, sliceOf } from './layout.ts';

/** Each takes an open, a read and a close. */
const PER_PAGE = 200;

export interface BrowsePage {
  readonly commit: string;
  readonly path: readonly string[];
  readonly folder: Subtree;
  readonly page: number;
}

/** Undefined when there is no such page of the folder. */
export function browsePage(reader: ObjectReader, { commit, path, folder, page }: BrowsePage): string | undefined {
  const { files, directories } = reader.dirTree(folder.tree);
  const entries = [
    ...directories.map(({ name, meta }) => ({ kind: 'directory', name, checksum: meta }) as const),
    ...files.map(({ name, checksum }) => ({ kind: 'file', name, checksum }) as const),
  ];
  const slice = sliceOf(entries, page, PER_PAGE);
  if (slice === undefined) return undefined;
  const rows = slice.shown.map((entry) =>
    entry.kind === 'directory'
      ? folderRow(reader, entry.name, entry.checksum)
      : fileRow(reader, entry.name, entry.checksum),
  );
  const { mode } = reader.dirMeta(folder.meta);
  const content: Content = [
    html`<p class="dim">${plural(directories.length, 'folder')}, ${plural(files.length, 'file')}; mode ${octal(mode)}</p>`,
    rows.length === 0
      ? html`<p>Nothing is in it.</p>`
      : html`<table><tr><th>name</th><th class="num">size</th><th class="wide">mode</th><th class="wide">owner</th></tr>\n${rows}</table>`,
    pager(slice.page, slice.pages),
  ];
  return layout({ title: `/${path.join('/')}`, trail: trailOf(commit, path), content });
}

function trailOf(commit: string, path: readonly string[]): Html {
  const up = path.map((name, i) => html` / <a href="${hrefOf(commit, path.slice(0, i + 1))}">${name}</a>`);
  return html`<p><a href="/">Repository</a> · commit <a class="mono" href="/commit/${commit}">${short(commit)}</a></p>
<h1><a href="${hrefOf(commit, [])}">files</a>${up}</h1>`;
}

function hrefOf(commit: string, path: readonly string[]): string {
  return `/browse/${[commit, ...path].map(encodeName).join('/')}/`;
}

/** Names in commits are UTF-8, so there is no half a character that could not be encoded. */
const encodeName = encodeURIComponent;

function folderRow(reader: ObjectReader, name: string, meta: string): Html {
  const link = html`<a href="${encodeName(name)}/">${name}/</a>`;
  const { mode, uid, gid } = reader.dirMeta(meta);
  return row(link, '', octal(mode), `${uid}:${gid}`);
}

function fileRow(reader: ObjectReader, name: string, checksum: string): Html {
  const stored = openIfPresent(reader, checksum);
  if (stored === undefined) return row(html`${name} <span class="dim">not stored here</span>`, '', '', '');
  stored.close();
  const { target, mode, uid, gid } = stored.header;
  if (target !== undefined) return row(html`${name} <span class="dim">→ ${target}</span>`, 'link', '', `${uid}:${gid}`);
  const link = html`<a href="${encodeName(name)}" download>${name}</a>`;
  return row(link, formatBytes(stored.size), octal(mode), `${uid}:${gid}`);
}

/** Of an image with a base some content is in the base; of a partial commit some is nowhere. */
function openIfPresent(reader: ObjectReader, checksum: string) {
  try {
    return reader.file(checksum);
  } catch (error) {
    if (codeOf(error) === 'OBJECT_MISSING') return undefined;
    throw error;
  }
}

function row(name: Html, size: string, mode: string, owner: string): Html {
  return html`<tr><td>${name}</td><td class="num">${size}</td><td class="wide mono">${mode}</td><td class="wide mono">${owner}</td></tr>\n`;
}

function octal(mode: number): string {
  return (mode & ~S_IFMT).toString(8).padStart(4, '0');
}
