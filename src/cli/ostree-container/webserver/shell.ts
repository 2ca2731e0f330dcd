/** The shell of an image, for who runs it with a terminal and says nothing else. */
import { existsSync } from 'node:fs';
import { array, lookup, string } from '../../../gvariant/index.ts';
import { HEAD, listRefs, objectsOf, type Repository } from '../../../ostree/index.ts';

/** JSON, a list of words: `--cmd` of `build`, written into the environment of the image's configuration. */
export const SHELL_VARIABLE = 'OSTREE_CONTAINER_CMD';
/** Of a commit, type `as`. */
const SHELL_KEY = 'ostree.container-cmd';

/** What was named when the image was built, else what the commit names, else `/bin/sh`; undefined when there is none. */
export function shellOf(env: NodeJS.ProcessEnv, repository: Repository | undefined): readonly string[] | undefined {
  return (
    namedWords(env[SHELL_VARIABLE]) ??
    (repository && committedWords(repository)) ??
    (existsSync('/bin/sh') ? ['/bin/sh'] : undefined)
  );
}

function namedWords(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const isList = Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === 'string');
    return isList ? value : undefined;
  } catch {
    return undefined; // somebody else's variable of that name: as if it were not set
  }
}

function committedWords(repository: Repository): readonly string[] | undefined {
  const head = listRefs(repository).find(({ place }) => place.kind === HEAD.kind);
  if (head === undefined) return undefined;
  const words = lookup(objectsOf(repository).commit(head.commit).metadata, SHELL_KEY, array(string));
  return words === undefined || words.length === 0 ? undefined : words;
}
