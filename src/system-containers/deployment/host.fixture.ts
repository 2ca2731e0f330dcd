/** Places in a scratch directory, and a host that remembers what was said and asked. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import type { RuntimeControl } from '../../runtime/index.ts';
import type { Host } from '../host.ts';
import { NO_SETTINGS, type Places, resolvePlaces } from '../places/index.ts';
import type { Info } from './info.ts';
import { encodeInfo, NEW_INFO } from './info-file.ts';

export function testPlaces(t: TestContext, changes: Partial<Places> = {}): Places {
  const root = scratch(t);
  const places = resolvePlaces({ env: {}, uid: 0, gid: 0, home: '/root', root, settings: NO_SETTINGS });
  mkdirSync(places.checkouts, { recursive: true });
  return { ...places, ...changes };
}

/** A slot with this in its info. */
export function addSlot(places: Places, name: string, slot: number, info: Partial<Info> = {}): string {
  const path = join(places.checkouts, `${name}.${slot}`);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'info'), encodeInfo({ ...NEW_INFO, image: name, ...info }));
  return path;
}

export function link(places: Places, name: string, target: string): void {
  symlinkSync(target, join(places.checkouts, name));
}

export interface TestHost extends Host {
  readonly lines: string[];
  readonly warnings: string[];
  /** Calls of the runtime. */
  readonly calls: string[];
}

export interface TestHostOptions {
  /** Word of `is-active` for a unit. */
  readonly states?: Readonly<Record<string, string>>;
  /** What `run` and `exec` do. */
  readonly work?: (words: readonly string[], pidFile: string | undefined) => number;
  readonly spec?: unknown;
}

export function testHost(places: Places, options: TestHostOptions = {}): TestHost {
  const [lines, warnings, calls]: [string[], string[], string[]] = [[], [], []];
  const unused = (): never => {
    throw new Error('unreachable: nothing here asks for that');
  };
  const work = options.work ?? (() => 0);
  const runtime = (path: string): RuntimeControl => ({
    path,
    features: async () => ({ systemdCgroup: true, pidFile: true }),
    defaultConfig: async () => options.spec,
    deleteForce: async (id) => void calls.push(`delete ${id}`),
    exec: async (id, command, { tty, detach = false, pidFile }) => {
      calls.push(`exec${tty ? ' -t' : ''}${detach ? ' --detach' : ''} ${id} ${command.join(' ')}`);
      return work(['exec', id, ...command], pidFile);
    },
    execCaptured: unused,
    run: async (id, bundle, { pidFile }) => {
      calls.push('run');
      return work(['run', id, bundle], pidFile);
    },
  });
  return {
    places,
    services: {
      line: (...words) => `systemctl ${words.join(' ')}`,
      daemonReload: unused,
      enable: unused,
      disableNow: unused,
      start: unused,
      stop: unused,
      resetFailed: unused,
      activeState: async (unit) => options.states?.[unit] ?? 'inactive',
      enabledState: unused,
      watch: unused,
    },
    tmpfiles: {
      line: (...words) => `systemd-tmpfiles ${words.join(' ')}`,
      create: async (fragment) => void calls.push(`tmpfiles ${fragment}`),
      remove: unused,
    },
    runtime,
    log: {
      action: (line) => void lines.push(line),
      detail: () => undefined,
      warning: (line) => void warnings.push(line),
    },
    progress: () => undefined,
    now: () => 1_700_000_000_000,
    env: { PATH: '/nowhere' },
    lockTimeoutMs: 1000,
    signal: new AbortController().signal,
    lines,
    warnings,
    calls,
  };
}
