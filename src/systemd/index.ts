/** What we say to systemd and what it means to us. */
export { type UnitProblem, verifyUnit } from './analyze.ts';
export { type Calendar, matchesCalendar, minutesPerHour, parseCalendar } from './calendar.ts';
export { watchUnits } from './health.ts';
export { encodeJournalEntry, type JournalFields, sendToJournal } from './journal.ts';
export { formatMetrics, type Metric, type Sample, writeMetrics } from './metrics.ts';
export { type ControlOptions, type ServiceControl, serviceControl, type TmpfilesControl } from './service-control.ts';
export { formatTmpfilesField, parseTmpfiles, type TmpfilesLine } from './tmpfiles.ts';
export { tmpfilesControl } from './tmpfiles-control.ts';
export { type InstallNames, installNames, parseUnit, type UnitEntry, type UnitFile } from './unit-file.ts';
export { systemctl, type UnitControl, type UnitStatus } from './units.ts';
export { splitWords } from './words.ts';
