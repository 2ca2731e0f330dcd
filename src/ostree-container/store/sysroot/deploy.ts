/**
 * An image as a deployment: its tree checked out, `etc` made of `usr/etc`, and the origin file. There it ends: no boot
 * loader entry is written, and nothing here ever removes a deployment.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../../base/error.ts';
import { formatImageName } from '../../../images/index.ts';
import { naming } from '../../../linux/calls/system-error.ts';
import { openDirectory } from '../../../linux/files/directory.ts';
import { replaceFile } from '../../../linux/files/durable.ts';
import {
  CHECKOUT_DEFAULTS,
  type Checksum,
  checkout,
  HEAD,
  type Repository,
  readRef,
  withTransaction,
} from '../../../ostree/index.ts';
import type { OstreeReference } from '../../reference/index.ts';
import { pullIntoStore, type StorePull, type StorePullOptions } from '../pull/index.ts';
import { assertStateroot, type Deployment, deploymentsOf } from './deployments.ts';
import { formatOrigin, imageOfOrigin } from './origin.ts';

export interface DeployOptions extends StorePullOptions {
  readonly sysroot: string;
  readonly stateroot: string;
  /** What the origin file names; undefined: what is pulled. */
  readonly target: OstreeReference | undefined;
}

export interface Deployed {
  readonly pulled: StorePull;
  readonly deployment: Pick<Deployment, 'commit' | 'serial' | 'path'>;
  /** False: the newest deployment was this one already. */
  readonly isNew: boolean;
}

/** @param repository that of the sysroot @throws as `pullIntoStore` and `checkout`; StoreError NOT_A_SYSROOT */
export async function deployImage(repository: Repository, options: DeployOptions): Promise<Deployed> {
  const { sysroot, stateroot, reference, target = reference, signal } = options;
  const folder = join(sysroot, 'ostree/deploy', assertStateroot(stateroot), 'deploy');
  // Layers without a name would be dropped before the deployment holds them.
  const pulled = await pullIntoStore(repository, { ...options, skipGc: options.skipGc || !options.setImageRef });
  const { commit } = pulled;
  const before = deploymentsOf(sysroot, stateroot);
  const newest = before.filter(({ hasOrigin }) => hasOrigin).at(-1);
  if (newest?.commit === commit && isOfImage(newest, target)) return { pulled, deployment: newest, isNew: false };
  makeStateroot(join(sysroot, 'ostree/deploy', stateroot));
  // What a killed run has left has no origin file: its number is used again.
  const left = before.find((each) => each.commit === commit && !each.hasOrigin);
  if (left !== undefined) fs.rmSync(left.path, { recursive: true });
  const serials = before.filter((each) => each.commit === commit && each !== left).map(({ serial }) => serial);
  const serial = Math.max(-1, ...serials) + 1;
  const path = join(folder, `${commit}.${serial}`);
  await hold(repository, commit, options);
  await checkout(repository, commit, path, CHECKOUT_DEFAULTS, signal);
  await checkOutEtc(repository, commit, path, signal);
  writeOrigin(folder, `${commit}.${serial}.origin`, formatOrigin(target));
  return { pulled, deployment: { commit, serial, path }, isNew: true };
}

function isOfImage({ image }: Deployment, { image: wanted }: OstreeReference): boolean {
  return image !== undefined && formatImageName(imageOfOrigin(image)) === formatImageName(wanted);
}

/** The ref by which pruning knows that a deployment needs the commit; that of libostree, with the first free number. */
async function hold(repository: Repository, commit: Checksum, options: StorePullOptions): Promise<void> {
  for (let index = 0; ; index++) {
    const ref = `ostree/0/1/${index}`;
    const held = readRef(repository, HEAD, ref);
    if (held === commit) return;
    if (held !== undefined) continue;
    return withTransaction(repository, options, async (transaction) =>
      transaction.setRef({ place: HEAD, ref, commit }),
    );
  }
}

/** The host's own `etc`, which it will change: copies, never links. */
async function checkOutEtc(repository: Repository, commit: Checksum, path: string, signal: AbortSignal): Promise<void> {
  if (!fs.existsSync(join(path, 'usr/etc')) || fs.existsSync(join(path, 'etc'))) return;
  const options = { ...CHECKOUT_DEFAULTS, subpath: '/usr/etc', links: 'never' } as const;
  await checkout(repository, commit, join(path, 'etc'), options, signal);
}

/** As `ostree admin os-init` makes it. */
function makeStateroot(path: string): void {
  for (const folder of ['deploy', 'var/tmp', 'var/lib', 'var/log']) {
    naming(join(path, folder), () => fs.mkdirSync(join(path, folder), { recursive: true }));
  }
  fs.chmodSync(join(path, 'var/tmp'), 0o1777);
  for (const [name, target] of [
    ['run', '../run'],
    ['lock', '../run/lock'],
  ] as const) {
    try {
      fs.symlinkSync(target, join(path, 'var', name));
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
}

/** Last of all: with it the deployment is whole. */
function writeOrigin(folder: string, name: string, text: string): void {
  const directory = openDirectory(folder);
  try {
    replaceFile({ directory, name }, { directory, name: `.${name}.partial` }, Buffer.from(text), 0o644);
  } finally {
    directory.close();
  }
}
