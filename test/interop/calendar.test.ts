/** Calendar expressions against `systemd-analyze calendar`: the instants that systemd would elapse at are the oracle. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { matchesCalendar, parseCalendar } from '../../src/systemd/index.ts';
import { needs, searchPath } from '../support/needs.ts';

process.env['TZ'] = 'UTC';

const BASE = '2024-01-15 00:00:00 UTC';
const ITERATIONS = 12;
const MINUTE_MS = 60_000;
const SEED = 252;
const PATH = searchPath();

interface Verdict {
  readonly expression: string;
  /** Undefined: refused, or without an answer. */
  readonly instants: readonly number[] | undefined;
}

/** One process for many expressions. Blocks come in the order asked, and refused ones give none. */
function askSystemd(expressions: readonly string[], base = BASE): Verdict[] {
  const { stdout, stderr } = spawnSync(
    'systemd-analyze',
    ['calendar', `--iterations=${ITERATIONS}`, `--base-time=${base}`, '--', ...expressions],
    { env: { PATH, TZ: 'UTC', LC_ALL: 'C', SYSTEMD_COLORS: '0' }, encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  // Of some zones and months systemd 252 cannot tell the next elapse ("Resource deadlock avoided"): no answer either.
  const refusal = /^Failed to (?:parse calendar specification|determine next elapse for) '(.*)': /gm;
  const refused = new Set([...stderr.matchAll(refusal)].map((m) => m[1]));
  const blocks = stdout.split(/\n\s*\n/).filter((block) => block.includes('Normalized form:'));
  const verdicts: Verdict[] = [];
  for (const expression of expressions) {
    if (refused.has(expression)) {
      verdicts.push({ expression, instants: undefined });
      continue;
    }
    const block = blocks.shift() ?? assert.fail(`no answer to ${expression}: ${stderr}`);
    const [, form = ''] = /(?:Original|Normalized) form: (.*)/.exec(block) ?? [];
    assert.equal(form, expression, 'the answers are out of step');
    const found = [...block.matchAll(/(?:Next elapse|Iter\. #\d+): \w+ (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/g)];
    verdicts.push({ expression, instants: found.map(([, date, time]) => Date.parse(`${date}T${time}Z`)) });
  }
  return verdicts;
}

/** Where our window and systemd's instants differ, as lines for people. */
function differences({ expression, instants = [] }: Verdict, isAmbiguous = (_at: number): boolean => false): string[] {
  const calendar = parseCalendar(expression);
  if (calendar === undefined) return [`${expression}: refused`];
  const iso = (at: number): string => new Date(at).toISOString();
  const wrong: string[] = [];
  for (const [i, at] of instants.entries()) {
    if (!matchesCalendar(calendar, at)) wrong.push(`${expression}: not open at ${iso(at)}`);
    // Nothing is open between two elapses that follow each other.
    const next = instants[i + 1];
    if (next === undefined) continue;
    const middle = at + Math.floor((next - at) / 2 / MINUTE_MS) * MINUTE_MS;
    for (const between of [at + MINUTE_MS, middle, next - MINUTE_MS]) {
      if (between <= at || between >= next || isAmbiguous(between)) continue;
      if (matchesCalendar(calendar, between)) wrong.push(`${expression}: open at ${iso(between)}`);
    }
  }
  return wrong;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** A value, a range, a value or range with a step; everything within the limits that systemd checks. */
function item(least: number, most: number): fc.Arbitrary<string> {
  const value = fc.integer({ min: least, max: most });
  const pair = fc.tuple(value, value).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  return fc.oneof(
    value.map(two),
    value.map(String),
    pair.map(([a, b]) => `${two(a)}..${two(b)}`),
    pair.filter(([a, b]) => b > a).map(([a, b]) => `${two(a)}/${b - a}`),
    fc
      .tuple(pair, fc.integer({ min: 1, max: 9 }))
      .filter(([[a, b], step]) => a + step <= b)
      .map(([[a, b], step]) => `${two(a)}..${two(b)}/${step}`),
  );
}
function component(least: number, most: number): fc.Arbitrary<string> {
  const list = fc.array(item(least, most), { minLength: 1, maxLength: 3 }).map((items) => items.join(','));
  return fc.oneof({ weight: 1, arbitrary: fc.constant('*') }, { weight: 2, arbitrary: list });
}

const DAY_NAMES = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const dayItem = fc.tuple(fc.nat({ max: 6 }), fc.nat({ max: 6 })).map(([a, b]) => {
  const [from, to] = [DAY_NAMES[Math.min(a, b)], DAY_NAMES[Math.max(a, b)]];
  return from === to ? String(from) : `${from}..${to}`;
});
const weekdays = fc.array(dayItem, { minLength: 1, maxLength: 2 }).map((items) => items.join(','));
const year = fc.oneof(
  { weight: 3, arbitrary: fc.constant('*') },
  { weight: 1, arbitrary: fc.constantFrom('2024', '2024..2030', '2024/2', '2025,2028') },
);
const fromStart = fc.tuple(year, component(1, 12), component(1, 28)).map((parts) => parts.join('-'));
const anyDay = fc
  .tuple(fc.option(year, { nil: undefined }), component(1, 12), component(1, 31))
  .map(([y, m, d]) => (y === undefined ? `${m}-${d}` : `${y}-${m}-${d}`));
const fromEnd = fc
  .tuple(
    component(1, 12),
    fc.oneof(
      fc.integer({ min: 1, max: 28 }).map(two),
      fc
        .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 8 }))
        .map(([a, more]) => `${two(a)}..${two(a + more)}`),
    ),
  )
  .map(([month, day]) => `*-${month}~${day}`);
const time = fc
  .tuple(component(0, 23), component(0, 59), fc.constantFrom('', ':00', ':0'))
  .map(([hour, minute, second]) => `${hour}:${minute}${second}`);
const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Auckland');
const expression = fc
  .tuple(
    fc.option(weekdays, { nil: undefined }),
    fc.option(fc.oneof(fromStart, anyDay, fromEnd), { nil: undefined }),
    time,
    fc.option(zone, { nil: undefined, freq: 2 }),
  )
  .map((words) => words.filter((word) => word !== undefined).join(' '));

/** Within a day of a change of the clocks systemd lets an hour that comes twice elapse once: not what a window does. */
function isNearClockChange(at: number): boolean {
  const day = Math.floor(at / DAY_MS);
  const known = changes.get(day) ?? ZONES.some((format) => offset(format, day - 1) !== offset(format, day + 2));
  changes.set(day, known);
  return known;
}

const DAY_MS = 86_400_000;
const changes = new Map<number, boolean>();
const ZONES = ['Europe/Berlin', 'America/New_York', 'Pacific/Auckland'].map(
  (timeZone) => new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }),
);
function offset(format: Intl.DateTimeFormat, day: number): string | undefined {
  return format.formatToParts(day * DAY_MS).find(({ type }) => type === 'timeZoneName')?.value;
}

describe('calendar expressions and systemd', { skip: needs('systemd-analyze') }, () => {
  it('agree on generated expressions: open at every elapse, and closed between two of them', (t) => {
    t.diagnostic(`seed ${SEED}`);
    const expressions = [...new Set(fc.sample(expression, { numRuns: 300, seed: SEED }))];
    const verdicts = askSystemd(expressions).filter(({ instants }) => instants !== undefined);
    // systemd refuses a few that this file makes, such as a repetition of "*"; what it takes is the test.
    assert.ok(verdicts.length > 200, `only ${verdicts.length} were accepted`);
    assert.ok(verdicts.flatMap(({ instants }) => instants ?? []).length > 2000);
    const wrong = verdicts.flatMap((verdict) => differences(verdict, isNearClockChange));
    assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} differences`);
  });

  it('agree on the examples of systemd.time(7) that name minutes', () => {
    const examples = [
      'Sat,Thu,Mon..Wed,Sat..Sun',
      'Mon,Sun 12-*-* 2,1:23',
      'Wed *-1',
      'Wed..Wed,Wed *-1',
      'Wed, 17:48',
      'Wed..Sat,Tue 12-10-15 1:2:3',
      '*-*-7 0:0:0',
      '10-15',
      'monday *-12-* 17:00',
      'Mon,Fri *-*-3,1,2 *:30',
      '12,14,13,12:20,10,30',
      '12..14:10,20,30',
      'mon,fri *-1/2-1,3 *:30',
      '03-05 08:05',
      '08:05:40',
      '05:40',
      'Sat,Sun 12-05 08:05',
      'Sat,Sun 08:05',
      '2003-03-05 05:40',
      '2003-02..04-05',
      '2003-03-05',
      '03-05',
      'hourly',
      'daily',
      'daily UTC',
      'monthly',
      'weekly',
      'weekly Pacific/Auckland',
      'yearly',
      'annually',
      '*:2/3',
      '*-05~03',
      'Mon *-05~07/1',
    ].map((text) => text.replace(/\b(12)-(\*|10)-/, '2024-$2-')); // years of two digits are not ours
    const wrong = askSystemd(examples, '2003-01-01 00:00:00 UTC').flatMap((verdict) => {
      assert.notEqual(verdict.instants, undefined, `systemd refuses ${verdict.expression}`);
      return differences(verdict);
    });
    assert.deepEqual(wrong, []);
  });

  it('agree on the last days of every month of eight years', () => {
    const expressions = ['*-*~01 12:00', '*-*~1,3,5 12:00', '*-02~01..03 12:00', '*-02-29 12:00', '*-*-31 12:00'];
    const wrong = ['2024-01-01', '2027-11-30', '2096-02-01', '2099-12-01'].flatMap((date) =>
      askSystemd(expressions, `${date} 00:00:00 UTC`).flatMap((verdict) => differences(verdict)),
    );
    assert.deepEqual(wrong, []);
  });

  it('agree on days that are counted from the end and repeated', () => {
    const expressions = ['*-*~07/1', '*-*~05/2', '*-02~10/3', 'Mon *-05~07/1', 'Sun *-10~07/1 02..04:*'];
    assert.deepEqual(
      askSystemd(expressions).flatMap((verdict) => differences(verdict)),
      [],
    );
  });

  it('agree around the change of the clocks, except that a repeated hour is open twice', () => {
    for (const base of ['2024-03-30 12:00:00 UTC', '2024-10-26 12:00:00 UTC']) {
      for (const verdict of askSystemd(
        ['*:30 Europe/Berlin', '01..03:15 Europe/Berlin', 'Sun 02:00 Europe/Berlin'],
        base,
      )) {
        const calendar = parseCalendar(verdict.expression) ?? assert.fail(`${verdict.expression} was refused`);
        assert.equal(verdict.instants?.length, ITERATIONS);
        for (const at of verdict.instants ?? [])
          assert.ok(matchesCalendar(calendar, at), `${verdict.expression} at ${new Date(at).toISOString()}`);
      }
    }
  });

  it('agree on what is refused', () => {
    const malformed = [
      'x',
      'Mondays',
      'Mon..',
      '..Fri',
      'Mon..Wed..Fri',
      'Sat..Mon',
      'Mon,,Tue',
      'Mon .. Fri',
      '12',
      '24:00',
      '0:60',
      '1:2:3:4',
      ':30',
      '12:5..',
      '12:10..5',
      '12:0/0',
      '12:0/',
      '12:/5',
      '12:+5',
      '12:5x',
      '12:5,,6',
      '22..02:00',
      '12:00-14:00',
      '12:00 14:00',
      '2024-13-01',
      '2024-00-01',
      '2024-01-32',
      '2024-01-00',
      '2024-01-01-01',
      '1969-01-01',
      '2200-01-01',
      '*-*~0',
      '*-*~32',
      '*-*~03..01',
      '~1',
      '2024-01-01T12:00',
      '12:00 Mars/Olympus',
      '12:00 +01:00',
      'UTC 12:00',
      '12:00 UTC UTC',
      '02..04',
    ];
    const systemd = askSystemd(malformed);
    assert.deepEqual(
      systemd.filter(({ instants }) => instants !== undefined).map((verdict) => verdict.expression),
      [],
      'systemd accepts them',
    );
    assert.deepEqual(
      malformed.filter((text) => parseCalendar(text) !== undefined),
      [],
      'we accept them',
    );
  });

  it('differ in a few that we take beyond systemd, and in years of two digits, each known', () => {
    const beyond = ['*:*/20', '*-*-*/10', '12:00 europe/berlin', ' 12:00'];
    for (const verdict of askSystemd(beyond)) {
      assert.deepEqual([verdict.instants, parseCalendar(verdict.expression) === undefined], [undefined, false]);
    }
    for (const text of ['24-01-01', '@1700000000'])
      assert.deepEqual([askSystemd([text])[0]?.instants === undefined, parseCalendar(text)], [false, undefined]);
  });
});
