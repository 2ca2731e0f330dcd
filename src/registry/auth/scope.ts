/** What a token is for: `repository:NAME:pull,push`, as the token specification of Docker's registry writes it. */

export type Action = 'pull' | 'push' | 'delete';

/** `type:name` to actions. */
export type Scopes = ReadonlyMap<string, ReadonlySet<string>>;

/** More than this in one challenge is not a scope but an attempt to fill something. */
const LIMIT = 2048;

export function repositoryScope(name: string, ...actions: readonly Action[]): Scopes {
  return new Map([[`repository:${name}`, new Set(actions)]]);
}

/** Several scopes with spaces between them; what is none is left out: we then ask for what we need ourselves. */
export function parseScopes(text: string | undefined): Scopes {
  const words = text === undefined || text.length > LIMIT ? [] : text.split(' ');
  const parsed = words.flatMap((word) => {
    const [, resource, actions] = /^([a-z]+(?:\([a-z]+\))?:[\x21-\x7e]+):([a-z,*]+)$/.exec(word) ?? [];
    return resource === undefined || actions === undefined ? [] : [new Map([[resource, new Set(actions.split(','))]])];
  });
  return mergeScopes(...parsed);
}

export function mergeScopes(...all: readonly Scopes[]): Scopes {
  const merged = new Map<string, Set<string>>();
  for (const [resource, actions] of all.flatMap((scopes) => [...scopes])) {
    merged.set(resource, new Set([...(merged.get(resource) ?? []), ...actions]));
  }
  return merged;
}

/** One text for each resource, always the same for the same scopes. */
export function formatScopes(scopes: Scopes): readonly string[] {
  return [...scopes].map(([resource, actions]) => `${resource}:${[...actions].sort().join(',')}`).sort();
}

/** Does a token for `held` do for `wanted`? */
export function covers(held: Scopes, wanted: Scopes): boolean {
  return [...wanted].every(([resource, actions]) => {
    const granted = held.get(resource);
    return granted !== undefined && (granted.has('*') || [...actions].every((action) => granted.has(action)));
  });
}
