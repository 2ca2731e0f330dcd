/** Rules on the configuration of the container: what keeps it from being deployed, and what makes it weaker than need be. */
import { posix } from 'node:path';
import type { RuntimeConfig } from '../../runtime/index.ts';
import { CONTRACT } from '../contract/index.ts';
import type { ImageTree } from '../image-tree.ts';
import { isAbsent } from '../is-absent.ts';
import { type Finding, finding, type Severity } from './finding.ts';
import { lineFinder, type Subject } from './subject.ts';

type Say = (severity: Severity, rule: string, text: string, near?: string) => void;

/** Every capability of the kernels that published images were made for. */
const ALL = 37;

export function lintConfig({ tree, exports, config }: Subject): readonly Finding[] {
  if (config === undefined || exports.manifest.noContainerService) return [];
  const file = exports.config?.kind === 'verbatim' ? CONTRACT.config : CONTRACT.configTemplate;
  const found: Finding[] = [];
  const lineOf = lineFinder(exports.config?.bytes);
  const say: Say = (severity, rule, text, near) => {
    found.push(finding(severity, rule, text, { file, line: near === undefined ? undefined : lineOf(near) }));
  };
  lintDeployable(config, say);
  lintCommand(config, tree, say);
  lintHooks(config, say);
  lintCapabilities(config, say);
  lintConfinement(config, say);
  return found;
}

function lintDeployable({ root, process }: RuntimeConfig, say: Say): void {
  if (!root.readonly)
    say('error', 'root-writable', 'root.readonly has to be true: files are shared with the store', '"root"');
  if (posix.normalize(root.path).replace(/\/$/, '') !== 'rootfs') {
    say('error', 'root-path', 'root.path has to be rootfs', '"root"');
  }
  if (process?.terminal)
    say('error', 'terminal', 'process.terminal has to be false: a service has no terminal', '"terminal"');
  if (process === undefined || process.args.length === 0)
    say('error', 'no-command', 'process.args names no command', '"args"');
}

/** The first process of a container ignores SIGTERM unless it handles it; shells and such do not. */
const NO_HANDLER = ['cat', 'httpd', 'nc', 'sleep', 'tail', 'yes'];

function lintCommand({ process, namespaces }: RuntimeConfig, tree: ImageTree, say: Say): void {
  const [program = '', option = ''] = process?.args ?? [];
  const name = posix.basename(program);
  const isShell = ['sh', 'bash', 'dash', 'ash'].includes(name) && /^-[a-z]*c$/.test(option);
  if (namespaces.get('pid') === '' && (isShell || NO_HANDLER.includes(name))) {
    const what = isShell ? `${name} ${option}` : name;
    const text = `"${what}" as the first process ignores SIGTERM: every stop may take 90 s and count as a failure`;
    say('hint', 'stop-signal', text, '"args"');
  }
  if (program.startsWith('/') && isAbsent(tree, program)) {
    say('warning', 'command-missing', `the image has no ${program}`, '"args"');
  }
}

function lintHooks({ hooks }: RuntimeConfig, say: Say): void {
  if (hooks.length === 0) return;
  const text = `hooks (${hooks.join(', ')}) run as root on the host: installation needs --allow-host hooks`;
  say('warning', 'hooks', text, '"hooks"');
}

function lintCapabilities({ json }: RuntimeConfig, say: Say): void {
  const bounding = textsIn(objectIn(objectIn(json, 'process'), 'capabilities'), 'bounding');
  if (bounding.length >= ALL)
    say('warning', 'all-capabilities', 'the container has all capabilities', '"capabilities"');
  else if (bounding.includes('CAP_SYS_ADMIN')) {
    say('hint', 'powerful-capability', 'CAP_SYS_ADMIN is nearly as much as being root on the host', '"CAP_SYS_ADMIN"');
  }
}

function lintConfinement({ json, namespaces }: RuntimeConfig, say: Say): void {
  const linux = objectIn(json, 'linux');
  const resources = objectIn(linux, 'resources');
  if (objectIn(json, 'process')['noNewPrivileges'] !== true) {
    say('hint', 'new-privileges', 'process.noNewPrivileges is not set: setuid programs inside work');
  }
  if (Object.keys(objectIn(linux, 'seccomp')).length === 0) {
    say('hint', 'no-seccomp', 'linux.seccomp is not set: every system call is allowed');
  }
  if (Object.keys(resources).length === 0) {
    say('hint', 'no-resources', 'linux.resources is not set: neither memory nor processes have a limit');
  }
  const devices = Array.isArray(resources['devices']) ? resources['devices'] : [];
  if (devices.some((each) => isObject(each) && each['allow'] === true && (each['type'] ?? 'a') === 'a')) {
    say('hint', 'all-devices', 'linux.resources.devices allows every device', '"devices"');
  }
  for (const needed of ['pid', 'ipc']) {
    if (!namespaces.has(needed))
      say('hint', 'no-namespace', `the container shares the ${needed} namespace of the host`, '"namespaces"');
  }
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectIn(fields: Fields, name: string): Fields {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return isObject(value) ? value : {};
}

function textsIn(fields: Fields, name: string): readonly string[] {
  const value = fields[name];
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
