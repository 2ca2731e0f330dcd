/** Which containers may be changed. */
import { findContainer, openContainer } from '../deployment/index.ts';
import { ContainerError } from '../error.ts';
import type { Host } from '../host.ts';
import { isContainerName } from '../names/index.ts';
import { readJournal } from './journal.ts';

/**
 * One of ours, or what an interrupted run has left of one.
 * @throws ContainerError CONTAINER_MISSING, CONTAINER_PREINSTALLED
 */
export function assertChangeable({ places }: Host, name: string): void {
  const container = isContainerName(name) ? findContainer(places, name) : undefined;
  if (container?.isPreinstalled === true) {
    throw new ContainerError('CONTAINER_PREINSTALLED', `container ${name} belongs to the system's image`, {
      hint: 'it is updated and removed with it; install one of the same name to have your own in its place',
      subject: name,
    });
  }
  if (container !== undefined || !isContainerName(name)) return void openContainer(places, name);
  if (!hasJournal(places, name)) openContainer(places, name);
}

function hasJournal(places: Host['places'], name: string): boolean {
  try {
    return readJournal(places, name) !== undefined;
  } catch (error) {
    if (error instanceof ContainerError) return true; // broken, but there
    throw error;
  }
}
