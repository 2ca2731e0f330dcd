/** `os-containers` on a host that is a directory: `--root`, fakes for systemd and the runtime, images in layouts. */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type FakeSystemd, fakeSystemd } from '../support/fake-systemd.ts';
import { makeImage, type SampleEntry } from '../support/oci-image.ts';
import { type Finished, type NodeOptions, OS_CONTAINERS, runNode } from '../support/program.ts';

export interface ContainerPlace {
  /** Of `--root`: what would be `/`. */
  readonly root: string;
  readonly checkouts: string;
  readonly repo: string;
  readonly systemd: FakeSystemd;
  /** The words that every command here begins with. */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  run(args: readonly string[], options?: NodeOptions): Promise<Finished>;
  /** The same, which has to succeed; action lines without their dates. */
  did(...args: readonly string[]): Promise<readonly string[]>;
}

export interface PlaceOptions {
  /** In place of a directory of the folder. */
  readonly root?: string | undefined;
  /** In place of the default below the root. */
  readonly checkouts?: string | undefined;
}

/** @param folder a new one, or one that an earlier place was made in (or a copy of that) */
export function containerPlace(folder: string, script = OS_CONTAINERS, own: PlaceOptions = {}): ContainerPlace {
  const root = own.root ?? join(folder, 'host');
  const checkouts = own.checkouts ?? join(root, 'var/lib/containers/atomic');
  for (const path of ['etc/systemd/system', 'etc/tmpfiles.d', 'usr/local/bin', 'var/lib', 'run']) {
    mkdirSync(join(root, path), { recursive: true });
  }
  const systemd = fakeSystemd(join(folder, 'systemd'));
  const elsewhere = own.checkouts === undefined ? [] : ['--checkouts', own.checkouts];
  const words = ['--root', root, '--runtime', systemd.runtime, ...elsewhere];
  const { env } = systemd;
  const run = (args: readonly string[], options: NodeOptions = {}): Promise<Finished> =>
    runNode(script, [...words, ...args], { ...options, env: { ...env, ...options.env } });
  return {
    root,
    checkouts,
    repo: join(checkouts, '.storage/repo'),
    systemd,
    words,
    env,
    run,
    async did(...args) {
      const ended = await run(args);
      if (ended.status !== 0) throw new Error(`${args.join(' ')}: status ${ended.status}: ${ended.stderr}`);
      return actionLines(ended.stderr);
    },
  };
}

const DATE = /^\d{4}\/\d{2}\/\d{2} \d{2}:\d{2}:\d{2} /;

/** Every line of the log, each of which has to begin with a date. */
export function actionLines(stderr: string): readonly string[] {
  const lines = stderr.split('\n').filter((line) => line !== '');
  for (const line of lines) if (!DATE.test(line)) throw new Error(`a line without a date: ${line}`);
  return lines.map((line) => line.replace(DATE, ''));
}

/** Path to what is there: type, mode, owner, content or target. Times are left out. */
export type Snapshot = Readonly<Record<string, string>>;

export function snapshot(root: string, skip: readonly string[] = ['var/lib/containers']): Snapshot {
  const found: Record<string, string> = {};
  const walk = (path: string): void => {
    if (skip.includes(path)) return;
    const at = join(root, path);
    const { mode, uid, gid } = lstatSync(at);
    const owner = `${(mode & 0o7777).toString(8)} ${uid}:${gid}`;
    if ((mode & 0o170000) === 0o120000) found[path] = `link ${readlinkSync(at)}`;
    else if ((mode & 0o170000) === 0o100000) found[path] = `file ${owner} ${readFileSync(at, 'latin1')}`;
    else {
      found[path] = `directory ${owner}`;
      for (const name of readdirSync(at).sort()) walk(path === '' ? name : `${path}/${name}`);
    }
  };
  walk('');
  return found;
}

/** What `info` of the active deployment says; undefined when there is no container of that name. */
export function activeInfo(
  place: Pick<ContainerPlace, 'checkouts'>,
  name: string,
): Readonly<Record<string, unknown>> | undefined {
  const file = join(place.checkouts, name, 'info');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>) : undefined;
}

/** The slot that the link of a container points to: `etcd.1`. */
export function activeSlot(place: Pick<ContainerPlace, 'checkouts'>, name: string): string {
  return readlinkSync(join(place.checkouts, name));
}

/** Names in the deployments directory, sorted, without the repository and the state. */
export function slotsIn({ checkouts }: Pick<ContainerPlace, 'checkouts'>): readonly string[] {
  return readdirSync(checkouts)
    .filter((name) => !['.storage', '.state'].includes(name))
    .sort();
}

const UNIT = `[Unit]
Description=$NAME

[Service]
ExecStart=$EXEC_START
ExecStop=$EXEC_STOP
Restart=on-failure
WorkingDirectory=$DESTDIR

[Install]
WantedBy=multi-user.target
`;

const CONFIG = JSON.stringify({
  ociVersion: '1.0.0',
  process: { terminal: false, user: { uid: 0, gid: 0 }, args: ['/usr/bin/etcd'], env: ['NAME=$NAME'], cwd: '/' },
  root: { path: 'rootfs', readonly: true },
  mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
  linux: { namespaces: [{ type: 'pid' }, { type: 'mount' }] },
});

const program = (version: string): SampleEntry => ({
  path: 'usr/bin/etcd',
  content: `#!/bin/sh\necho etcd ${version}\n`,
  mode: 0o755,
});

export interface EtcdOptions {
  readonly version?: string;
  /** Host files in place of the two of the example: path below `/` to content. */
  readonly hostFiles?: Readonly<Record<string, string>>;
  readonly manifest?: object;
  readonly tmpfiles?: string;
  readonly unit?: string;
  readonly config?: string;
  readonly entries?: readonly SampleEntry[];
  /** Layers above. */
  readonly layers?: readonly (readonly SampleEntry[])[];
}

const BASE: readonly SampleEntry[] = [
  ...['bin', 'usr', 'usr/bin', 'etc', 'proc', 'sys', 'dev', 'run', 'tmp', 'var', 'exports'].map(
    (path) => ({ path, type: 'directory' }) as const,
  ),
  { path: 'usr/bin/base', content: 'base\n', mode: 0o755 },
];

/** An image with the files of the seed's example. @returns its reference: `oci:DIRECTORY:TAG` */
export async function etcdImage(directory: string, tag: string, options: EtcdOptions = {}): Promise<string> {
  const { version = tag, manifest = {}, tmpfiles, unit = UNIT, config = CONFIG, entries = [], layers = [] } = options;
  const hostFiles = options.hostFiles ?? {
    'etc/etcd/etcd.conf': `# etcd ${version}\n`,
    'usr/local/bin/etcdctl': `#!/bin/sh\necho etcdctl ${version}\n`,
  };
  const folders = new Set<string>(['exports/hostfs']);
  for (const path of Object.keys(hostFiles)) {
    const parts = path.split('/').slice(0, -1);
    for (const [i] of parts.entries()) folders.add(`exports/hostfs/${parts.slice(0, i + 1).join('/')}`);
  }
  const own: SampleEntry[] = [
    ...[...folders].map((path) => ({ path, type: 'directory' }) as const),
    ...Object.entries(hostFiles).map(([path, content]) => ({
      path: `exports/hostfs/${path}`,
      content,
      mode: path.includes('/bin/') ? 0o755 : 0o644,
    })),
    { path: 'exports/manifest.json', content: JSON.stringify({ version: '1.0', ...manifest }) },
    { path: 'exports/config.json.template', content: config },
    { path: 'exports/service.template', content: unit },
    ...(tmpfiles === undefined ? [] : [{ path: 'exports/tmpfiles.template', content: tmpfiles }]),
    ...(entries.some(({ path }) => path === 'usr/bin/etcd') ? [] : [program(version)]),
    ...entries,
  ];
  await makeImage(directory, {
    layers: [BASE, own, ...layers],
    tag,
    config: { config: { Cmd: ['/usr/bin/etcd'], Labels: { 'atomic.type': 'system', version } } },
  });
  return `oci:${directory}:${tag}`;
}
