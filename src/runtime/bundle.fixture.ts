/** A bundle that runs busybox, and the programs that run it. */
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { searchPath } from '../../test/support/needs.ts';
import { findProgram } from '../linux/processes/find-program.ts';

export function programPath(name: string): string {
  return findProgram(name, searchPath()) ?? name;
}

/** What a root file system has to have for a static shell. */
export function makeRootfs(bundle: string): void {
  const rootfs = join(bundle, 'rootfs');
  for (const dir of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp', 'data'])
    mkdirSync(join(rootfs, dir), { recursive: true, mode: 0o755 });
  copyFileSync(programPath('busybox'), join(rootfs, 'bin/busybox'));
  for (const applet of ['sh', 'cat', 'id', 'sleep', 'ls', 'hostname', 'touch'])
    symlinkSync('busybox', join(rootfs, 'bin', applet));
}

/** A configuration as images bring it; `script` is what the shell in it runs. */
export function exampleConfig(script: string): Record<string, unknown> {
  return {
    ociVersion: '1.0.0',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: ['/bin/sh', '-c', script],
      env: ['PATH=/bin'],
      cwd: '/',
    },
    root: { path: 'rootfs', readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['mode=1777'] },
    ],
    linux: { namespaces: [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }] },
  };
}

export function writeBundle(bundle: string, config: unknown): void {
  makeRootfs(bundle);
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
}
