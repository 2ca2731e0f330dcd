/** Static deltas: from where to where, and how many bytes. */
import { formatBytes } from '../../../base/text.ts';
import type { DeltaName, Repository } from '../../../ostree/index.ts';
import { type Html, html } from './html.ts';
import { commitLink, layout, pager, type Slice } from './layout.ts';

export interface DeltaFacts extends DeltaName {
  /** Of all its files. */
  readonly bytes: number;
}

/** A delta has a file for each 32 MiB. */
const MOST_FILES = 10_000;

/** `deltas/ab/cdef…`; spec/ostree 9.1. */
function folderOf({ from, to }: DeltaName): string[] {
  const name = [from, to]
    .flatMap((each) =>
      each === undefined ? [] : [Buffer.from(each, 'hex').toString('base64').replaceAll('/', '_').slice(0, 43)],
    )
    .join('-');
  return ['deltas', name.slice(0, 2), name.slice(2)];
}

export function sizeOfDelta({ directory }: Repository, delta: DeltaName): DeltaFacts {
  let at = directory;
  let bytes = 0;
  try {
    for (const part of folderOf(delta)) {
      const inner = at.openDirectory(part);
      if (inner === undefined) return { ...delta, bytes };
      if (at !== directory) at.close();
      at = inner;
    }
    for (const name of at.list().slice(0, MOST_FILES)) bytes += at.lstat(name)?.size ?? 0;
    return { ...delta, bytes };
  } finally {
    if (at !== directory) at.close();
  }
}

export function deltaTable(deltas: readonly DeltaFacts[]): Html {
  return html`<table><tr><th>from</th><th>to</th><th class="num">size</th></tr>
${deltas.map(({ from, to, bytes }) => html`<tr><td>${from === undefined ? 'nothing' : commitLink(from)}</td><td>${commitLink(to)}</td><td class="num">${formatBytes(bytes)}</td></tr>\n`)}</table>`;
}

export function deltasPage({ shown, page, pages }: Slice<DeltaFacts>): string {
  const trail = html`<p><a href="/">Repository</a></p><h1>Static deltas</h1>`;
  const empty = html`<p class="dim">None. Clients fetch objects one by one.</p>`;
  const content = [shown.length === 0 ? empty : deltaTable(shown), pager(page, pages)];
  return layout({ title: 'Static deltas', trail, content });
}
