/** `CHECKOUTS/.state`: locks, journals and what a switch has put aside (spec system-containers 8). */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { assertSafeOwner } from '../../linux/files/owner.ts';
import type { Places } from '../places/places.ts';

/** Open it, made when absent; the caller closes it. @throws CodedError UNSAFE_OWNER: others could write journals */
export function openState(places: Pick<Places, 'checkouts' | 'state'>): Directory {
  fs.mkdirSync(places.checkouts, { recursive: true, mode: 0o711 });
  fs.mkdirSync(places.state, { recursive: true, mode: 0o700 });
  return opened(places);
}

function opened({ state }: Pick<Places, 'state'>): Directory {
  const directory = openDirectory(state);
  try {
    assertSafeOwner(directory.stat(), { path: state });
    return directory;
  } catch (error) {
    directory.close();
    throw error;
  }
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
    state = opened(places);
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
