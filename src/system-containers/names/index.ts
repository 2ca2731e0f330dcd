/** Names of containers, of their slots, and the names that images give them. */
export { defaultName } from './default-name.ts';
export { assertContainerName, isContainerName } from './name.ts';
export { parseSlotName, SLOT_LIMIT, slotName } from './slot-name.ts';
