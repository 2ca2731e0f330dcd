/** What to type on a client, word for word. */
import type { IncomingHttpHeaders } from 'node:http';
import type { CommitFacts } from './commit-facts.ts';
import { type Html, html } from './html.ts';

/** The address that the client itself used, as far as it is one: a Host header is foreign text. */
export function originOf(headers: IncomingHttpHeaders): string {
  const { host = '' } = headers;
  const isHost =
    host.length <= 260 && /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(:[0-9]{1,5})?$/.test(host);
  const scheme = headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';
  return `${scheme}://${isHost ? host : 'HOST'}`;
}

/** @param head what the ref points to; undefined: nothing can be said about signatures */
export function pullCommands(origin: string, ref: string, head: CommitFacts | undefined): Html {
  const { option, remark } = trustOf(head);
  const words = (program: string): string =>
    `${program} remote add \\\n  --repo=REPO \\\n  ${option} \\\n  origin ${origin}/repo/\n${program} pull \\\n  --repo=REPO \\\n  origin ${ref}\n`;
  return html`<p>REPO is a repository of yours. With <code>ostree-container</code>:</p>
<pre>ostree-container repo init --repo=REPO
${words('ostree-container repo')}</pre>
<p>With the program <code>ostree</code>:</p>
<pre>ostree init --repo=REPO
${words('ostree')}</pre>
<p class="dim">${remark}</p>`;
}

interface Trust {
  readonly option: string;
  readonly remark: string;
}

function trustOf(head: CommitFacts | undefined): Trust {
  const reports = head?.signatures.kind === 'reports' ? head.signatures.reports : [];
  const kinds = new Set(reports.map(({ kind }) => kind));
  if (kinds.has('gpg')) {
    return {
      option: '--gpg-import=KEY.asc',
      remark:
        'KEY.asc is the public key of the publisher. Do not take it from this server: get it where you have reason to believe that it is theirs.',
    };
  }
  const [raw] = kinds;
  if (raw !== undefined) {
    return {
      option: `--no-gpg-verify \\\n  --sign-verify=${raw}=inline:PUBLICKEY`,
      remark:
        'PUBLICKEY is the public key of the publisher. Do not take it from this server: get it where you have reason to believe that it is theirs.',
    };
  }
  return {
    option: '--no-gpg-verify',
    remark: 'The commits are not signed: nothing but the connection to this server vouches for them.',
  };
}
