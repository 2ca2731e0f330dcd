/** Where the image of a name is really fetched, and whether it may be. */
import { printable, quote } from '../../base/text.ts';
import { formatNamed, type NamedReference, parseNamed } from '../../oci/index.ts';
import { ImagesError } from '../error.ts';
import type { RegistryRule } from './conf-file.ts';
import type { RegistriesConf } from './load.ts';
import { badConf } from './table.ts';

export interface RegistryEndpoint {
  /** The name there; tag and digest are those of the name that was asked for. */
  readonly reference: NamedReference;
  /** Any certificate is taken, and plain http where there is no TLS. */
  readonly insecure: boolean;
  readonly isMirror: boolean;
}

export interface ResolvedRegistry {
  /** No traffic with it at all. See `registryBlocked`. */
  readonly blocked: boolean;
  /** Of the place itself: what holds for pushing, which knows no mirrors and no other location. */
  readonly insecure: boolean;
  /** To be tried in this order when reading; the last is the place itself. */
  readonly endpoints: readonly RegistryEndpoint[];
  /** The rule that was applied. */
  readonly rule: RegistryRule | undefined;
}

/** @throws ImagesError BAD_REGISTRIES_CONF when a rule makes of the name what is none */
export function resolveRegistry({ rules }: Pick<RegistriesConf, 'rules'>, reference: NamedReference): ResolvedRegistry {
  const text = formatNamed(reference);
  const rule = bestRule(rules, text);
  if (rule === undefined) {
    return { blocked: false, insecure: false, endpoints: [{ reference, insecure: false, isMirror: false }], rule };
  }
  const { blocked, insecure, location } = rule;
  const use = reference.digest === undefined ? 'tag-only' : 'digest-only';
  const mirrors = rule.mirrors.filter(({ pullFromMirror }) => pullFromMirror === 'all' || pullFromMirror === use);
  const endpoint = (at: string, isInsecure: boolean, isMirror: boolean): RegistryEndpoint => ({
    reference: rewritten(reference, text, rule, at),
    insecure: isInsecure,
    isMirror,
  });
  const endpoints = blocked
    ? []
    : [
        ...mirrors.map((mirror) => endpoint(mirror.location, mirror.insecure, true)),
        endpoint(location, insecure, false),
      ];
  return { blocked, insecure, endpoints, rule };
}

/** What to tell about a registry that is blocked. */
export function registryBlocked(reference: NamedReference, { rule }: ResolvedRegistry): ImagesError {
  const name = formatNamed(reference);
  const by = rule === undefined ? '' : ` by ${quote(rule.prefix)} in ${printable(rule.file)}`;
  return new ImagesError('REGISTRY_BLOCKED', `${printable(name)}: the registry is blocked${by}`, { subject: name });
}

/** By the whole name, as the manual has it: skopeo 1.9 passes over prefixes with a tag, so a block of one tag has no effect. */
function bestRule(rules: readonly RegistryRule[], text: string): RegistryRule | undefined {
  return rules
    .filter(({ prefix }) => matchedLength(prefix, text) !== undefined)
    .reduce<RegistryRule | undefined>(
      (best, rule) => (best === undefined || rule.prefix.length > best.prefix.length ? rule : best),
      undefined,
    );
}

/**
 * How much of a full name a prefix stands for; undefined when it is for others. A host without a port stands for all of
 * its ports: the tools have it so, and what is blocked there shall be blocked here.
 */
function matchedLength(prefix: string, text: string): number | undefined {
  const length = prefix.startsWith('*.') ? wildcardLength(prefix, text) : prefix.length;
  const begins = prefix.startsWith('*.') || text.startsWith(prefix);
  if (length === undefined || !begins) return undefined;
  return length === text.length || ':/@'.includes(text.charAt(length)) ? length : undefined;
}

/** `*.example.com` is for any number of labels before it, and for no path; the host in front counts as matched. */
function wildcardLength(prefix: string, text: string): number | undefined {
  const [host = ''] = /^[^/:@]*/.exec(text) ?? [];
  const domain = prefix.slice(1);
  return host.length > domain.length && host.endsWith(domain) ? host.length : undefined;
}

function rewritten(reference: NamedReference, text: string, rule: RegistryRule, location: string): NamedReference {
  if (location === '') return reference;
  const rest = text.slice(matchedLength(rule.prefix, text));
  try {
    return parseNamed(`${location}${rest}`);
  } catch (cause) {
    throw badConf(rule.file, `${quote(rule.prefix)} makes ${quote(`${location}${rest}`)} of ${quote(text)}`, cause);
  }
}
