/**
 * A configuration that was written for root, made fit for a runtime that an ordinary user calls: no rights over
 * cgroups, ids in a user namespace, and of the host's /sys only a view.
 */
import { quote } from '../../base/text.ts';
import { changeField, objectAt, objectsAt, without } from './changes.ts';
import { type RuntimeConfig, readConfig } from './config.ts';
import type { ExactJson, ExactObject } from './exact-json.ts';
import { isMapped, mappings, mapsOneId } from './id-mappings.ts';
import type { SubordinateIds } from './subordinate-ids.ts';

export interface RootlessOptions {
  /** Effective ids of who runs the container. */
  readonly uid: number;
  readonly gid: number;
  readonly ids: SubordinateIds;
  /** Of the container, where the runtime's own choice will not do. */
  readonly cgroupsPath?: string | undefined;
}

/** Warnings are for people, one line each. @throws ConfigError */
export function rootlessConfig(
  config: RuntimeConfig,
  options: RootlessOptions,
): { readonly config: RuntimeConfig; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  const keepsNetwork = hasConfiguredNetwork(config);
  let json = changeField(config.json, 'process', (process) => ({ ...process, terminal: false }));
  json = changeField(json, 'root', (root) => ({ ...root, readonly: true }));
  json = changeField(json, 'linux', (linux) => {
    const { cgroupsPath } = options;
    const plain = without(linux, 'resources', 'cgroupsPath');
    const mapped = withUserNamespace(cgroupsPath === undefined ? plain : { ...plain, cgroupsPath }, options);
    return keepsNetwork ? mapped : withoutNetwork(mapped, warnings);
  });
  const mounts = objectsAt(json, 'mounts').map((mount) => adaptMount(mount, keepsNetwork));
  const adapted = readConfig(withMappedGroups({ ...json, mounts }, warnings), config.file);
  return { config: adapted, warnings: [...warnings, ...idWarnings(adapted)] };
}

/** An existing network that is joined; or a new one, with hooks that bring interfaces into it. */
function hasConfiguredNetwork({ namespaces, hooks }: RuntimeConfig): boolean {
  const path = namespaces.get('network');
  return path !== undefined && (path !== '' || hooks.length > 0);
}

/** Mappings that are given stay. */
function withUserNamespace(linux: ExactObject, { uid, gid, ids }: RootlessOptions): ExactObject {
  const namespaces = objectsAt(linux, 'namespaces');
  const hasOne = namespaces.some(({ type }) => type === 'user');
  const given = (name: string) => (objectsAt(linux, name).length > 0 ? objectsAt(linux, name) : undefined);
  return {
    ...linux,
    namespaces: hasOne ? namespaces : [...namespaces, { type: 'user' }],
    uidMappings: given('uidMappings') ?? mappings(uid, ids.hasNewuidmap ? ids.uids : []),
    gidMappings: given('gidMappings') ?? mappings(gid, ids.hasNewuidmap ? ids.gids : []),
  };
}

/** Settings of a network of its own have no place in that of the host; runtimes refuse them. */
function withoutNetwork(linux: ExactObject, warnings: string[]): ExactObject {
  const namespaces = objectsAt(linux, 'namespaces').filter(({ type }) => type !== 'network');
  const sysctl = objectAt(linux, 'sysctl');
  const dropped = Object.keys(sysctl).filter((name) => name.startsWith('net.'));
  if (dropped.length === 0) return { ...linux, namespaces };
  warnings.push(
    `the container shares the network of the host: ${dropped.map((name) => quote(name)).join(', ')} not set`,
  );
  return { ...linux, namespaces, sysctl: without(sysctl, ...dropped) };
}

/** Runtimes refuse to start with a group that has no place in the mapping; without ranges there is none for any. */
function withMappedGroups(json: ExactObject, warnings: string[]): ExactObject {
  const gids = objectsAt(objectAt(json, 'linux'), 'gidMappings');
  return changeField(json, 'process', (process) => {
    const { additionalGids: groups, ...user } = objectAt(process, 'user');
    if (!Array.isArray(groups)) return process;
    const kept = mapsOneId(gids) ? [] : groups.filter((gid) => typeof gid === 'number' && isMapped(gid, gids));
    if (kept.length === groups.length) return process;
    const dropped = groups.filter((gid) => !kept.includes(gid)).join(', ');
    warnings.push(`the container does not get the additional groups ${dropped}, which are not mapped`);
    return { ...process, user: kept.length > 0 ? { ...user, additionalGids: kept } : user };
  });
}

function adaptMount(mount: ExactObject, hasNetwork: boolean): ExactObject {
  const { destination, type } = mount;
  if (type === 'devpts') {
    const options = optionsOf(mount).filter((option) => !option.startsWith('gid='));
    return { ...mount, options }; // the group tty need not be among the mapped ids
  }
  // The kernel lets only the owner of a network mount its sysfs.
  if (type === 'sysfs' && !hasNetwork) return { ...mount, type: 'none', source: '/sys', options: SYS_OPTIONS };
  const isDevice = destination === '/dev' || (typeof destination === 'string' && destination.startsWith('/dev/'));
  return isDevice ? mount : { ...mount, options: restrict(optionsOf(mount)) };
}

const SYS_OPTIONS = ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'];
const LOOSENING = ['dev', 'suid'];
const RESTRICTING = ['nodev', 'nosuid'];

/** A mount of somebody else's file system keeps `nodev` and `nosuid` in a user namespace, so they have to be named. */
function restrict(options: readonly ExactJson[]): readonly ExactJson[] {
  const kept = options.filter((option) => !LOOSENING.some((each) => each === option));
  return [...kept, ...RESTRICTING.filter((each) => !kept.includes(each))];
}

function optionsOf(mount: ExactObject): readonly string[] {
  const { options } = mount;
  return Array.isArray(options) ? options.filter((option) => typeof option === 'string') : [];
}

function idWarnings({ json, process }: RuntimeConfig): string[] {
  const linux = objectAt(json, 'linux');
  const uids = objectsAt(linux, 'uidMappings');
  const gids = objectsAt(linux, 'gidMappings');
  const { uid, gid } = process?.user ?? { uid: 0, gid: 0 };
  const warnings: string[] = [];
  if (mapsOneId(uids) || mapsOneId(gids)) {
    warnings.push(
      'only one id is mapped into the container, any other will fail: for more, give the user ranges in /etc/subuid and /etc/subgid, and install newuidmap',
    );
  }
  if (!isMapped(uid, uids)) warnings.push(`the container runs as user ${uid}, which is not mapped`);
  if (!isMapped(gid, gids)) warnings.push(`the container runs as group ${gid}, which is not mapped`);
  return warnings;
}
