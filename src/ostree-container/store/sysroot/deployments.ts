/** Deployments of a sysroot as they lie on the disk: `ostree/deploy/STATEROOT/deploy/COMMIT.SERIAL`, and an origin file beside each. */
import { join } from 'node:path';
import { codeOf } from '../../../base/error.ts';
import { printable, quote } from '../../../base/text.ts';
import { type Directory, openDirectory } from '../../../linux/files/directory.ts';
import { readBounded } from '../../../linux/files/read.ts';
import { type Checksum, openRepository, type Repository } from '../../../ostree/index.ts';
import { StoreError } from '../error.ts';
import { ORIGIN_LIMIT, readOrigin } from './origin.ts';

export interface Deployment {
  readonly stateroot: string;
  readonly commit: Checksum;
  readonly serial: number;
  /** Of the directory, absolute. */
  readonly path: string;
  /** Undefined when it was not made of an image, or there is no origin file. */
  readonly image: string | undefined;
  readonly hasOrigin: boolean;
}

const NAME = /^([0-9a-f]{64})\.(0|[1-9][0-9]{0,8})$/;

/** @throws StoreError NOT_A_SYSROOT */
export function openSysrootRepository(sysroot: string): Repository {
  try {
    return openRepository(join(sysroot, 'ostree/repo'));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'NOT_A_REPOSITORY') throw error;
    throw new StoreError('NOT_A_SYSROOT', `${printable(sysroot)}: has no repository at ostree/repo`, {
      cause: error,
      hint: `make one with "ostree-container repo init --mode=bare --repo=${join(sysroot, 'ostree/repo')}"`,
      subject: sysroot,
    });
  }
}

/** Of all state roots; none when there is nothing. */
export function listDeployments(sysroot: string): Deployment[] {
  return inDirectory(join(sysroot, 'ostree/deploy'), (deploy) => deploy.list().sort())
    .filter((name) => isStateroot(name))
    .flatMap((stateroot) => deploymentsOf(sysroot, stateroot));
}

export function deploymentsOf(sysroot: string, stateroot: string): Deployment[] {
  const folder = join(sysroot, 'ostree/deploy', assertStateroot(stateroot), 'deploy');
  return inDirectory(folder, (directory) =>
    directory.list().flatMap((name): Deployment[] => {
      const [, commit = '', serial = ''] = NAME.exec(name) ?? [];
      if (commit === '' || directory.lstat(name)?.isDirectory() !== true) return [];
      const origin = readBounded(directory, `${name}.origin`, ORIGIN_LIMIT);
      const image = origin && readOrigin(Buffer.from(origin.bytes).toString('utf8'));
      const path = join(folder, name);
      return [{ stateroot, commit, serial: Number(serial), path, image, hasOrigin: origin !== undefined }];
    }),
  ).sort((a, b) => a.serial - b.serial);
}

/** One name in a path. @throws StoreError NOT_A_SYSROOT */
export function assertStateroot(name: string): string {
  if (isStateroot(name)) return name;
  throw new StoreError('NOT_A_SYSROOT', `${quote(name)} is no name of a state root`, { subject: name });
}

function isStateroot(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(name);
}

function inDirectory<T>(path: string, work: (directory: Directory) => T[]): T[] {
  let directory: Directory;
  try {
    directory = openDirectory(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'NOT_A_DIRECTORY') return [];
    throw error;
  }
  try {
    return work(directory);
  } finally {
    directory.close();
  }
}
