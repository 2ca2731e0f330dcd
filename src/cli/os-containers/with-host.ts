/** The host, its settings and its repository for the time of one command, from the options that every command has. */
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Repository } from '../../ostree/index.ts';
import type * as Containers from '../../system-containers/index.ts';
import type { ActionLog, Host, Places, Settings } from '../../system-containers/index.ts';
import { UsageError } from '../arguments.ts';
import type { Output } from '../output.ts';
import { type Context, command } from '../program.ts';
import { type LockValues, lockOption, lockWait } from '../shared-options.ts';

/** Values of the options that every command of this program has. */
export interface HostValues extends LockValues {
  readonly runtime?: string;
  readonly repo?: string;
  readonly checkouts?: string;
  readonly root?: string;
  readonly offline?: true;
}

/** What a command gets beside its own words. */
export interface HostContext extends Context {
  /** The domain, loaded. */
  readonly containers: typeof Containers;
  readonly host: Host;
  readonly settings: Settings;
  /** `--runtime`, else RUNTIME of the environment, else of the settings; undefined: nobody has asked for one. */
  readonly namedRuntime: string | undefined;
  /** The runtime for something new. @throws CodedError RUNTIME_MISSING */
  runtimePath(): string;
  /** Opened once and closed when the command ends. @param create make it when it is missing */
  openRepository(create?: boolean): Repository;
}

/** @param work its exit status */
export function hostCommand<Values extends object>(
  shape: Command,
  examples: readonly string[],
  work: (values: Values & HostValues, args: readonly string[], context: HostContext) => Promise<number>,
): Command {
  return command<Values & HostValues>(hostOptions(shape), examples, async () => {
    const containers = await import('../../system-containers/index.ts');
    const { serviceControl, tmpfilesControl } = await import('../../systemd/index.ts');
    const { openRuntime, findRuntime } = await import('../../runtime/index.ts');
    return async (values, args, context) => {
      const { env, uid, gid, home } = caller();
      const root = rootOf(values);
      const settings = containers.readSettings(settingsFile({ env, uid, home, root }));
      for (const warning of settings.warnings) context.output.warning(warning);
      const { repo, checkouts } = absolutePaths(values);
      const places = containers.resolvePlaces({ env, uid, gid, home, repo, checkouts, root, settings });
      if (places.scope === 'user' && values.offline === true) {
        throw new UsageError('--offline is for root', 'systemctl enables units of users on the running host alone');
      }
      const control = { user: places.scope === 'user', ...(values.offline === true ? { offlineRoot: root } : {}) };
      const lock = lockWait(values, context, 'container');
      const host: Host = {
        places,
        services: serviceControl(control),
        tmpfiles: tmpfilesControl(control),
        runtime: openRuntime,
        log: actionLog(context.output),
        progress: context.progress.emit,
        now: Date.now,
        env,
        lockTimeoutMs: lock.timeoutMs,
        signal: context.signal,
      };
      const namedRuntime = values.runtime ?? (env['RUNTIME'] || undefined) ?? settings.runtime;
      const repositories = openOnce((create) => containers.openStorage(places, { create }));
      try {
        return await work(values, args, {
          ...context,
          containers,
          host,
          settings,
          namedRuntime,
          runtimePath: () => findRuntime({ named: namedRuntime, env }),
          openRepository: repositories.open,
        });
      } finally {
        repositories.close();
      }
    };
  });
}

function hostOptions(shape: Command): Command {
  return lockOption(
    shape
      .option('--runtime <path>', 'OCI runtime (default: $RUNTIME, the settings, /usr/bin/runc, crun or runc in PATH)')
      .option('--repo <directory>', 'repository of the images (default: $OSTREE_REPO, the settings)')
      .option('--checkouts <directory>', 'where deployments lie (default: $OS_CONTAINERS_CHECKOUT_PATH, the settings)')
      .option('--root <directory>', 'work on the host whose root is mounted here')
      .option('--offline', 'with --root: the host is not running; nothing is reloaded, started or stopped'),
  );
}

function caller() {
  const env = process.env;
  return {
    env,
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    home: env['HOME'] || homedir(),
  };
}

/** Absolute, without a slash at its end; '' for the host itself. @throws UsageError */
function rootOf({ root, offline }: HostValues): string {
  if (root === undefined && offline === true) {
    throw new UsageError('--offline needs --root', 'the host that this program runs on is running');
  }
  if (root === '') throw new UsageError('--root: expected a directory');
  const path = root === undefined ? '' : resolve(root);
  return path === '/' ? '' : path;
}

function absolutePaths({ repo, checkouts }: HostValues) {
  return {
    repo: repo === undefined || isAbsolute(repo) ? repo : resolve(repo),
    checkouts: checkouts === undefined || isAbsolute(checkouts) ? checkouts : resolve(checkouts),
  };
}

function settingsFile(caller: Pick<Places, 'uid' | 'root'> & { env: NodeJS.ProcessEnv; home: string }): string {
  const { env, uid, home, root } = caller;
  if (uid === 0) return `${root}/etc/os-containers.conf`;
  return join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'os-containers.conf');
}

function actionLog(output: Output): ActionLog {
  return {
    action: (line) => output.info(line),
    detail: (line) => output.detail(line),
    warning: (line) => output.warning(line),
  };
}

/** A repository that is opened when it is first wanted. */
function openOnce(open: (create: boolean) => Repository) {
  let repository: Repository | undefined;
  return {
    open(create = false): Repository {
      repository ??= open(create);
      return repository;
    },
    close: () => repository?.close(),
  };
}
