/** A host in a scratch directory with a systemd made of two sets, for switches that are watched, broken and killed. */
import fs from 'node:fs';
import { join } from 'node:path';
import type { ServiceControl, TmpfilesControl } from '../../systemd/index.ts';
import { readExports } from '../contract/index.ts';
import { type Info, NEW_INFO, type Prepared, treeOf, writeInfo } from '../deployment/index.ts';
import type { Host } from '../host.ts';
import { placesAt } from '../host-files/host-files.fixture.ts';
import type { Places } from '../places/index.ts';

/** What the manager knows of units. */
export interface Units {
  readonly enabled: Set<string>;
  readonly active: Map<string, string>;
}

export interface MachineOptions {
  /** Told of every call of a helper and of every line, before it takes effect; may throw. */
  readonly onEvent?: (event: string) => void;
  readonly units?: Units;
  /** `is-active` of a unit that was started: by its text on the host. */
  readonly startsAs?: (unit: string) => string;
  /** What `exports/check` says. */
  readonly check?: () => { readonly status: number; readonly output: string };
}

export interface Machine {
  readonly root: string;
  readonly places: Places;
  readonly units: Units;
  readonly host: Host;
  /** Lines of actions. */
  readonly lines: string[];
  readonly warnings: string[];
  readonly events: string[];
}

export function machineAt(root: string, options: MachineOptions = {}): Machine {
  const places = placesAt(root);
  const units: Units = options.units ?? { enabled: new Set(), active: new Map() };
  const [lines, warnings, events]: [string[], string[], string[]] = [[], [], []];
  const event = (text: string): void => {
    events.push(text);
    options.onEvent?.(text);
  };
  const services = servicesOf(places, units, event, options);
  const tmpfiles: TmpfilesControl = {
    line: (...words) => `systemd-tmpfiles ${words.join(' ')}`,
    create: async () => event('tmpfiles --create'),
    remove: async () => event('tmpfiles --remove'),
  };
  const host: Host = {
    ...{ places, services, tmpfiles, now: clock(), env: {}, lockTimeoutMs: 1000 },
    runtime: (path) => ({
      path,
      features: async () => ({ systemdCgroup: true, pidFile: true }),
      defaultConfig: async () => ({}),
      deleteForce: async () => event('runtime delete'),
      exec: async () => 0,
      execCaptured: async () => {
        event('runtime exec');
        return { status: 0, output: '', timedOut: false, ...options.check?.() };
      },
      run: async () => 0,
    }),
    log: {
      action: (line) => {
        lines.push(line);
        event(line);
      },
      detail: () => undefined,
      warning: (line) => void warnings.push(line),
    },
    progress: () => undefined,
    signal: new AbortController().signal,
  };
  return { root, places, units, host, lines, warnings, events };
}

/** Of activations: each one later than the one before. */
function clock(): () => number {
  let now = 1_700_000_000_000;
  return () => (now += 1000);
}

function servicesOf(
  places: Places,
  { enabled, active }: Units,
  event: (text: string) => void,
  options: MachineOptions,
): ServiceControl {
  return {
    line: (...words) => `systemctl ${words.join(' ')}`,
    daemonReload: async () => event('systemctl: reload'),
    enable: async (unit) => {
      event('systemctl: enable');
      enabled.add(unit);
    },
    disableNow: async (unit) => {
      event('systemctl: disable');
      enabled.delete(unit);
      active.delete(unit);
    },
    start: async (unit) => {
      event('systemctl: start');
      const text = fs.readFileSync(`${places.units}/${unit}.service`, 'utf8');
      active.set(unit, options.startsAs?.(text) ?? 'active');
    },
    stop: async (unit) => void active.delete(unit),
    resetFailed: async (unit) => void active.delete(unit),
    activeState: async (unit) => active.get(unit) ?? 'inactive',
    enabledState: async (unit) => (enabled.has(unit) ? 'enabled' : 'disabled'),
    watch: async (unit) => {
      event('systemctl: watch');
      const state = active.get(unit) ?? 'inactive';
      return state === 'active' ? undefined : `is ${state}`;
    },
  };
}

/** What a version of an image brings; paths below `hostfs`. */
export interface Version {
  readonly version: string;
  readonly files: Readonly<Record<string, string>>;
  readonly fragment?: string;
  readonly hasService?: boolean;
  readonly hasCheck?: boolean;
}

/** A deployment as `prepare` leaves it. */
export function prepared({ places }: Pick<Machine, 'places'>, name: string, slot: number, version: Version): Prepared {
  const { hasService = true, files, fragment } = version;
  fs.mkdirSync(places.checkouts, { recursive: true });
  const directory = fs.mkdtempSync(join(places.checkouts, `.${name}.${slot}.tmp-`));
  const write = (path: string, text: string, mode = 0o644): void => {
    fs.mkdirSync(join(directory, path, '..'), { recursive: true });
    fs.writeFileSync(join(directory, path), text, { mode });
  };
  write('rootfs/usr/version', version.version);
  for (const [path, text] of Object.entries(files)) write(`rootfs/exports/hostfs/${path}`, text);
  if (version.hasCheck === true) write('rootfs/exports/check', '', 0o755);
  if (hasService) write(`${name}.service`, `[Service]\nExecStart=/bin/${version.version}\n`);
  if (fragment !== undefined) write(`tmpfiles-${name}.conf`, fragment);
  const info: Info = {
    ...NEW_INFO,
    ...{ image: 'example/app', revision: version.version, hasService, created: 1, runtime: '/bin/true' },
  };
  const deployment = { name, slot, path: directory, info };
  const hostTree = treeOf(deployment);
  const path = join(places.checkouts, `${name}.${slot}`);
  return {
    ...{ name, slot, directory, hostTree },
    preflight: { notes: [], extraUnitNames: [] },
    rendered: {
      ...{ info, config: undefined, unit: undefined, fragment: undefined, values: new Map() },
      ...{ exports: readExports(hostTree), hostFiles: [], warnings: [] },
    },
    publish(facts) {
      writeInfo(directory, { ...info, ...facts });
      fs.renameSync(directory, path);
      return { name, slot, path, info: { ...info, ...facts } };
    },
    discard: () => fs.rmSync(directory, { recursive: true, force: true }),
  };
}

/** The disk and the manager at this moment, as a kill would leave them. */
export function freeze(
  { root, units }: Pick<Machine, 'root' | 'units'>,
  to: string,
): MachineOptions & { root: string } {
  fs.cpSync(root, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  return { root: to, units: { enabled: new Set(units.enabled), active: new Map(units.active) } };
}
