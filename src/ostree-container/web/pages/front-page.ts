/** `/`: the refs, how to pull them, and the deltas. */
import { codeOf } from '../../../base/error.ts';
import { formatBytes, plural } from '../../../base/text.ts';
import { type Ref, type Repository, refspecOf } from '../../../ostree/index.ts';
import type { CommitFacts } from './commit-facts.ts';
import { type DeltaFacts, deltaTable } from './delta-list.ts';
import { type Content, type Html, html } from './html.ts';
import { commitLink, formatTime, layout, pager, type Slice } from './layout.ts';
import { pullCommands } from './pull-commands.ts';
import { signatureTag } from './signature-words.ts';

export interface FrontPage {
  readonly repository: Repository;
  readonly origin: string;
  readonly refs: Slice<Ref> & { readonly total: number };
  /** Of the refs that are shown, in their order; an error code where one could not be read. */
  readonly heads: readonly (CommitFacts | string)[];
  /** The first of them. */
  readonly deltas: readonly DeltaFacts[];
  readonly deltaCount: number;
}

export function frontPage(page: FrontPage): string {
  const { origin, refs, heads, deltas, deltaCount } = page;
  const { shown } = refs;
  const [head] = heads;
  const main = shown[0];
  const trail = html`<h1>OSTree repository</h1>
<p class="mono">${origin}/repo/</p>
<p class="dim">${plural(refs.total, 'ref')}, ${plural(deltaCount, 'static delta')}, ${summaryWords(page.repository)}</p>`;
  const content: Content = [
    html`<h2>Refs</h2>\n`,
    shown.length === 0 ? html`<p>There are no refs yet.</p>` : shown.map((ref, i) => refCard(ref, heads[i])),
    pager(refs.page, refs.pages),
    html`<h2>Pull from here</h2>\n`,
    pullCommands(origin, main === undefined ? 'REF' : main.ref, typeof head === 'object' ? head : undefined),
    html`<h2>Static deltas</h2>\n`,
    deltaCount === 0
      ? html`<p class="dim">None. Clients fetch objects one by one.</p>`
      : html`${deltaTable(deltas)}${deltaCount > deltas.length ? html`<p><a href="/deltas">all ${deltaCount} deltas</a></p>` : undefined}`,
  ];
  return layout({ title: 'OSTree repository', trail, content });
}

function refCard(ref: Ref, facts: CommitFacts | string | undefined): Html {
  const { place, commit, alias } = ref;
  const name = place.kind === 'mirror' ? `${place.collection}: ${ref.ref}` : refspecOf(ref);
  const title = html`<h3>${name}${alias === undefined ? undefined : html` <span class="dim">alias of ${alias}</span>`}</h3>`;
  if (typeof facts !== 'object') {
    return html`<article class="card">${title}<p class="dim">commit ${commitLink(commit)}: ${facts ?? 'not in this repository'}</p></article>\n`;
  }
  return html`<article class="card">${title}${commitLines(facts)}</article>\n`;
}

/** Subject, then what else there is to know in a line or two. */
export function commitLines(facts: CommitFacts): Html {
  const { commit, version, sizes, signatures, checksum } = facts;
  return html`<p>${commit.subject === '' ? html`<span class="dim">no subject</span>` : shorten(commit.subject)}</p>
<div class="facts">${version === undefined ? undefined : html`<span>version ${shorten(version)}</span>`}<span>${formatTime(commit.timestamp)}</span>${commitLink(checksum)}${sizes && html`<span>${formatBytes(sizes.archived)} to fetch</span>`}<a href="/browse/${checksum}/">files</a></div>
<p>${signatureTag(signatures)}</p>`;
}

/** Subjects of a list; the page of the commit has all of it. */
const SUBJECT = 200;

function shorten(text: string): string {
  const characters = [...text.slice(0, SUBJECT * 2)];
  return characters.length > SUBJECT ? `${characters.slice(0, SUBJECT).join('')}…` : text;
}

function summaryWords({ directory }: Repository): string {
  if (!isThere(() => directory.lstat('summary')?.isFile())) return 'no summary';
  return isThere(() => directory.lstat('summary.sig')?.isFile()) ? 'summary with signatures' : 'summary, not signed';
}

function isThere(look: () => boolean | undefined): boolean {
  try {
    return look() === true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
