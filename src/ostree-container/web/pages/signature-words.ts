/** What is said about signatures. */
import { describeReport, type SignatureReport } from '../../../ostree/index.ts';
import type { Signatures } from './commit-facts.ts';
import { type Html, html } from './html.ts';

/** One tag for a list: the best that can be said, and never better than it is. */
export function signatureTag(signatures: Signatures): Html {
  if (signatures.kind === 'not-examined') return tag('plain', `signatures not examined: ${signatures.why}`);
  const { reports } = signatures;
  const [first] = reports;
  if (first === undefined) return tag('plain', 'not signed');
  const good = reports.find(({ status }) => status === 'good');
  if (good !== undefined) return tag('good', `signed by ${signerOf(good)}`);
  const worse = reports.find(({ status }) => status !== 'unknown-key');
  if (worse !== undefined) return tag('bad', `${WORDS[worse.status] ?? worse.status}: ${signerOf(worse)}`);
  return tag('', `signed by ${signerOf(first)}, not verified`);
}

/** Each signature in a sentence. */
export function signatureList(signatures: Signatures): Html {
  if (signatures.kind === 'not-examined') return html`<p>Not examined: ${signatures.why}.</p>`;
  const shown = signatures.reports.slice(0, SHOWN);
  if (shown.length === 0) return html`<p>Not signed.</p>`;
  const more = signatures.reports.length - shown.length;
  return html`<ul>${shown.map((report) => html`<li>${describeReport(report)}</li>`)}
${more > 0 ? html`<li>and ${more} more</li>` : undefined}</ul>`;
}

const SHOWN = 20;
const WORDS: Readonly<Record<string, string>> = {
  bad: 'bad signature',
  'expired-key': 'signed by an expired key',
  'expired-signature': 'expired signature',
  'revoked-key': 'signed by a revoked key',
  unusable: 'unusable signature',
};

function signerOf({ userId, key, keyId }: SignatureReport): string {
  const name = keyId ?? key ?? 'a key without a name';
  return userId === undefined ? name : `${userId} (${name})`;
}

function tag(kind: string, text: string): Html {
  return html`<span class="tag ${kind}">${text}</span>`;
}
