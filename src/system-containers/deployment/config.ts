/** `config.json` of a deployment: the image's, or made from what the image runs; fitted to who installs it. */
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import {
  assertDeployable,
  changeConfig,
  defaultConfigFor,
  parseRuntimeConfig,
  type RuntimeConfig,
  readSubordinateIds,
  rootlessConfig,
} from '../../runtime/index.ts';
import type { Exports } from '../contract/index.ts';
import type { Host } from '../host.ts';
import type { ImageTree } from '../image-tree.ts';
import { isAbsent } from '../is-absent.ts';
import { type NamedTemplate, parseTemplate, substituteConfig, type Values, variablesIn } from '../template/index.ts';
import { type DeploymentRequest, type DeploymentSource, isStored } from './request.ts';

const TEMPLATE = 'config.json.template';
/** Of /etc/passwd and /etc/group in an image. */
const USERS_LIMIT = 4 * 2 ** 20;

export function configTemplate({ config }: Exports): NamedTemplate | undefined {
  if (config?.kind !== 'template') return undefined;
  return { file: TEMPLATE, template: parseTemplate(config.bytes, TEMPLATE) };
}

interface ConfigRequest {
  readonly request: DeploymentRequest & DeploymentSource;
  readonly exports: Exports;
  readonly values: Values;
}

/** @throws ContainerError BAD_CONTAINER_CONFIG; RuntimeError WRITABLE_ROOT, BAD_CONTAINER_CONFIG, RUNTIME_FAILED */
export async function renderConfig(
  host: Host,
  tree: ImageTree,
  { request, exports, values }: ConfigRequest,
): Promise<{ readonly config: RuntimeConfig | undefined; readonly warnings: readonly string[] }> {
  const brought = imageConfig(exports, values);
  const own = brought === undefined ? await ownConfig(host, tree, request, exports) : undefined;
  const found = brought ?? own?.config;
  if (found === undefined) return { config: undefined, warnings: [] };
  const { image } = request;
  const rootfs = isStored(image) ? undefined : image.rootfs;
  const placed = rootfs === undefined ? found : changeConfig(found, { rootPath: rootfs });
  const { config, warnings } = fitted(host, placed, isDetached(values) ? serviceCgroup(request.name) : undefined);
  assertDeployable(config, rootfs);
  return { config, warnings: [...(own?.warnings ?? []), ...warnings] };
}

function imageConfig(exports: Exports, values: Values): RuntimeConfig | undefined {
  const { config } = exports;
  if (config === undefined) return undefined;
  const template = configTemplate(exports)?.template;
  if (template !== undefined) return substituteConfig(template, values);
  return parseRuntimeConfig(config.bytes, 'config.json');
}

/** None where nothing would use it: only files, or a unit that starts something else. */
async function ownConfig(
  host: Host,
  tree: ImageTree,
  request: DeploymentRequest & DeploymentSource,
  { manifest, unit }: Exports,
): Promise<ReturnType<typeof defaultConfigFor> | undefined> {
  const usesRuntime = unit === undefined || variablesIn(parseTemplate(unit, 'service.template')).has('EXEC_START');
  if (manifest.noContainerService || !usesRuntime) return undefined;
  const spec = await host.runtime(request.runtimePath).defaultConfig({ rootless: true }, host.signal);
  return defaultConfigFor(spec, request.imageConfig, {
    name: tree.name,
    hostname: request.name,
    passwd: textIn(tree, 'etc/passwd'),
    group: textIn(tree, 'etc/group'),
    isAbsent: (path) => isAbsent(tree, path),
  });
}

function textIn(tree: ImageTree, path: string): Uint8Array | undefined {
  return tree.look(path)?.type === 'file' ? tree.read(path, USERS_LIMIT) : undefined;
}

const isDetached = (values: Values): boolean => (values.get('EXEC_STOPPOST') ?? '') !== '';

/**
 * Within the cgroup of the unit: a user's manager takes a process for the main one of a service that forks only when it
 * is there. Runtimes take a relative path as one beside the cgroup that they are started in, which is the unit's.
 */
function serviceCgroup(name: string): string | undefined {
  return existsSync('/sys/fs/cgroup/cgroup.controllers') ? `${name}.service/container` : undefined;
}

/** A user without a line in passwd has ranges by his number at most. */
function nameOf(uid: number): string {
  try {
    return userInfo().username;
  } catch {
    return String(uid); // nobody knows him by a name
  }
}

function fitted({ places, env }: Host, config: RuntimeConfig, cgroupsPath: string | undefined) {
  if (places.scope === 'system') return { config, warnings: [] };
  const { uid, gid } = places;
  const name = env['USER'] ?? nameOf(uid);
  return rootlessConfig(config, { uid, gid, ids: readSubordinateIds({ name, uid }, '/etc', env['PATH']), cgroupsPath });
}
