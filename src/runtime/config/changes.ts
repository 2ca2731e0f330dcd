/** A configuration for another use: another command in it, a terminal, a root file system elsewhere. */
import { type RuntimeConfig, readConfig } from './config.ts';
import { type ExactJson, type ExactObject, isExactObject } from './exact-json.ts';

export interface ConfigChanges {
  readonly args?: readonly string[] | undefined;
  readonly terminal?: boolean | undefined;
  readonly rootPath?: string | undefined;
  /** For a container beside the one that the configuration is for: in no cgroup of that one. */
  readonly isApart?: boolean | undefined;
}

/** The same configuration with another command, terminal or root; what is left out stays. */
export function changeConfig(
  config: RuntimeConfig,
  { args, terminal, rootPath, isApart }: ConfigChanges,
): RuntimeConfig {
  const placed = isApart === true ? withoutCgroup(config.json) : config.json;
  const json = changeField(placed, 'process', (process) => ({
    ...process,
    ...(args && { args }),
    ...(terminal !== undefined && { terminal }),
  }));
  if (rootPath === undefined) return readConfig(json, config.file);
  return readConfig(
    changeField(json, 'root', (root) => ({ ...root, path: rootPath })),
    config.file,
  );
}

function withoutCgroup(json: ExactObject): ExactObject {
  return Object.hasOwn(json, 'linux') ? changeField(json, 'linux', (linux) => without(linux, 'cgroupsPath')) : json;
}

/** One object within an object, made when it is absent; its place stays. */
export function changeField(
  object: ExactObject,
  name: string,
  change: (inner: ExactObject) => ExactObject,
): ExactObject {
  return { ...object, [name]: change(objectAt(object, name)) };
}

/** Empty when there is none. The types were checked when the configuration was read. */
export function objectAt(object: ExactObject, name: string): ExactObject {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  return isExactObject(value) ? value : {};
}

/** Elements that are objects; empty when there is no such list. */
export function objectsAt(object: ExactObject, name: string): readonly ExactObject[] {
  const value: ExactJson | undefined = Object.hasOwn(object, name) ? object[name] : undefined;
  return Array.isArray(value) ? value.filter(isExactObject) : [];
}

/** Without these fields. */
export function without(object: ExactObject, ...names: readonly string[]): ExactObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}
