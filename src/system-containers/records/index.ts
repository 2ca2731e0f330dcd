/** What is left of a run for others to read: entries in the journal, a metrics file. */
export { type ContainerEvent, type EventKind, MESSAGE_ID, recordEvent, recordFailure } from './events.ts';
export { type RunResults, writeContainerMetrics } from './metrics.ts';
