/** `etcd.0`: a directory with one deployment of `etcd`. */

/** Slots have one digit, so that `postgres.15` may live beside `postgres`. */
export const SLOT_LIMIT = 10;

export function slotName(name: string, slot: number): string {
  return `${name}.${slot}`;
}

/** Undefined for a name that no slot has. */
export function parseSlotName(entry: string): { readonly name: string; readonly slot: number } | undefined {
  const match = /^(.+)\.([0-9])$/s.exec(entry);
  return match?.[1] === undefined ? undefined : { name: match[1], slot: Number(match[2]) };
}
