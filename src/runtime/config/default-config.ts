/**
 * The configuration of a container whose image brings none: what the runtime takes for a beginning, and of the image's
 * own configuration what to run, where, as whom and with which environment.
 */
import { quote } from '../../base/text.ts';
import type { ImageConfig } from '../../oci/index.ts';
import { ConfigError } from '../error.ts';
import { changeField, objectsAt, without } from './changes.ts';
import { type RuntimeConfig, readConfig } from './config.ts';
import { type ExactObject, isExactObject } from './exact-json.ts';
import { imageUser, type UserFiles } from './image-user.ts';

/** `passwd` and `group` are the files of the image in /etc: its configuration may name a user in them. */
export interface DefaultConfigOptions extends UserFiles {
  /** For messages: the image. */
  readonly name: string;
  /** Left out: the one that the runtime has in its own default. */
  readonly hostname?: string | undefined;
  /** Is certainly not in the image; left out: nothing is known about that. Absolute paths as the container sees them. */
  readonly isAbsent?: ((path: string) => boolean) | undefined;
}

/** What system containers without a configuration have always started. */
const LAST_RESORT = 'run.sh';
/** Of the image specification, for tools that stop what a bundle describes (conversion.md). */
const STOP_SIGNAL = 'org.opencontainers.image.stopSignal';

/**
 * The container shares the network of the host: a new one would have nothing but a loopback that is down. For an
 * ordinary user the result goes through `rootlessConfig`, like every other configuration.
 *
 * @param spec what `RuntimeControl.defaultConfig({ rootless: true })` gave
 * @throws ConfigError BAD_CONTAINER_CONFIG
 */
export function defaultConfigFor(
  spec: unknown,
  image: ImageConfig | undefined,
  options: DefaultConfigOptions,
): { readonly config: RuntimeConfig; readonly warnings: readonly string[] } {
  if (!isExactObject(spec)) throw new ConfigError(`${options.name}: the default of the runtime is no JSON object`);
  const base = readConfig(spec, `${options.name}: default of the runtime`);
  const run = image?.config ?? {};
  const { uid, gid, additionalGids } = imageUser(run.User ?? '', options, options.name);
  const env = environment(run.Env, base.process?.env ?? []);
  const command = [...(run.Entrypoint ?? []), ...(run.Cmd ?? [])];
  const usable = usableCommand(command, env, options);
  const own: ExactObject = {
    terminal: false,
    user: { uid, gid, ...(additionalGids.length > 0 && { additionalGids }) },
    args: usable,
    env,
    cwd: run.WorkingDir || '/',
  };
  // Limits of the runtime's default (1024 files) are for a shell; a service has those of its unit.
  let json = changeField(spec, 'process', (process) => ({ ...without(process, 'rlimits'), ...own }));
  json = changeField(json, 'root', (root) => ({ ...root, path: 'rootfs', readonly: true }));
  json = changeField(json, 'linux', shareNetwork);
  if (options.hostname !== undefined) json = { ...json, hostname: options.hostname };
  const signal = run.StopSignal;
  if (signal) json = changeField(json, 'annotations', (all) => ({ ...all, [STOP_SIGNAL]: signal }));
  const lost = command.length > 0 && usable !== command;
  const warnings = lost
    ? [`${LAST_RESORT} is started: the command of the image (${quote(command[0] ?? '')}) is not in it`]
    : [];
  return { config: readConfig(json, `${options.name}: config.json`), warnings };
}

/** Builders write down a command for images that were meant to be started by `run.sh`. */
function usableCommand(
  command: readonly string[],
  env: readonly string[],
  { isAbsent }: DefaultConfigOptions,
): readonly string[] {
  const [program] = command;
  if (program === undefined) return [LAST_RESORT];
  if (isAbsent === undefined || !program.startsWith('/') || !isAbsent(program)) return command;
  const path = env.find((each) => each.startsWith('PATH='))?.slice('PATH='.length) ?? '';
  const isThere = path.split(':').some((folder) => folder.startsWith('/') && !isAbsent(`${folder}/${LAST_RESORT}`));
  return isThere ? [LAST_RESORT] : command;
}

/** Without the user namespace of `spec --rootless`, which root has no use for and others get with their own ranges. */
function shareNetwork(linux: ExactObject): ExactObject {
  const kept = objectsAt(linux, 'namespaces').filter(({ type }) => type !== 'user' && type !== 'network');
  return { ...without(linux, 'uidMappings', 'gidMappings'), namespaces: kept };
}

/** The image's own; a PATH comes from the runtime when it has none. */
function environment(own: readonly string[] | undefined, ofSpec: readonly string[]): readonly string[] {
  if (own?.some((each) => each.startsWith('PATH='))) return own;
  return [...ofSpec.filter((each) => each.startsWith('PATH=')), ...(own ?? [])];
}
