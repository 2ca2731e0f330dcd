/** Which slot a new deployment goes to, and which one a rollback goes back to. */
import type { Container, Deployment } from './container.ts';

/** The one that a rollback activates: of those that are not active the one that was active last. */
export function rollbackTarget(container: Container): Deployment | undefined {
  return [...inactive(container)].sort(newestFirst)[0];
}

/**
 * The number for a new deployment: one without a deployment that could be gone back to, else that of the deployment that
 * has not been active for the longest time.
 * @param keep slots in all
 */
export function freeSlot(container: Pick<Container, 'active' | 'slots'>, keep: number): number {
  const active = container.active?.slot;
  const numbers = Array.from({ length: keep }, (_, slot) => slot).filter((slot) => slot !== active);
  const empty = numbers.find((slot) => !container.slots.some((each) => each.slot === slot));
  if (empty !== undefined) return empty;
  const oldest = inactive(container)
    .filter(({ slot }) => numbers.includes(slot))
    .sort(newestFirst)
    .at(-1);
  return oldest?.slot ?? numbers[0] ?? 0;
}

/** Slots to remove so that `keep` are left: the active one and those that were active last stay. */
export function surplusSlots(container: Container, keep: number): readonly number[] {
  const kept = [...inactive(container)].sort(newestFirst).slice(0, Math.max(0, keep - 1));
  const stay = new Set([container.active?.slot, ...kept.map(({ slot }) => slot)]);
  return container.slotsOnDisk.filter((slot) => !stay.has(slot));
}

function inactive({ active, slots }: Pick<Container, 'active' | 'slots'>): Deployment[] {
  return slots.filter(({ slot }) => slot !== active?.slot);
}

function newestFirst(a: Deployment, b: Deployment): number {
  return activationOf(b) - activationOf(a) || b.slot - a.slot;
}

/** Milliseconds since the epoch; old files only tell when the deployment was made, in seconds. */
function activationOf({ info }: Deployment): number {
  return info.activated ?? info.created * 1000;
}
