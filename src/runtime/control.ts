/** What is asked of an OCI runtime (runc, crun). Nothing goes through a shell. */

export interface RuntimeControl {
  /** Absolute path of the program. */
  readonly path: string;
  /** Understands `--systemd-cgroup`, and `--pid-file` of `run`; asked once. */
  features(signal: AbortSignal): Promise<RuntimeFeatures>;
  /** The `config.json` that `spec` (with `--rootless`) writes, parsed. @throws CodedError RUNTIME_FAILED */
  defaultConfig(options: { readonly rootless: boolean }, signal: AbortSignal): Promise<unknown>;
  /** `delete --force ID`: a container that does not exist is no error. */
  deleteForce(id: string, signal: AbortSignal): Promise<void>;
  /** `exec [-t] ID COMMAND...` on our own terminal. @returns its exit status; with `detach` 0 as soon as it runs */
  exec(
    id: string,
    command: readonly string[],
    options: { readonly tty: boolean; readonly detach?: boolean } & StartOptions,
    signal: AbortSignal,
  ): Promise<number>;
  /** The same with a time limit and captured output, for checks of health. */
  execCaptured(
    id: string,
    command: readonly string[],
    options: { readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly output: string; readonly timedOut: boolean }>;
  /** `run --bundle DIRECTORY ID` on our own terminal. @returns the exit status of the command */
  run(id: string, bundle: string, options: StartOptions, signal: AbortSignal): Promise<number>;
}

export interface StartOptions {
  /** Where the runtime writes the process id as soon as there is a process; nothing when none could be started. */
  readonly pidFile?: string | undefined;
}

export interface RuntimeFeatures {
  readonly systemdCgroup: boolean;
  readonly pidFile: boolean;
}
