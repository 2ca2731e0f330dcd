/** A deployment of the container kvd before its preflight, and the pieces of one. */
import type { TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { parseRuntimeConfig } from '../../runtime/index.ts';
import { memoryTree } from '../contract/tree.fixture.ts';
import type { HostFile } from '../host-files/index.ts';
import type { Places } from '../places/places.ts';
import { checkDeployment, type Preflight, type PreflightRequest } from './index.ts';

const never = new AbortController().signal;
export const DEPLOYMENT = '/var/lib/containers/atomic/kvd.0';

export function places(root: string, more: Partial<Places> = {}): Places {
  return {
    scope: 'system',
    uid: 0,
    gid: 0,
    root,
    checkouts: `${root}/var/lib/containers/atomic`,
    state: `${root}/var/lib/containers/atomic/.state`,
    repository: `${root}/var/lib/containers/atomic/.storage/repo`,
    repositoryMode: 'bare',
    preinstalled: undefined,
    units: `${root}/etc/systemd/system`,
    tmpfiles: `${root}/etc/tmpfiles.d`,
    directories: { run: '/run', state: '/var/lib', conf: '/etc' },
    keep: 2,
    hostPrefixes: [],
    ...more,
  };
}

export function config(
  mounts: readonly { source: string; destination?: string; ro?: boolean }[] = [],
  more: object = {},
) {
  const json = {
    process: { args: ['/usr/bin/kvd'] },
    root: { path: 'rootfs', readonly: true },
    mounts: mounts.map(({ source, destination = '/mnt', ro = false }) => ({
      source,
      destination,
      type: 'bind',
      options: ['rbind', ro ? 'ro' : 'rw'],
    })),
    ...more,
  };
  return parseRuntimeConfig(Buffer.from(JSON.stringify(json)), 'config.json');
}

export const file = (path: string, more: Partial<HostFile> = {}): HostFile => ({
  path,
  source: `exports/hostfs${path}`,
  kind: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 1,
  target: undefined,
  isTemplate: false,
  hasCapabilities: false,
  ...more,
});

export function check(t: TestContext, more: Partial<PreflightRequest> = {}): Promise<Preflight> {
  const request: PreflightRequest = {
    tree: memoryTree({ 'usr/bin/kvd': '' }),
    places: places(scratch(t)),
    values: new Map([
      ['NAME', 'kvd'],
      ['DESTDIR', DEPLOYMENT],
    ]),
    permissions: [],
    ...more,
  };
  return checkDeployment(request, never);
}
