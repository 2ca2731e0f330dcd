/**
 * The deployment that a new one takes the slot of. It is put aside and not deleted until the new one counts: whoever
 * fails to update can still go back to where he could go back before.
 */
import { openDirectory } from '../../linux/files/directory.ts';
import { syncBoth } from '../../linux/files/durable.ts';
import { removeTree } from '../../linux/files/remove-tree.ts';
import { ContainerError } from '../error.ts';
import { slotName } from '../names/index.ts';
import type { Places } from '../places/places.ts';

interface SlotOf {
  readonly places: Pick<Places, 'checkouts' | 'state'>;
  readonly name: string;
  readonly slot: number;
}

/** No container has such a name, and leftovers of preparations are called otherwise. */
const asideName = (name: string): string => `${name}.displaced`;

/** Nothing when the slot is free. */
export function displace({ places, name, slot }: SlotOf): void {
  withBoth(places, (checkouts, state) => {
    const found = checkouts.lstat(slotName(name, slot));
    if (found === undefined) return;
    if (!found.isDirectory()) throw notADeployment(checkouts.pathOf(slotName(name, slot)));
    removeTree(state, asideName(name)); // of a switch that counts, and was killed before it had tidied up
    checkouts.rename(slotName(name, slot), state, asideName(name));
    syncBoth(state, checkouts);
  });
}

/** Of another container that somebody has called like a slot, for example. */
function notADeployment(path: string): ContainerError {
  return new ContainerError('CONTAINER_EXISTS', `${path} already exists, and is no deployment`, { subject: path });
}

export function isDisplaced(places: SlotOf['places'], name: string): boolean {
  return withBoth(places, (_, state) => state.lstat(asideName(name)) !== undefined);
}

/** Put it back into its slot; what lies there now goes. Nothing when nothing was put aside. */
export function putBack({ places, name, slot }: SlotOf): void {
  withBoth(places, (checkouts, state) => {
    if (state.lstat(asideName(name)) === undefined) return;
    dropSlot(checkouts, name, slot);
    state.rename(asideName(name), checkouts, slotName(name, slot));
    syncBoth(checkouts, state);
  });
}

/** Delete a deployment: its name is free at once, also when the deletion is interrupted. */
export function deleteSlot({ places, name, slot }: SlotOf): void {
  withBoth(places, (checkouts) => dropSlot(checkouts, name, slot));
}

/** Delete what was put aside. */
export function deleteDisplaced(places: SlotOf['places'], name: string): void {
  withBoth(places, (_, state) => removeTree(state, asideName(name)));
}

type Opened = ReturnType<typeof openDirectory>;

function dropSlot(checkouts: Opened, name: string, slot: number): void {
  const found = checkouts.lstat(slotName(name, slot));
  if (found === undefined || !found.isDirectory()) return; // a link of that name is another container
  const doomed = `.${slotName(name, slot)}.tmp-deleted`;
  removeTree(checkouts, doomed);
  checkouts.rename(slotName(name, slot), checkouts, doomed);
  checkouts.sync();
  removeTree(checkouts, doomed);
}

function withBoth<T>(places: SlotOf['places'], work: (checkouts: Opened, state: Opened) => T): T {
  const checkouts = openDirectory(places.checkouts);
  try {
    const state = openDirectory(places.state);
    try {
      return work(checkouts, state);
    } finally {
      state.close();
    }
  } finally {
    checkouts.close();
  }
}
