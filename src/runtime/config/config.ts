/**
 * `config.json` of an OCI bundle, as far as it matters to whoever lets an image bring one.
 *
 * runc finds fields without regard to case (`Hooks`, and even `hooKs` with a Kelvin sign), crun does not: a field that
 * is spelt so is refused, or what is checked here would not be what runs.
 * Source: OCI runtime specification 1.0, config.md and config-linux.md.
 */
import { quote } from '../../base/text.ts';
import { ConfigError } from '../error.ts';
import { type ExactObject, formatExactJson, isExactObject, parseExactJson } from './exact-json.ts';
import { type FieldReader, fieldsOf } from './fields.ts';

export interface RuntimeConfig {
  /** For messages: the file, or the image. */
  readonly file: string;
  /** The whole document; numbers that JavaScript cannot hold stay exact. Is written by `formatConfig`. */
  readonly json: ExactObject;
  /** Path as written; '' when there is none. */
  readonly root: { readonly path: string; readonly readonly: boolean };
  /** Undefined when the document has none. */
  readonly process: ConfigProcess | undefined;
  readonly mounts: readonly ConfigMount[];
  readonly bindSources: readonly BindSource[];
  /** Names of the hooks that have entries: `prestart`, `createRuntime` ... */
  readonly hooks: readonly string[];
  /** Names of annotations by which crun loads, runs or writes something on the host. */
  readonly hostAnnotations: readonly string[];
  /** Of `linux.namespaces`: type to path; '' for a new one. */
  readonly namespaces: ReadonlyMap<string, string>;
}

export interface ConfigProcess {
  readonly terminal: boolean;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: { readonly uid: number; readonly gid: number };
}

export interface ConfigMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** A path of the host that a container sees. */
export interface BindSource {
  /** As written: absolute, or relative to the bundle. */
  readonly path: string;
  readonly destination: string;
  readonly isReadOnly: boolean;
}

/** @throws ConfigError BAD_CONTAINER_CONFIG, with the line where the text is no JSON */
export function parseRuntimeConfig(bytes: Uint8Array, file: string): RuntimeConfig {
  const json = parseExactJson(bytes, file);
  if (!isExactObject(json)) throw new ConfigError(`${file}: expected a JSON object`, { subject: file });
  return readConfig(json, file);
}

/** The same from a document that is parsed already, or made here. @throws ConfigError */
export function readConfig(json: ExactObject, file: string): RuntimeConfig {
  const document = fieldsOf(json, file, KNOWN.document);
  const root = document.object('root', KNOWN.root);
  const mounts = document.objects('mounts', KNOWN.mount).map(readMount);
  const linux = document.object('linux', KNOWN.linux);
  return {
    file,
    json,
    root: { path: root?.text('path') ?? '', readonly: root?.flag('readonly') ?? false },
    process: readProcess(document.object('process', KNOWN.process)),
    mounts,
    bindSources: mounts.flatMap(bindSourceOf),
    hooks: readHooks(document.object('hooks', KNOWN.hooks)),
    hostAnnotations: (document.object('annotations', [])?.names() ?? []).filter((name) => HOST_ANNOTATION.test(name)),
    namespaces: readNamespaces(linux, file),
  };
}

/** Indented JSON, keys in the order of the document. */
export function formatConfig(config: RuntimeConfig): Uint8Array {
  return Buffer.from(`${formatExactJson(config.json)}\n`);
}

const HOOKS = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'];

/** A library for seccomp, another handler of the whole container, files for what hooks say. Source: crun(1). */
const HOST_ANNOTATION = /^run\.oci\.(seccomp\.plugins|seccomp_bpf_.*|handler|hooks\..*)$/;

/** The fields that are looked at here or changed, and nothing that a document may name as it likes. */
const KNOWN = {
  document: ['ociVersion', 'process', 'root', 'hostname', 'mounts', 'hooks', 'annotations', 'linux'],
  root: ['path', 'readonly'],
  mount: ['destination', 'type', 'source', 'options', 'uidMappings', 'gidMappings'],
  hooks: HOOKS,
  process: ['terminal', 'args', 'env', 'cwd', 'user', 'capabilities', 'rlimits', 'noNewPrivileges', 'commandLine'],
  user: ['uid', 'gid', 'umask', 'additionalGids', 'username'],
  linux: [
    ...['uidMappings', 'gidMappings', 'sysctl', 'resources', 'cgroupsPath', 'namespaces', 'devices', 'netDevices'],
    ...['seccomp', 'rootfsPropagation', 'maskedPaths', 'readonlyPaths', 'mountLabel', 'intelRdt', 'personality'],
  ],
  namespace: ['type', 'path'],
} as const;

function readProcess(process: FieldReader | undefined): ConfigProcess | undefined {
  if (process === undefined) return undefined;
  const user = process.object('user', KNOWN.user);
  return {
    terminal: process.flag('terminal') ?? false,
    args: process.texts('args'),
    env: process.texts('env'),
    cwd: process.text('cwd') ?? '',
    user: { uid: user?.id('uid') ?? 0, gid: user?.id('gid') ?? 0 },
  };
}

function readMount(mount: FieldReader): ConfigMount {
  return {
    destination: mount.text('destination') ?? '',
    type: mount.text('type') ?? '',
    source: mount.text('source') ?? '',
    options: mount.texts('options'),
  };
}

/** The options decide: with `bind` among them the type does not matter, and without them a type `bind` alone does nothing. */
function bindSourceOf({ type, source, destination, options }: ConfigMount): BindSource[] {
  const isBind = type === 'bind' || type === 'rbind' || options.includes('bind') || options.includes('rbind');
  if (!isBind || source === '') return [];
  const access = options.filter((option) => ['ro', 'rw', 'rro'].includes(option)).at(-1);
  return [{ path: source, destination, isReadOnly: access === 'ro' || access === 'rro' }];
}

function readHooks(hooks: FieldReader | undefined): string[] {
  return hooks === undefined ? [] : hooks.names().filter((name) => !hooks.isEmpty(name));
}

function readNamespaces(linux: FieldReader | undefined, file: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const namespace of linux?.objects('namespaces', KNOWN.namespace) ?? []) {
    const type = namespace.text('type') ?? '';
    if (found.has(type)) throw new ConfigError(`${file}: namespace ${quote(type)} comes twice`, { subject: file });
    found.set(type, namespace.text('path') ?? '');
  }
  return found;
}
