/** Will what a container mounts from the host be there when it starts? */
import { closeSync, existsSync, openSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { codeOf } from '../../base/error.ts';
import { quote } from '../../base/text.ts';
import { type BindSource, RuntimeError } from '../../runtime/index.ts';
import type { UnitFile } from '../../systemd/index.ts';
import { ContainerError } from '../error.ts';
import type { ImageTree } from '../image-tree.ts';
import { type Places, seenFromHost } from '../places/places.ts';
import { absoluteSource, trimmed } from './directories.ts';

export interface BindFacts {
  readonly sources: readonly BindSource[];
  readonly tree: ImageTree;
  readonly places: Places;
  /** Path of the deployment as the host knows it. */
  readonly deployment: string;
  /** Root file system of the user's; undefined: the image's. */
  readonly rootfs: string | undefined;
  /** Paths that host files and the tmpfiles fragment will make. */
  readonly made: readonly string[];
  readonly unit: UnitFile | undefined;
}

/** Made by the kernel and by services: of a root that is not this host's nothing can be said about them. */
const MADE_AT_BOOT = ['/proc', '/sys', '/dev', '/run'];
/** Directories that systemd makes for a unit. Source: systemd.exec(5) "RuntimeDirectory=". */
const UNIT_DIRECTORIES: Readonly<Record<string, string>> = {
  RuntimeDirectory: '/run',
  StateDirectory: '/var/lib',
  CacheDirectory: '/var/cache',
  LogsDirectory: '/var/log',
  ConfigurationDirectory: '/etc',
};
const COMMANDS = ['ExecCondition', 'ExecStartPre', 'ExecStart'];

/**
 * @returns notes on sources that are missing
 * @throws ContainerError BIND_SOURCE_UNREADABLE; RuntimeError WRITABLE_ROOT for one that would let the container write
 * to files that the repository shares
 */
export function checkBindSources(facts: BindFacts): readonly string[] {
  const sources = facts.sources.map((source) => ({ ...source, path: absoluteSource(source.path, facts.deployment) }));
  for (const source of sources) assertNotShared(source, facts);
  if (facts.places.scope === 'user') for (const { path } of sources) assertReadable(path);
  const missing = sources.map(({ path }) => path).filter((path) => !willBeThere(path, facts));
  return [...new Set(missing)].map(
    (path) => `mount source ${quote(path)} does not exist, and nothing in the image makes it`,
  );
}

function assertNotShared({ path, destination, isReadOnly }: BindSource, facts: BindFacts): void {
  const { places, deployment, rootfs } = facts;
  const shared = [rootfs ?? `${deployment}/rootfs`, seenFromHost(places, places.repository)];
  if (isReadOnly || !shared.some((each) => path === each || path.startsWith(`${each}/`))) return;
  throw new RuntimeError('WRITABLE_ROOT', `config.json: ${quote(path)} is mounted writable on ${quote(destination)}`, {
    hint: 'its files are shared with the repository: mount it with "ro"',
    subject: path,
  });
}

/** What does not exist is another matter; and sockets and devices are not opened just to see whether that works. */
function assertReadable(path: string): void {
  try {
    const stats = statSync(path);
    if (stats.isFile() || stats.isDirectory()) closeSync(openSync(path, 'r'));
  } catch (error) {
    if (codeOf(error) !== 'EACCES' && codeOf(error) !== 'EPERM') return;
    throw new ContainerError('BIND_SOURCE_UNREADABLE', `mount source ${quote(path)}: this user may not read it`, {
      cause: error,
      hint: 'set the variable that it comes from with --set, or install the container as root',
      subject: path,
    });
  }
}

function willBeThere(path: string, facts: BindFacts): boolean {
  const { places, deployment, made, unit } = facts;
  if (path === deployment || path.startsWith(`${deployment}/`)) return isInDeployment(path, facts);
  if (existsSync(places.root + path)) return true;
  if (places.root !== '' && MADE_AT_BOOT.some((each) => path === each || path.startsWith(`${each}/`))) return true;
  return [...made, ...madeByUnit(unit, places)].some((each) => reaches(each, path)) || isNamedIn(unit, path);
}

/** The directory of the deployment does not exist yet; of what will be in it only the root file system may lack something. */
function isInDeployment(path: string, { deployment, rootfs, tree }: BindFacts): boolean {
  const inRoot = path.startsWith(`${deployment}/rootfs/`) && rootfs === undefined;
  return !inRoot || tree.look(path.slice(`${deployment}/rootfs/`.length)) !== undefined;
}

/** Whatever makes a path makes its parents, too. */
function reaches(made: string, path: string): boolean {
  return made === path || made.startsWith(`${path}/`);
}

/** For users they lie elsewhere, and where depends on the version of systemd: there any path of that name will do. */
function madeByUnit(unit: UnitFile | undefined, { scope, directories }: Places): readonly string[] {
  return Object.entries(UNIT_DIRECTORIES).flatMap(([key, parent]) => {
    const names = unit?.values('Service', key).flatMap((value) => value.split(/\s+/)) ?? [];
    const parents = scope === 'system' ? [parent] : Object.values(directories);
    return names.flatMap((name) => parents.map((each) => posix.join(each, name.split(':')[0] ?? '')));
  });
}

/** A command of the unit that names the path is taken to make it. */
function isNamedIn(unit: UnitFile | undefined, path: string): boolean {
  const commands = COMMANDS.flatMap((key) => unit?.values('Service', key) ?? []);
  return commands.some((command) => command.split(/[\s"']+/).some((word) => trimmed(word) === path));
}
