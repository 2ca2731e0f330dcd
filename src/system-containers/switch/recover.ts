/** What a killed run has left of a container is put in order by the next command on it, under its lock. */
import { explain } from '../../base/error.ts';
import { ContainerError } from '../error.ts';
import type { Host } from '../host.ts';
import { slotName } from '../names/index.ts';
import { type ContainerLock, withContainerLock } from './container-lock.ts';
import type { Side } from './course.ts';
import { deleteDisplaced, isDisplaced } from './displaced.ts';
import { forgetJournal, type Journal, OpenJournal, type Operation, readJournal, sweepJournal } from './journal.ts';
import { removeContainer } from './remove.ts';
import { deploymentIn, readSide } from './side.ts';
import { takeBack } from './take-back.ts';
import { isThere } from './units-on-host.ts';

export interface Recovery {
  readonly operation: Operation;
  /** `finished`: the container is gone, as was wanted; `undone`: it is as it was before. */
  readonly outcome: 'finished' | 'undone';
}

/** Lock, put in order, work. */
export function withContainer<T>(host: Host, name: string, work: (lock: ContainerLock) => Promise<T>): Promise<T> {
  return withContainerLock(host, name, async (lock) => {
    await recover(host, lock, name);
    return work(lock);
  });
}

/**
 * Undefined: there was nothing to do.
 * @throws ContainerError BAD_JOURNAL; CONTAINER_BROKEN when what was before is lost, or cannot be put in order
 */
export async function recover(host: Host, lock: ContainerLock, name: string): Promise<Recovery | undefined> {
  const journal = readJournal(host.places, name);
  if (journal === undefined) {
    sweepJournal(lock.state, name);
    deleteDisplaced(host.places, name); // of a switch that counts
    return undefined;
  }
  const { operation } = journal;
  host.log.warning(
    `${name}: ${article(operation)} was interrupted: ${isRemoval(journal) ? 'finishing it' : 'taking it back'}`,
  );
  if (isRemoval(journal)) {
    await removeContainer(host, lock, { name, purge: journal.purge });
    return { operation, outcome: 'finished' };
  }
  const failures = await takeBack({
    host,
    journal: new OpenJournal(lock.state, journal),
    ...sidesOf(host, journal),
    graceMs: 0,
  });
  if (readJournal(host.places, name) !== undefined) throw notInOrder(name, operation, failures[0]);
  return { operation, outcome: 'undone' };
}

/** For a container that is going to be removed, whatever state it is in. */
export async function recoverIfPossible(host: Host, lock: ContainerLock, name: string): Promise<void> {
  try {
    await recover(host, lock, name);
  } catch (error) {
    host.signal.throwIfAborted();
    host.log.warning(explain(error));
    forgetJournal(lock.state, name);
    deleteDisplaced(host.places, name);
  }
}

const isRemoval = ({ operation, direction }: Journal): boolean => operation === 'uninstall' && direction === 'forward';
const article = (operation: Operation): string => (/^[aeiou]/.test(operation) ? `an ${operation}` : `a ${operation}`);

function sidesOf(
  { places }: Host,
  journal: Journal,
): { readonly from: Side | undefined; readonly to: Side | undefined } {
  const { name, from, to } = journal;
  const read = (slot: number): Side => readSide(deploymentIn(places, name, slot));
  return {
    from: from === undefined ? undefined : read(from),
    to: to !== undefined && hasItsPlace({ places }, journal, to) ? read(to) : undefined,
  };
}

/** What lies in the slot is the old deployment as long as that was not put aside. */
function hasItsPlace({ places }: Pick<Host, 'places'>, { name, operation, displaces }: Journal, slot: number): boolean {
  if (!isThere(`${places.checkouts}/${slotName(name, slot)}`)) return false;
  return operation === 'rollback' || !displaces || isDisplaced(places, name);
}

function notInOrder(name: string, operation: Operation, cause: unknown): ContainerError {
  return new ContainerError(
    'CONTAINER_BROKEN',
    `container ${name}: the interrupted ${operation} could not be taken back`,
    {
      cause,
      hint: `mend the cause and try again; "uninstall ${name}" works in any case`,
      subject: name,
    },
  );
}
