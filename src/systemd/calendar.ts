/**
 * Calendar expressions as systemd writes them, used as windows: is this minute one that the expression names?
 * `Sat,Sun *-*-* 02..04:*` is every minute from 02:00 to 04:59 on Saturdays and Sundays.
 * Source: systemd.time(7), "Calendar Events". `systemd-analyze calendar` is the oracle of the tests.
 */
export interface Calendar {
  readonly text: string;
  /** 0 is Monday; undefined: any day. */
  readonly weekdays: ReadonlySet<number> | undefined;
  readonly year: Component;
  readonly month: Component;
  readonly day: Component;
  /** Days count back from the last one of the month, which is 1. */
  readonly fromEnd: boolean;
  readonly hour: Component;
  readonly minute: Component;
  /** An IANA zone; undefined: the host's own. */
  readonly zone: string | undefined;
}

/** Any value, or ranges of values `from..to`, each taken in steps. */
type Component = 'any' | readonly Range[];
interface Range {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const SHORTHANDS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    minutely: '*-*-* *:*:00',
    hourly: '*-*-* *:00:00',
    daily: '*-*-* 00:00:00',
    monthly: '*-*-01 00:00:00',
    weekly: 'Mon *-*-* 00:00:00',
    yearly: '*-01-01 00:00:00',
    annually: '*-01-01 00:00:00',
    quarterly: '*-01,04,07,10-01 00:00:00',
    semiannually: '*-01,07-01 00:00:00',
  }),
);
const LIMITS = {
  year: [1970, 2199],
  month: [1, 12],
  day: [1, 31],
  hour: [0, 23],
  minute: [0, 59],
  second: [0, 59],
} as const;

/** Undefined when it is not a calendar expression. Seconds are read, and do not count. */
export function parseCalendar(text: string): Calendar | undefined {
  const [first = '', ...rest] = text.trim().split(/\s+/);
  if (first === '') return undefined;
  const shorthand = SHORTHANDS.get(first.toLowerCase());
  if (shorthand !== undefined && rest.length > 1) return undefined;
  const words = [...(shorthand ?? first).split(' '), ...rest];
  const zone = words.length > 1 ? readZone(words.at(-1) ?? '') : undefined;
  if (zone !== undefined) words.pop();
  const weekdays = /^[a-z]/i.test(words[0] ?? '') ? readWeekdays(words.shift() ?? '') : undefined;
  if (weekdays === 'wrong') return undefined;
  const date = words[0] !== undefined && !words[0].includes(':') ? readDate(words.shift() ?? '') : ANY_DATE;
  const time = words[0] === undefined ? MIDNIGHT : readTime(words.shift() ?? '');
  if (date === undefined || time === undefined || words.length > 0) return undefined;
  return { text, weekdays, ...date, ...time, zone };
}

/** In how many minutes of an hour that it names is the expression true? Few are rarely what was meant. */
export function minutesPerHour({ minute }: Calendar): number {
  return Array.from({ length: 60 }, (_, i) => i).filter((i) => has(minute, i)).length;
}

/** Is the minute of `epochMs` one that the expression names? */
export function matchesCalendar(calendar: Calendar, epochMs: number): boolean {
  const now = partsOf(epochMs, calendar.zone);
  const day = calendar.fromEnd ? new Date(Date.UTC(now.year, now.month, 0)).getUTCDate() - now.day + 1 : now.day;
  return (
    (calendar.weekdays?.has(now.weekday) ?? true) &&
    has(calendar.year, now.year) &&
    has(calendar.month, now.month) &&
    has(calendar.day, day) &&
    has(calendar.hour, now.hour) &&
    has(calendar.minute, now.minute)
  );
}

function has(component: Component, value: number): boolean {
  if (component === 'any') return true;
  return component.some(({ from, to, step }) => value >= from && value <= to && (value - from) % step === 0);
}

function partsOf(epochMs: number, zone: string | undefined) {
  const format = new Intl.DateTimeFormat('en-US', {
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    ...(zone === undefined ? {} : { timeZone: zone }),
  });
  const parts = new Map(format.formatToParts(epochMs).map(({ type, value }) => [type, Number(value)]));
  const get = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const [year, month, day] = [get('year'), get('month'), get('day')];
  const weekday = (new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7;
  return { year, month, day, weekday, hour: get('hour'), minute: get('minute') };
}

/** A zone as the last word; undefined when the word is something else. */
function readZone(word: string): string | undefined {
  if (
    !/^[A-Za-z]/.test(word) ||
    DAYS.some((day) => word.toLowerCase().startsWith(day.slice(0, 3)) && !word.includes('/'))
  ) {
    return undefined;
  }
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: word }).resolvedOptions().timeZone;
  } catch {
    return undefined; // not a zone, and nothing else that could stand here: the caller finds a word too many
  }
}

function readWeekdays(word: string): ReadonlySet<number> | 'wrong' {
  const days = new Set<number>();
  for (const item of word.replace(/,$/, '').split(',')) {
    const [from, to, extra] = item.split(/\.\.|-/).map(dayNumber);
    if (from === undefined || from === -1 || to === -1 || extra !== undefined) return 'wrong';
    if (to !== undefined && to < from) return 'wrong'; // systemd refuses "Sat..Mon", too
    for (let day = from; day <= (to ?? from); day++) days.add(day);
  }
  return days;
}

function dayNumber(name: string): number {
  const lower = name.toLowerCase();
  return DAYS.findIndex((day) => lower === day || lower === day.slice(0, 3));
}

const ANY_DATE = { year: 'any', month: 'any', day: 'any', fromEnd: false } as const;
const MIDNIGHT = { hour: [{ from: 0, to: 0, step: 1 }], minute: [{ from: 0, to: 0, step: 1 }] } as const;

/** `Y-M-D`, `M-D`, or with `~` before a day that counts from the end of the month. */
function readDate(word: string): Pick<Calendar, 'year' | 'month' | 'day' | 'fromEnd'> | undefined {
  const [, yearText, monthText = '', mark = '', dayText = ''] =
    /^(?:([^-~]+)-)?([^-~]+)([-~])([^-~]+)$/.exec(word) ?? [];
  const year = yearText === undefined ? 'any' : readComponent(yearText, ...LIMITS.year);
  const month = readComponent(monthText, ...LIMITS.month);
  const day = mark === '~' ? readFromEnd(dayText) : readComponent(dayText, ...LIMITS.day);
  if (year === undefined || month === undefined || day === undefined) return undefined;
  return { year, month, day, fromEnd: mark === '~' };
}

/** `H:M` or `H:M:S`. */
function readTime(word: string): Pick<Calendar, 'hour' | 'minute'> | undefined {
  const [hourText = '', minuteText = '', secondText = '0', extra] = word.split(':');
  const hour = readComponent(hourText, ...LIMITS.hour);
  const minute = readComponent(minuteText, ...LIMITS.minute);
  const second = readComponent(secondText.replace(/\.[0-9]+$/, ''), ...LIMITS.second);
  if (hour === undefined || minute === undefined || second === undefined || extra !== undefined) return undefined;
  return { hour, minute };
}

/** Days counted from the end of the month go on towards it: `07/1` is the seventh from the end to the last. */
function readFromEnd(text: string): Component | undefined {
  const [, first = '', every = ''] = /^([0-9]{1,2})\/([0-9]{1,2})$/.exec(text) ?? [];
  const [from, step] = [Number(first), Number(every)];
  if (first === '') return readComponent(text, ...LIMITS.day);
  if (from < 1 || from > 31 || step < 1) return undefined;
  return [{ from: from - Math.floor((from - 1) / step) * step, to: from, step }];
}

/** A star, or a list of `A`, `A..B`, `A/S` and `A..B/S`; a star may have a step too. */
function readComponent(text: string, least: number, most: number): Component | undefined {
  if (text === '*') return 'any';
  const ranges: Range[] = [];
  for (const item of text.split(',')) {
    const [, star, first, last, every] =
      /^(?:(\*)|([0-9]{1,4})(?:\.\.([0-9]{1,4}))?)(?:\/([0-9]{1,4}))?$/.exec(item) ?? [];
    if (star === undefined && first === undefined) return undefined;
    const from = star === undefined ? Number(first) : least;
    const step = every === undefined ? 1 : Number(every);
    const to = last === undefined ? (every === undefined && star === undefined ? from : most) : Number(last);
    if (from < least || to > most || to < from || step < 1) return undefined;
    ranges.push({ from, to, step });
  }
  return ranges;
}
