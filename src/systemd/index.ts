/** What we say to systemd and what it means to us. */
export { watchUnits } from './health.ts';
export { formatTimeSpan, parseTimeSpan } from './time-span.ts';
export { systemctl, type UnitControl, type UnitStatus } from './units.ts';
export { splitWords } from './words.ts';
