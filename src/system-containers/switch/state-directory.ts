/** `CHECKOUTS/.state`: locks, journals and what a switch has put aside (spec system-containers 8). */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import type { Places } from '../places/places.ts';

/** Open it, made when absent; the caller closes it. */
export function openState(places: Pick<Places, 'checkouts' | 'state'>): Directory {
  fs.mkdirSync(places.checkouts, { recursive: true, mode: 0o755 });
  fs.mkdirSync(places.state, { recursive: true, mode: 0o700 });
  return openDirectory(places.state);
}

export function withState<T>(places: Pick<Places, 'checkouts' | 'state'>, work: (state: Directory) => T): T {
  const state = openState(places);
  try {
    return work(state);
  } finally {
    state.close();
  }
}

/** The same without making anything: undefined where nothing was ever installed. */
export function withExistingState<T>(places: Pick<Places, 'state'>, work: (state: Directory) => T): T | undefined {
  let state: Directory;
  try {
    state = openDirectory(places.state);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return work(state);
  } finally {
    state.close();
  }
}
