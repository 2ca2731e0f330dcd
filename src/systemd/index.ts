/** What we say to systemd and what it means to us. */
export { type Calendar, matchesCalendar, minutesPerHour, parseCalendar } from './calendar.ts';
export { watchUnits } from './health.ts';
export { encodeJournalEntry, type JournalFields, sendToJournal } from './journal.ts';
export { formatMetrics, type Metric, type Sample, writeMetrics } from './metrics.ts';
export type { ServiceControl, TmpfilesControl } from './service-control.ts';
export { systemctl, type UnitControl, type UnitStatus } from './units.ts';
export { splitWords } from './words.ts';
