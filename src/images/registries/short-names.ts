/** What a name without a host may mean (containers-registries.conf(5), short-name aliasing). */
import { quote } from '../../base/text.ts';
import { formatNamed, type NamedReference, parseNamed } from '../../oci/index.ts';
import { ImagesError } from '../error.ts';
import type { RegistriesConf } from './load.ts';

export interface ResolvedName {
  /** At least one, to be tried in this order. */
  readonly candidates: readonly NamedReference[];
  /** The name was in full, an alias or the list of registries was used, or Docker's own registry was taken. */
  readonly by: 'name' | 'alias' | 'search' | 'docker';
}

type ShortNames = Pick<RegistriesConf, 'aliases' | 'unqualifiedSearch' | 'shortNameMode'>;

/**
 * Nobody is asked: where the mode is `enforcing` and several registries are searched, the name is refused.
 * Without aliases and without registries to search, a short name is one of docker.io, as Docker has it.
 * @throws ImagesError SHORT_NAME; OciError BAD_REFERENCE, INVALID_DIGEST
 */
export function resolveShortName(
  { aliases, unqualifiedSearch, shortNameMode }: ShortNames,
  text: string,
): ResolvedName {
  const full = parseNamed(text);
  if (!isShortName(text)) return { candidates: [full], by: 'name' };
  const short = parseNamed(`localhost/${text}`); // tag and digest taken off, and nothing put before the name
  const meaning = (name: string): NamedReference => {
    const { domain, path } = parseNamed(name);
    return { ...short, domain, path };
  };
  const alias = aliases.get(short.path);
  if (alias !== undefined) return { candidates: [meaning(alias)], by: 'alias' };
  if (unqualifiedSearch.length === 0) return { candidates: [full], by: 'docker' };
  const candidates = unqualifiedSearch.map((host) => meaning(`${host}/${short.path}`));
  if (shortNameMode === 'enforcing' && candidates.length > 1) throw ambiguous(text, candidates);
  return { candidates, by: 'search' };
}

/** As in every reference: a host has a dot, a port or an upper-case letter, or is `localhost`. */
export function isShortName(text: string): boolean {
  const [name = ''] = text.split('@');
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  return slash < 0 || !(/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
}

function ambiguous(text: string, candidates: readonly NamedReference[]): ImagesError {
  const list = candidates.map(formatNamed).join(', ');
  return new ImagesError('SHORT_NAME', `short name ${quote(text)}: may be any of ${list}`, {
    subject: text,
    hint: 'write the name in full, or give it an alias in registries.conf',
  });
}
