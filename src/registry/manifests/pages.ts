/** Lists that come in pages: `Link: <...>; rel="next"` (RFC 8288). */
import type { HttpResponse } from '../../http/index.ts';
import { nonsense } from '../error.ts';
import type { Ask, Session } from '../session/session.ts';

const PAGE_LIMIT = 4 * 2 ** 20;
/** A registry with more is not one: 1000 tags a page, and a page takes a request. */
const PAGES = 1000;
/** Of all pages: a million tags, or ten thousand referrers with what they say of themselves. */
const TOTAL_LIMIT = 64 * 2 ** 20;

/** One answer after the other, all of them from the registry itself. @param read takes an answer; false ends the list */
export async function readPages(
  session: Session,
  ask: Ask,
  read: (page: HttpResponse) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const asked = session.asked(ask.what);
  const seen = new Set<string>();
  let total = 0;
  let at = await session.urlOf(ask.at, signal);
  for (;;) {
    if (seen.has(at.href) || seen.size >= PAGES) throw nonsense(asked, 'a list with an end', 'pages without one');
    seen.add(at.href);
    const response = await session.ask({ ...ask, at, limit: PAGE_LIMIT }, signal);
    total += response.bytes.length;
    if (total > TOTAL_LIMIT) throw nonsense(asked, `a list of at most ${TOTAL_LIMIT} bytes`, 'more');
    if (!read(response)) return;
    const next = nextPage(response.headers.get('link'));
    if (next === undefined) return;
    const url = URL.canParse(next, at.href) ? new URL(next, at) : undefined;
    if (url?.origin !== at.origin) throw nonsense(asked, 'the next page on the same server', 'another address');
    at = url;
  }
}

/** The target of `rel=next`, if there is one. */
export function nextPage(header: string | undefined): string | undefined {
  for (const [, target, parameters = ''] of (header ?? '').slice(0, 8192).matchAll(/<([^<>]*)>([^<]*)/g)) {
    if (/;\s*rel\s*=\s*(?:next\b|"(?:[^"]*\s)?next(?:\s[^"]*)?")/i.test(parameters)) return target;
  }
  return undefined;
}
