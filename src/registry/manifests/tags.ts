import { decodeUtf8 } from '../../base/decode.ts';
import { quote } from '../../base/text.ts';
import { isTag } from '../../oci/index.ts';
import { repositoryScope } from '../auth/scope.ts';
import { type Asked, nonsense } from '../error.ts';
import { field } from '../server-message.ts';
import type { Session } from '../session/session.ts';
import { readPages } from './pages.ts';

const PAGE = 1000;
const TAGS = 1_000_000;

/** In the registry's order, which may be none. */
export async function listTags(session: Session, repository: string, signal: AbortSignal): Promise<readonly string[]> {
  const what = `tags of ${repository}`;
  const asked = session.asked(what);
  const tags: string[] = [];
  const scopes = repositoryScope(repository, 'pull');
  const ask = { what, at: `/v2/${repository}/tags/list?n=${PAGE}`, scopes };
  const read = ({ bytes }: { readonly bytes: Uint8Array }): boolean => {
    for (const tag of parseTags(asked, bytes)) tags.push(tag);
    if (tags.length > TAGS) throw nonsense(asked, `at most ${TAGS} tags`, 'more');
    return true;
  };
  await readPages(session, ask, read, signal);
  return tags;
}

function parseTags(asked: Asked, bytes: Uint8Array): readonly string[] {
  let tags: unknown;
  try {
    tags = field(JSON.parse(decodeUtf8(bytes) ?? ''), 'tags') ?? []; // null of a repository without any
  } catch {
    throw nonsense(asked, 'a list of tags in JSON', 'something else');
  }
  if (!Array.isArray(tags)) throw nonsense(asked, 'a list of tags', 'something else');
  return tags.map((tag: unknown) => {
    if (typeof tag === 'string' && isTag(tag)) return tag;
    throw nonsense(asked, 'a tag', typeof tag === 'string' ? quote(tag, 200) : `a ${typeof tag}`); // it may nest without end
  });
}
