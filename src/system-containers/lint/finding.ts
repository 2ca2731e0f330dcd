/** Something that the linter has to say about an image. */
import { codeOf, explain } from '../../base/error.ts';

/** `error`: it cannot be installed, or will not run; `warning`: not what its author wants; `hint`: it could be better. */
export type Severity = 'error' | 'warning' | 'hint';

export interface Finding {
  readonly severity: Severity;
  /** Stable, lower case with dashes: `root-writable`. */
  readonly rule: string;
  /** In the image, with a slash in front; undefined: the image as a whole. */
  readonly file: string | undefined;
  /** From 1 on. */
  readonly line: number | undefined;
  readonly message: string;
}

/** Where a finding is. */
export interface Place {
  /** As in `CONTRACT`. */
  readonly file: string;
  readonly line?: number | undefined;
}

export function finding(severity: Severity, rule: string, message: string, place?: Place): Finding {
  return { severity, rule, file: place && `/${place.file}`, line: place?.line, message };
}

/** What is wrong with the image, said by the code that would install it; other errors are not about the image. */
export function refusal(rule: string, file: string, error: unknown): Finding {
  if (codeOf(error) === undefined) throw error;
  const line = typeof error === 'object' && error !== null && 'line' in error ? error.line : undefined;
  return finding('error', rule, explain(error), { file, line: typeof line === 'number' ? line : undefined });
}

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'hint'];

/** The worst first, then by their places. */
export function compareFindings(a: Finding, b: Finding): number {
  const bySeverity = SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);
  if (bySeverity !== 0) return bySeverity;
  const key = ({ file, line, rule }: Finding): string =>
    `${file ?? ''}\0${String(line ?? 0).padStart(9, '0')}\0${rule}`;
  return key(a) < key(b) ? -1 : Number(key(a) > key(b));
}
