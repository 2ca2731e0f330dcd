/**
 * One command at a time on one container: `.state/NAME.lock`. The repository's lock is taken after it, never before.
 * It is held while the service starts and stops, too: a unit that calls a changing command on its own container would
 * wait for itself, and ends with LOCK_TIMEOUT. Listing and `run` take no lock.
 */
import type { Directory } from '../../linux/files/directory.ts';
import { type Lock, lockFile } from '../../linux/processes/lock.ts';
import type { Host } from '../host.ts';
import { openState } from './state-directory.ts';

/** A held lock, with the directory that the journal goes to. */
export interface ContainerLock {
  readonly state: Directory;
  /** A second time does nothing. */
  release(): void;
}

type LockHost = Pick<Host, 'places' | 'lockTimeoutMs' | 'log' | 'signal'>;

/** @throws CodedError LOCK_TIMEOUT */
export async function lockContainer(host: LockHost, name: string): Promise<ContainerLock> {
  return lockNamed(host, `${name}.lock`, `container ${name}`);
}

/** @throws CodedError LOCK_TIMEOUT */
export async function withContainerLock<T>(
  host: LockHost,
  name: string,
  work: (lock: ContainerLock) => Promise<T>,
): Promise<T> {
  const lock = await lockContainer(host, name);
  try {
    return await work(lock);
  } finally {
    lock.release();
  }
}

/** While names are looked at and taken: `etcd` and `etcd.0` cannot both be free for two runs. No container's name. */
export async function withNamesLock<T>(host: LockHost, work: () => Promise<T>): Promise<T> {
  const lock = await lockNamed(host, '.names.lock', 'names of containers');
  try {
    return await work();
  } finally {
    lock.release();
  }
}

async function lockNamed(host: LockHost, file: string, what: string): Promise<ContainerLock> {
  const state = openState(host.places);
  let lock: Lock;
  try {
    lock = await lockFile(state, file, {
      timeoutMs: host.lockTimeoutMs,
      signal: host.signal,
      onWait: () => host.log.warning(`${what}: another run is at work, waiting for it`),
    });
  } catch (error) {
    state.close();
    throw error;
  }
  return {
    state,
    release() {
      lock.release();
      state.close();
    },
  };
}
