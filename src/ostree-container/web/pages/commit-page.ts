/** `/commit/CHECKSUM`: everything about one commit. */
import { formatBytes, plural } from '../../../base/text.ts';
import { contentChecksum, type Ref, refspecOf } from '../../../ostree/index.ts';
import type { CommitFacts } from './commit-facts.ts';
import { type DeltaFacts, deltaTable } from './delta-list.ts';
import { commitLines } from './front-page.ts';
import { type Content, type Html, html } from './html.ts';
import { commitLink, formatTime, layout } from './layout.ts';
import { pullCommands } from './pull-commands.ts';
import { signatureList } from './signature-words.ts';

export interface CommitPage {
  readonly origin: string;
  readonly facts: CommitFacts;
  /** That point here. */
  readonly refs: readonly Ref[];
  /** That lead here or begin here. */
  readonly deltas: readonly DeltaFacts[];
  /** The nearest ancestors that are here. */
  readonly ancestors: readonly CommitFacts[];
  /** Its tree is not all here. */
  readonly isPartial: boolean;
}

/** A body longer than this is cut. */
const BODY = 10_000;

export function commitPage(page: CommitPage): string {
  const { facts, refs, deltas, ancestors, origin } = page;
  const { commit, checksum } = facts;
  const trail = html`<p><a href="/">Repository</a></p><h1>${commit.subject === '' ? 'Commit without a subject' : commit.subject.slice(0, BODY)}</h1>`;
  const content: Content = [
    page.isPartial ? html`<p><span class="tag">partial: not all of its objects are here</span></p>` : undefined,
    commit.body === '' ? undefined : html`<pre class="text">${commit.body.slice(0, BODY)}</pre>`,
    html`<div class="card">${factList(page)}</div>`,
    html`<p><a href="/browse/${checksum}/">Browse its files</a></p>`,
    html`<h2>Signatures</h2>${signatureList(facts.signatures)}`,
    html`<h2>Pull it</h2>${pullCommands(origin, refs[0]?.ref ?? checksum, facts)}`,
    deltas.length === 0 ? undefined : html`<h2>Static deltas</h2>${deltaTable(deltas)}`,
    ancestors.length === 0
      ? undefined
      : html`<h2>Before it</h2>${ancestors.map((each) => html`<article class="card">${commitLines(each)}</article>`)}`,
  ];
  return layout({ title: `Commit ${checksum.slice(0, 12)}`, trail, content });
}

function factList({ facts, refs }: CommitPage): Html {
  const { commit, version, sizes, checksum } = facts;
  const rows: readonly (readonly [string, Content])[] = [
    ['commit', html`<code>${checksum}</code>`],
    ['refs', refs.length === 0 ? 'none' : refs.map(refspecOf).join(', ')],
    ['version', version],
    ['date', formatTime(commit.timestamp)],
    [
      'size',
      sizes &&
        `${plural(sizes.objects, 'object')}, ${formatBytes(sizes.archived)} to fetch, ${formatBytes(sizes.unpacked)} unpacked`,
    ],
    ['parent', commit.parent && commitLink(commit.parent, commit.parent)],
    ['content', html`<code>${contentChecksum(commit)}</code>`],
  ];
  return html`<dl>${rows.flatMap(([name, value]) => (value === undefined ? [] : [html`<dt>${name}</dt><dd>${value}</dd>`]))}</dl>`;
}
