/** A service under `systemctl`, step by step, each with the words as they stand in the log. */

export interface ServiceControl {
  /** `systemctl --user enable kvd`: a call as people write it. */
  line(...words: readonly string[]): string;
  daemonReload(signal: AbortSignal): Promise<void>;
  enable(unit: string, signal: AbortSignal): Promise<void>;
  /** `--now disable UNIT`: stops it, too. */
  disableNow(unit: string, signal: AbortSignal): Promise<void>;
  start(unit: string, signal: AbortSignal): Promise<void>;
  stop(unit: string, signal: AbortSignal): Promise<void>;
  resetFailed(unit: string, signal: AbortSignal): Promise<void>;
  /** The word that `is-active` prints: `active`, `inactive`, `failed`, `activating` ...; `unknown` without a manager. */
  activeState(unit: string, signal: AbortSignal): Promise<string>;
  /** The word that `is-enabled` prints: `enabled`, `disabled`, `static` ...; '' when the unit does not exist. */
  enabledState(unit: string, signal: AbortSignal): Promise<string>;
  /**
   * Undefined when the unit is active and stays so for `graceMs`, else what is wrong. Automatic restarts count as wrong
   * where `systemctl show` tells of them.
   */
  watch(unit: string, graceMs: number, signal: AbortSignal): Promise<string | undefined>;
}

/** `systemd-tmpfiles` on one fragment. */
export interface TmpfilesControl {
  line(...words: readonly string[]): string;
  create(fragment: string, signal: AbortSignal): Promise<void>;
  remove(fragment: string, signal: AbortSignal): Promise<void>;
}
