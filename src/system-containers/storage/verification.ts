/** What vouched for an image, as text in its commit; the same shape stands in the `info` of deployments. */
import type { Verification } from '../deployment/info.ts';

/** The weakest first. */
const LEVELS: readonly Verification['level'][] = ['none', 'transport', 'digest', 'signed'];

export function formatVerification({ level, scope, keys }: Verification): string {
  return JSON.stringify({ level, scope: scope ?? null, keys });
}

/** Undefined for what nobody of us has written: it vouches for nothing. */
export function parseVerification(text: string | undefined): Verification | undefined {
  const value = text === undefined ? undefined : parsed(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const { level, scope, keys } = value as { readonly [key: string]: unknown };
  const known = LEVELS.find((each) => each === level);
  if (known === undefined || !Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) return undefined;
  return { level: known, scope: typeof scope === 'string' ? scope : undefined, keys };
}

/** Does the first vouch for less? */
export function isWeaker(a: Pick<Verification, 'level'>, b: Pick<Verification, 'level'>): boolean {
  return LEVELS.indexOf(a.level) < LEVELS.indexOf(b.level);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
