// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what templates look like
/** An image that nothing can be said against, and ways to spoil it. */
import type { ImageConfig } from '../../oci/index.ts';
import { memoryTree, type TreeFile } from '../contract/tree.fixture.ts';
import type { Finding } from './finding.ts';
import { lintImage } from './lint-image.ts';

export const MANIFEST = {
  defaultValues: { ADDTL_MOUNTS: '', PORT: 1 },
  renameFiles: { '/etc/x/x.conf': '${CONF_DIRECTORY}/${NAME}/x.conf' },
  installedFilesTemplate: ['/etc/x/x.conf'],
};
export const CONFIG = {
  process: {
    terminal: false,
    args: ['/usr/bin/x', '$PORT'],
    capabilities: { bounding: ['CAP_KILL'] },
    noNewPrivileges: true,
  },
  root: { path: 'rootfs', readonly: true },
  mounts: [{ destination: '/data', type: 'bind', source: '$STATE_DIRECTORY/$NAME', options: ['rbind'] }],
  linux: {
    namespaces: [{ type: 'pid' }, { type: 'ipc' }, { type: 'mount' }],
    seccomp: { defaultAction: 'SCMP_ACT_ERRNO' },
    resources: { pids: { limit: 100 } },
  },
};
const UNIT = `[Unit]
Description=$NAME
[Service]
ExecStart=$EXEC_START
ExecStop=$EXEC_STOP
WorkingDirectory=$DESTDIR
[Install]
WantedBy=multi-user.target
`;
const TMPFILES = 'd $STATE_DIRECTORY/$NAME 0700 $HOST_UID $HOST_GID - -\n';

/** Nothing can be said against it. */
export const GOOD: Readonly<Record<string, TreeFile>> = {
  'exports/manifest.json': JSON.stringify(MANIFEST, null, 1),
  'exports/config.json.template': JSON.stringify(CONFIG, null, 1).replace(
    /\n \],\n "linux"/,
    '\n $ADDTL_MOUNTS ],\n "linux"',
  ),
  'exports/service.template': UNIT,
  'exports/tmpfiles.template': TMPFILES,
  'exports/hostfs/etc/x/x.conf': 'port $PORT\n',
  'usr/bin/x': { mode: 0o755 },
};

export const image = (labels: Record<string, string>): ImageConfig => ({
  architecture: 'amd64',
  os: 'linux',
  rootfs: { type: 'layers', diff_ids: [] },
  config: { Labels: labels },
});

/** The good image with other files; undefined takes one away. */
export function lint(
  changes: Readonly<Record<string, TreeFile | undefined>>,
  config?: ImageConfig,
): readonly Finding[] {
  const files = Object.entries({ ...GOOD, ...changes }).filter(([, file]) => file !== undefined);
  return lintImage(memoryTree(Object.fromEntries(files) as Record<string, TreeFile>), config);
}

export const json = (change: object, base: object = CONFIG): string => JSON.stringify({ ...base, ...change }, null, 1);
export const config = (change: object) => ({ 'exports/config.json.template': json(change) });
export const process = (change: object) => config({ process: { ...CONFIG.process, ...change } });
export const linux = (change: object) => config({ linux: { ...CONFIG.linux, ...change } });
export const mount = (change: object) => config({ mounts: [{ ...CONFIG.mounts[0], ...change }] });
export const manifest = (change: object) => ({ 'exports/manifest.json': json(change, MANIFEST) });
export const unit = (from: string | RegExp, to: string) => ({ 'exports/service.template': UNIT.replace(from, to) });
export const tmpfiles = (line: string) => ({ 'exports/tmpfiles.template': `${TMPFILES}${line}\n` });
