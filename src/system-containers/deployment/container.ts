/**
 * Containers as they lie on the disk: `NAME` leads to one of the slots `NAME.N`. Whatever is broken is told in words,
 * so that it can be listed and taken away.
 */
import { dirname } from 'node:path';
import { codeOf, explain } from '../../base/error.ts';
import { quote } from '../../base/text.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { settledPath } from '../../linux/files/settled-path.ts';
import { ContainerError } from '../error.ts';
import { isContainerName, parseSlotName } from '../names/index.ts';
import { type Places, seenFromHost } from '../places/index.ts';
import type { Info } from './info.ts';
import { readInfo } from './info-file.ts';

export interface Deployment {
  readonly name: string;
  readonly slot: number;
  /** Of its directory. */
  readonly path: string;
  readonly info: Info;
}

export interface Container {
  readonly name: string;
  /** What the link leads to, when all of that is in order. */
  readonly active: Deployment | undefined;
  /** Those that can be read, by number. */
  readonly slots: readonly Deployment[];
  /** All that are there, also broken ones. */
  readonly slotsOnDisk: readonly number[];
  /** There is a link of its name, wherever it leads. */
  readonly hasLink: boolean;
  /** Why nothing is active. */
  readonly problem?: string | undefined;
  /** Lies where nothing may be changed. */
  readonly isPreinstalled: boolean;
}

/** @throws ContainerError CONTAINER_MISSING when there is neither link nor slot */
export function openContainer(places: Places, name: string): Container {
  const isName = isContainerName(name);
  const found = isName ? findContainer(places, name) : undefined;
  if (found !== undefined) return found;
  throw new ContainerError('CONTAINER_MISSING', `cannot find container ${isName ? name : quote(name)}`, {
    hint: `"list --all" shows the containers of ${places.scope === 'user' ? 'this user' : 'the system'}`,
    subject: name,
  });
}

/** Undefined when there is neither link nor slot of this name. */
export function findContainer(places: Places, name: string): Container | undefined {
  return listContainers(places, name)[0];
}

/**
 * All containers by name, preinstalled ones included (one of our own comes before them). A directory that is missing has
 * none. @param only this one
 */
export function listContainers(places: Places, only?: string): readonly Container[] {
  const own = containersIn(places, places.checkouts, false, only);
  const names = new Set(own.map(({ name }) => name));
  const others = places.preinstalled === undefined ? [] : containersIn(places, places.preinstalled, true, only);
  return [...own, ...others.filter(({ name }) => !names.has(name))].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @throws ContainerError CONTAINER_BROKEN */
export function activeOf(container: Container): Deployment {
  if (container.active !== undefined) return container.active;
  throw new ContainerError('CONTAINER_BROKEN', `container ${container.name} is broken: ${container.problem}`, {
    hint: `"uninstall ${container.name}" clears away what is left of it`,
    subject: container.name,
  });
}

/**
 * For a new container: neither it nor a slot of it may be there, and it must not be called as a slot of another one.
 * @throws ContainerError CONTAINER_EXISTS
 */
export function assertNameFree(places: Places, name: string): void {
  const taken = listContainers(places).map((each) => each.name);
  const exists = (what: string, hint: string): ContainerError =>
    new ContainerError('CONTAINER_EXISTS', what, { hint, subject: name });
  if (taken.includes(name)) {
    throw exists(`the container ${name} already exists`, `"update ${name}" brings it up to date`);
  }
  const slotOf = parseSlotName(name)?.name;
  if (slotOf !== undefined && taken.includes(slotOf)) {
    throw exists(`${name} is the name of a deployment of the container ${slotOf}`, 'choose another name with --name');
  }
  const other = taken.find((each) => parseSlotName(each)?.name === name);
  if (other !== undefined) {
    throw exists(`the container ${other} has the name of a deployment of ${name}`, 'choose another name with --name');
  }
  const entry = entryOf(places, name);
  if (entry !== undefined) throw exists(`${entry} already exists`, 'move it away, or choose another name with --name');
}

/** Something of that name that is no container of ours. */
function entryOf(places: Places, name: string): string | undefined {
  const directory = openIfThere(places.checkouts);
  if (directory === undefined) return undefined;
  try {
    return directory.lstat(name) === undefined ? undefined : directory.pathOf(name);
  } finally {
    directory.close();
  }
}

function containersIn(places: Places, path: string, isPreinstalled: boolean, only?: string): Container[] {
  const directory = openIfThere(path);
  if (directory === undefined) return [];
  try {
    return [...namesIn(directory, isPreinstalled)]
      .filter(([name]) => only === undefined || name === only)
      .map(([name, slots]) => readContainer(places, directory, name, { slots: slots.sort(), isPreinstalled }));
  } finally {
    directory.close();
  }
}

function openIfThere(path: string): Directory | undefined {
  try {
    return openDirectory(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** A link is a container; a directory `NAME.N` is a slot of one, whether there is a link or not. */
function namesIn(directory: Directory, isPreinstalled: boolean): Map<string, number[]> {
  const names = new Map<string, number[]>();
  const slotsOf = (name: string): number[] => names.get(name) ?? names.set(name, []).get(name) ?? [];
  for (const entry of directory.list()) {
    const stats = isContainerName(entry) ? directory.lstat(entry) : undefined;
    const slot = parseSlotName(entry);
    if (stats?.isSymbolicLink() === true) slotsOf(entry);
    if (stats?.isDirectory() !== true) continue;
    if (slot !== undefined && isContainerName(slot.name)) slotsOf(slot.name).push(slot.slot);
    else if (isPreinstalled) slotsOf(entry); // packages have no slots
  }
  return names;
}

interface Found {
  readonly slots: readonly number[];
  readonly isPreinstalled: boolean;
}

function readContainer(places: Places, directory: Directory, name: string, found: Found): Container {
  const { slots: slotsOnDisk, isPreinstalled } = found;
  const read = slotsOnDisk.map((slot) => readSlot(directory, name, slot, `${name}.${slot}`));
  const slots = read.filter((each) => typeof each !== 'string');
  const container = { name, slots, slotsOnDisk, isPreinstalled };
  const stats = directory.lstat(name);
  if (isPreinstalled && stats?.isDirectory() === true) {
    const only = readSlot(directory, name, 0, name);
    return { ...container, hasLink: false, ...(typeof only === 'string' ? broken(only) : { active: only }) };
  }
  if (stats?.isSymbolicLink() !== true) return { ...container, hasLink: false, ...broken('it has no link') };
  const target = targetOf(places, directory, name);
  if (typeof target === 'string') return { ...container, hasLink: true, ...broken(target) };
  const index = slotsOnDisk.indexOf(target.slot);
  const active = index === -1 ? `its link leads to ${name}.${target.slot}, which is not there` : (read[index] ?? '');
  return { ...container, hasLink: true, ...(typeof active === 'string' ? broken(active) : { active }) };
}

function broken(problem: string) {
  return { active: undefined, problem };
}

/** A text says what is wrong with it. */
function readSlot(parent: Directory, name: string, slot: number, entry: string): Deployment | string {
  let directory: Directory | undefined;
  try {
    directory = parent.openDirectory(entry);
    const info = directory === undefined ? undefined : readInfo(directory);
    return info === undefined ? `${entry} has no info` : { name, slot, path: parent.pathOf(entry), info };
  } catch (error) {
    return explain(error);
  } finally {
    directory?.close();
  }
}

/** The earlier tools made the link absolute; it counts when it leads into this very directory. */
function targetOf(places: Places, directory: Directory, name: string): { readonly slot: number } | string {
  const text = directory.readLink(name) ?? '';
  const slot = parseSlotName(text.slice(text.lastIndexOf('/') + 1));
  const folder = dirname(text);
  const isHere =
    !text.includes('/') ||
    [directory.path, seenFromHost(places, directory.path), settledPath(directory.fd)].includes(folder);
  return isHere && slot?.name === name ? slot : `its link leads to ${quote(text)}, which is no deployment of it`;
}
