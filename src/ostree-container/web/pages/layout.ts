/** What all pages look like. */
import { type Content, type Html, html } from './html.ts';

const STYLE = html`
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#59636e;--line:#d6dbe1;--card:#fff;--ground:#f5f6f8;--link:#0a5bb5;--good:#14692f;--goodbg:#dff3e4;--warn:#7a4b00;--warnbg:#fdf0d2;--bad:#a1161c;--badbg:#fde2e2}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ec;--dim:#9aa5b1;--line:#343b44;--card:#1c2127;--ground:#13171b;--link:#7ab7ff;--good:#8fe0a5;--goodbg:#143321;--warn:#f0c97a;--warnbg:#3a2c0c;--bad:#ff9a9a;--badbg:#431819}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main,header,footer{max-width:60rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.25rem}
h1{font-size:1.5rem;line-height:1.25;margin:.25rem 0}
h2{font-size:1.1rem;margin:1.75rem 0 .5rem}
p{margin:.4rem 0}
a{color:var(--link)}
.dim,footer{color:var(--dim);font-size:.9rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem;margin:.5rem 0}
.card h3{font-size:1.05rem;margin:0}
.facts{display:flex;flex-wrap:wrap;gap:.1rem 1rem;margin-top:.25rem}
.tag{display:inline-block;border-radius:1rem;padding:0 .6rem;font-size:.85rem;background:var(--warnbg);color:var(--warn)}
.good{background:var(--goodbg);color:var(--good)}
.bad{background:var(--badbg);color:var(--bad)}
.plain{background:var(--ground);color:var(--dim);border:1px solid var(--line)}
code,pre,.mono{font-family:ui-monospace,monospace;font-size:.875rem}
pre{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem;margin:.5rem 0;white-space:pre;overflow-x:auto}
.text{white-space:pre-wrap}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:0}
dt{color:var(--dim)}
dd{margin:0;min-width:0}
table{border-collapse:collapse;width:100%;background:var(--card);border:1px solid var(--line)}
td,th{padding:.4rem .75rem;border-top:1px solid var(--line);text-align:left;vertical-align:top}
th{color:var(--dim);font-weight:400;font-size:.9rem}
.num,.wide{width:1%;white-space:nowrap}
.num{text-align:right}
nav{margin:.75rem 0;display:flex;gap:1rem;flex-wrap:wrap}
footer{padding:1.5rem 1rem 2rem}
@media(max-width:40rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}.wide{display:none}td,th{padding:.5rem}}
`;

export interface Page {
  readonly title: string;
  /** Where this page stands. */
  readonly trail: Content;
  readonly content: Content;
}

export function layout({ title, trail, content }: Page): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<header>${trail}</header>
<main>
${content}
</main>
<footer>Served by ostree-container. What this page says about signatures is what this server found: clients verify for themselves.</footer>
</body>
</html>
`.markup;
}

/** Links to the pages before and after; nothing when all is on one. */
export function pager(page: number, pages: number): Html | undefined {
  if (pages <= 1) return undefined;
  return html`<nav aria-label="pages">${page > 1 ? html`<a href="?page=${page - 1}">previous</a>` : undefined}
<span class="dim">page ${page} of ${pages}</span>
${page < pages ? html`<a href="?page=${page + 1}">next</a>` : undefined}</nav>`;
}

export interface Slice<T> {
  readonly shown: readonly T[];
  readonly page: number;
  readonly pages: number;
}

/** Undefined when there is no such page; the first one is always there. */
export function sliceOf<T>(all: readonly T[], page: number, perPage: number): Slice<T> | undefined {
  const pages = Math.max(1, Math.ceil(all.length / perPage));
  return page > pages ? undefined : { shown: all.slice((page - 1) * perPage, page * perPage), page, pages };
}

/** Enough to tell commits apart by eye. */
export function short(checksum: string): string {
  return `${checksum.slice(0, 12)}…`;
}

export function commitLink(checksum: string, text = short(checksum)): Html {
  return html`<a class="mono" href="/commit/${checksum}">${text}</a>`;
}

/** GLib knows no time after the year 9999. */
const LAST_SECOND = 253_402_300_799;

/** `2026-11-21 02:58 UTC`; a time that no calendar has as the number it is. */
export function formatTime(seconds: number): string {
  if (seconds > LAST_SECOND) return `@${seconds}`;
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
