/**
 * The host that containers are installed on: where things lie, systemd, runtimes, and what is said about all that.
 * One for a command; the command line wires the real one, tests make their own.
 */
import type { Progress } from '../base/progress.ts';
import type { RuntimeControl } from '../runtime/index.ts';
import type { ServiceControl, TmpfilesControl } from '../systemd/index.ts';
import type { Places } from './places/places.ts';

export interface Host {
  readonly places: Places;
  readonly services: ServiceControl;
  readonly tmpfiles: TmpfilesControl;
  /** @param path of the program; nothing is looked at before it is used */
  runtime(path: string): RuntimeControl;
  readonly log: ActionLog;
  readonly progress: Progress;
  /** Milliseconds since the epoch. */
  now(): number;
  readonly env: NodeJS.ProcessEnv;
  /** For locks of containers and of the repository. */
  readonly lockTimeoutMs: number;
  readonly signal: AbortSignal;
}

/** What an administrator sees of the work; lines are without date and without full stop. */
export interface ActionLog {
  /** Something that was done to the host: `copied /etc/etcd/etcd.conf`, `systemctl enable etcd`. */
  action(line: string): void;
  /** Only with `--verbose`. */
  detail(line: string): void;
  /** Something to look at, though the work goes on. */
  warning(line: string): void;
}
