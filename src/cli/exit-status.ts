/** Exit statuses, one table for all programs; `--help` prints the list below. */
import { codeOf } from '../base/error.ts';

export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, temporary: 4, available: 10 } as const;

export const EXIT_HELP = `Exit status:
  0    done, or nothing to do
  1    failed
  2    wrong usage
  3    refused: signature, digest, policy, rollback, unsafe owner or mode, what an image must not do
  4    temporary failure (network, lock held too long): trying later can help
  10   an update is available (with --check)
  130  interrupted (143: terminated), after cleaning up`;

const ONLY_WITH_CHECK = /^ +10 .*\n/m;

/** Of one command. */
export function exitHelpOf(options: readonly { readonly long?: string | undefined }[]): string {
  return options.some(({ long }) => long === '--check') ? EXIT_HELP : EXIT_HELP.replace(ONLY_WITH_CHECK, '');
}

/** Whatever is not listed has failed: 1. */
const STATUS: Readonly<Record<string, number>> = {
  BAD_VALUE: EXIT.usage,
  FORCED_VARIABLE: EXIT.usage,
  LAYER_COUNT: EXIT.usage,
  USAGE: EXIT.usage,

  BINDING_MISMATCH: EXIT.refused,
  OBJECT_CORRUPT: EXIT.refused,
  OBJECT_UNSUITABLE: EXIT.refused,
  OLDER_COMMIT: EXIT.refused,
  INVALID_DIGEST: EXIT.refused,
  INVALID_SIGNATURE: EXIT.refused,
  INVALID_SIZE: EXIT.refused,
  NOT_A_SUPERSET: EXIT.refused,
  OLDER_MANIFEST: EXIT.refused,
  COMMITMETA_MISSING: EXIT.refused,
  COMMIT_LABEL_MISMATCH: EXIT.refused,
  LAYERS_UNSIGNED: EXIT.refused,
  NO_VERIFICATION: EXIT.refused,
  SEED_LIMIT: EXIT.refused,
  SIGNATURE_EXPIRED: EXIT.refused,
  SIGNATURE_INVALID: EXIT.refused,
  SIGNATURE_KEY_MISSING: EXIT.refused,
  SIGNATURE_MISSING: EXIT.refused,
  UNSAFE_LINK: EXIT.refused,
  UNSAFE_OWNER: EXIT.refused,
  NOT_A_DIRECTORY: EXIT.refused,
  NOT_A_REGULAR_FILE: EXIT.refused,
  WEAK_PUBLIC_KEY: EXIT.refused,
  XATTRS_CORRUPT: EXIT.refused,
  HTTP_REDIRECT: EXIT.refused,
  STREAM_LIMIT: EXIT.refused,
  TAR_PATH: EXIT.refused,
  TOO_LARGE: EXIT.refused,

  DIGEST_WOULD_CHANGE: EXIT.refused,
  LAYER_LIMIT: EXIT.refused,
  LAYER_LINK: EXIT.refused,
  POLICY_REJECTED: EXIT.refused,
  REGISTRY_BLOCKED: EXIT.refused,
  REGISTRY_REALM: EXIT.refused,

  NOT_ALLOWED_ON_HOST: EXIT.refused,
  VERIFICATION_WEAKER: EXIT.refused,
  HOST_PATH_REFUSED: EXIT.refused,
  WRITABLE_ROOT: EXIT.refused,

  BUSY: EXIT.temporary,
  HTTP_INTERRUPTED: EXIT.temporary,
  HTTP_STALLED: EXIT.temporary,
  HTTP_UNAVAILABLE: EXIT.temporary,
  HTTP_UNREACHABLE: EXIT.temporary,
  LOCK_TIMEOUT: EXIT.temporary,
  REGISTRY_RATE_LIMITED: EXIT.temporary,
  REGISTRY_UNAVAILABLE: EXIT.temporary,
};

export function statusOf(error: unknown): number {
  if (error instanceof Interrupted) return error.status;
  return STATUS[codeOf(error) ?? ''] ?? EXIT.failed;
}

/** Which of two failures weighs more: refused before failed before temporary before done. */
const GRAVITY: readonly number[] = [EXIT.done, EXIT.available, EXIT.temporary, EXIT.failed, EXIT.usage, EXIT.refused];

export function gravityOf(error: unknown): number {
  return GRAVITY.indexOf(statusOf(error));
}

/** The status of a run that had several subjects. */
export function worstStatus(statuses: readonly number[]): number {
  return statuses.reduce((worst, status) => (GRAVITY.indexOf(status) > GRAVITY.indexOf(worst) ? status : worst), 0);
}

/** The reason of an abort by a signal. */
export class Interrupted extends Error {
  readonly status: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(signal === 'SIGINT' ? 'interrupted' : 'terminated');
    this.name = 'Interrupted';
    this.status = signal === 'SIGINT' ? 130 : 143;
  }
}
