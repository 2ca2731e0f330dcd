/** What vouched for an image when it was pulled: in the commit of its branch, and in the `info` of deployments. */
import type { Json } from '../base/json.ts';

/**
 * The weakest first: nothing (`--insecure`, or a policy that accepts anything), the way it came (verified TLS, a local
 * file), its digest in the reference, signatures.
 */
const LEVELS = ['none', 'transport', 'digest', 'signed'] as const;

export interface Verification {
  readonly level: (typeof LEVELS)[number];
  /** Scope of the policy that decided, as it stands in policy.json; undefined: there was no policy. */
  readonly scope: string | undefined;
  /** Keys that vouched, as people know them: fingerprints. */
  readonly keys: readonly string[];
}

export function verificationJson({ level, scope, keys }: Verification): Json {
  return { level, scope: scope ?? null, keys };
}

/** Undefined for what none of us has written: it vouches for nothing. */
export function verificationOf(value: unknown): Verification | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { level, scope, keys } = value as { readonly [key: string]: unknown };
  const known = LEVELS.find((each) => each === level);
  if (known === undefined || !Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) return undefined;
  return { level: known, scope: typeof scope === 'string' && scope !== '' ? scope : undefined, keys };
}

/** Does the first vouch for less? */
export function isWeaker(a: Pick<Verification, 'level'>, b: Pick<Verification, 'level'>): boolean {
  return LEVELS.indexOf(a.level) < LEVELS.indexOf(b.level);
}
