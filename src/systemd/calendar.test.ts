import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Calendar, matchesCalendar, minutesPerHour, parseCalendar } from './calendar.ts';

// The host's own zone is what an expression without a zone means: fixed, so that these tests mean the same everywhere.
process.env['TZ'] = 'UTC';

function parse(text: string): Calendar {
  return parseCalendar(text) ?? assert.fail(`${text} was refused`);
}
const isOpen = (text: string, at: string): boolean => matchesCalendar(parse(text), Date.parse(at));

/** 2024-01-01 is a Monday. */
function days(text: string): string {
  const names = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
  return names.filter((_, i) => isOpen(text, `2024-01-0${i + 1}T00:00:00Z`)).join(' ');
}
function daysOfMonth(text: string, month: string): number[] {
  return Array.from({ length: 31 }, (_, i) => i + 1).filter((day) => {
    const at = `${month}-${String(day).padStart(2, '0')}T00:00:00Z`;
    return new Date(at).getUTCDate() === day && isOpen(text, at);
  });
}
const minutes = (text: string): number[] =>
  Array.from({ length: 60 }, (_, i) => i).filter((i) =>
    isOpen(text, `2024-01-01T00:${String(i).padStart(2, '0')}:00Z`),
  );
const hours = (text: string): number[] =>
  Array.from({ length: 24 }, (_, i) => i).filter((i) =>
    isOpen(text, `2024-01-01T${String(i).padStart(2, '0')}:00:00Z`),
  );

describe('a calendar expression as a window', () => {
  it('is open in every minute that it names, and in no other', () => {
    const text = 'Sat,Sun *-*-* 02..04:*';
    for (const at of ['2024-01-06T02:00:00Z', '2024-01-06T04:59:59.999Z', '2024-01-07T03:30:00Z']) {
      assert.ok(isOpen(text, at), at);
    }
    for (const at of ['2024-01-06T01:59:59.999Z', '2024-01-06T05:00:00Z', '2024-01-05T03:00:00Z']) {
      assert.ok(!isOpen(text, at), at);
    }
  });

  it('does not look at seconds, written or passed', () => {
    assert.ok(isOpen('12:30:15', '2024-01-01T12:30:00Z'));
    assert.ok(isOpen('12:30:00', '2024-01-01T12:30:59.999Z'));
    assert.ok(!isOpen('12:30', '2024-01-01T12:31:00Z'));
  });

  it('without a time means midnight, and without a date any day', () => {
    assert.deepEqual(hours('2024-01-01'), [0]);
    assert.deepEqual(minutes('2024-01-01'), [0]);
    assert.deepEqual(hours('05:00'), [5]);
    assert.ok(isOpen('05:00', '1999-12-31T05:00:00Z'));
  });

  it('names days of the week by lists and ranges, short or long, in any case', () => {
    assert.equal(days('Mon'), 'Mon');
    assert.equal(days('MONDAY'), 'Mon');
    assert.equal(days('tue,thursday'), 'Tue Thu');
    assert.equal(days('Mon..Fri'), 'Mon Tue Wed Thu Fri');
    assert.equal(days('Mon-Wed,Sun'), 'Mon Tue Wed Sun');
    assert.equal(days('Wed..Wed'), 'Wed');
    assert.equal(days('Thu,'), 'Thu');
  });

  it('wants day of the week and date both', () => {
    assert.ok(isOpen('Fri *-*-13', '2024-09-13T00:00:00Z'));
    assert.ok(!isOpen('Fri *-*-13', '2024-10-13T00:00:00Z'));
    assert.ok(!isOpen('Fri *-*-13', '2024-09-20T00:00:00Z'));
  });

  it('names minutes and hours by lists, ranges and steps', () => {
    assert.deepEqual(minutes('*:5'), [5]);
    assert.deepEqual(minutes('*:05,50,07'), [5, 7, 50]);
    assert.deepEqual(minutes('*:10..13'), [10, 11, 12, 13]);
    assert.deepEqual(minutes('*:0/15'), [0, 15, 30, 45]);
    assert.deepEqual(minutes('*:7/20'), [7, 27, 47]);
    assert.deepEqual(minutes('*:10..30/10,59'), [10, 20, 30, 59]);
    assert.deepEqual(minutes('*:10..29/10'), [10, 20]);
    assert.deepEqual(hours('1,22..23:00'), [1, 22, 23]);
    assert.deepEqual(hours('6/6:00'), [6, 12, 18]);
    assert.equal(minutes('*:*').length, 60);
    assert.equal(hours('*:00').length, 24);
  });

  it('names days of the month, the month and the year alike', () => {
    assert.deepEqual(daysOfMonth('*-*-10..12,31', '2024-01'), [10, 11, 12, 31]);
    assert.deepEqual(daysOfMonth('*-*-1/10', '2024-02'), [1, 11, 21]);
    assert.deepEqual(daysOfMonth('5-15', '2024-05'), [15]);
    assert.deepEqual(daysOfMonth('5-15', '2024-06'), []);
    assert.deepEqual(daysOfMonth('2024..2026/2-*-3', '2026-07'), [3]);
    assert.deepEqual(daysOfMonth('2024..2026/2-*-3', '2025-07'), []);
    assert.deepEqual(daysOfMonth('*-1/3-1', '2024-04'), [1]);
    assert.deepEqual(daysOfMonth('*-1/3-1', '2024-05'), []);
  });

  it('with a star and a step counts from the least value', () => {
    assert.deepEqual(minutes('*:*/20'), [0, 20, 40]);
    assert.deepEqual(daysOfMonth('*-*-*/10', '2024-01'), [1, 11, 21, 31]);
  });

  it('is never open on a day that the month does not have', () => {
    assert.deepEqual(daysOfMonth('*-02-30', '2024-02'), []);
    assert.ok(!isOpen('*-02-30', '2024-03-01T00:00:00Z'));
  });
});

describe('a day counted from the end of the month', () => {
  it('is the last one for ~01, whatever the length of the month', () => {
    for (const [month, last] of [
      ['2024-01', 31],
      ['2024-02', 29],
      ['2023-02', 28],
      ['2100-02', 28],
      ['2024-04', 30],
    ] as const) {
      assert.deepEqual(daysOfMonth('*-*~01', month), [last], month);
    }
  });

  it('may be in a list or a range', () => {
    assert.deepEqual(daysOfMonth('*-*~1,3', '2024-01'), [29, 31]);
    assert.deepEqual(daysOfMonth('*-*~10..12', '2024-02'), [18, 19, 20]);
    assert.deepEqual(daysOfMonth('*-02~03', '2024-02'), [27]);
    assert.deepEqual(daysOfMonth('2024-02~03', '2025-02'), []);
  });

  it('goes with a day of the week', () => {
    assert.ok(isOpen('Wed *-*~01', '2024-01-31T00:00:00Z'));
    assert.ok(!isOpen('Thu *-*~01', '2024-01-31T00:00:00Z'));
  });

  it('with a step goes on towards the end of the month, as in "Mon *-05~07/1" of systemd.time(7)', () => {
    assert.deepEqual(daysOfMonth('*-*~07/1', '2024-01'), [25, 26, 27, 28, 29, 30, 31]);
    assert.deepEqual(daysOfMonth('*-*~05/2', '2024-01'), [27, 29, 31]);
    assert.deepEqual(daysOfMonth('Mon *-05~07/1', '2024-05'), [27]);
  });
});

describe('a shorthand', () => {
  for (const [word, long] of [
    ['minutely', '*-*-* *:*:00'],
    ['hourly', '*-*-* *:00:00'],
    ['daily', '*-*-* 00:00:00'],
    ['monthly', '*-*-01 00:00:00'],
    ['weekly', 'Mon *-*-* 00:00:00'],
    ['yearly', '*-01-01 00:00:00'],
    ['annually', '*-01-01 00:00:00'],
    ['quarterly', '*-01,04,07,10-01 00:00:00'],
    ['semiannually', '*-01,07-01 00:00:00'],
    ['DAILY', '*-*-* 00:00:00'],
  ] as const) {
    it(`${word} stands for ${long}`, () => {
      const { text: _, ...meant } = parse(word);
      const { text: __, ...written } = parse(long);
      assert.deepEqual(meant, written);
    });
  }

  it('may have a zone, as for systemd', () => {
    assert.ok(isOpen('daily Asia/Tokyo', '2024-01-01T15:00:00Z'));
    assert.ok(!isOpen('daily Asia/Tokyo', '2024-01-01T00:00:00Z'));
  });
});

describe('an expression with a time zone', () => {
  it('is about the clocks of that zone', () => {
    assert.ok(isOpen('12:00 Europe/Berlin', '2024-01-01T11:00:00Z'));
    assert.ok(isOpen('12:00 Europe/Berlin', '2024-07-01T10:00:00Z'));
    assert.ok(isOpen('12:00 UTC', '2024-07-01T12:00:00Z'));
    assert.ok(isOpen('12:00 Asia/Kolkata', '2024-07-01T06:30:00Z'));
    assert.ok(!isOpen('12:00 Europe/Berlin', '2024-07-01T11:00:00Z'));
  });

  it('is about the days of that zone', () => {
    assert.ok(isOpen('Mon *-01-01 *:* Pacific/Auckland', '2023-12-31T12:00:00Z'));
    assert.ok(!isOpen('Mon *-01-01 *:* Pacific/Honolulu', '2024-01-01T09:00:00Z'));
    assert.ok(isOpen('*-*~01 *:* Pacific/Honolulu', '2024-02-01T09:00:00Z'));
  });

  it('without one is about the clocks of the host', () => {
    process.env['TZ'] = 'America/New_York';
    try {
      assert.ok(isOpen('07:00', '2024-01-01T12:00:00Z'));
      assert.ok(!isOpen('12:00', '2024-01-01T12:00:00Z'));
    } finally {
      process.env['TZ'] = 'UTC';
    }
  });

  it('is not open in an hour that summer time leaves out, and open in both that it repeats', () => {
    const open = (from: string, count: number): number[] =>
      Array.from({ length: count }, (_, i) => i).filter((i) =>
        matchesCalendar(parse('02:30 Europe/Berlin'), Date.parse(from) + i * 60_000),
      );
    assert.deepEqual(open('2024-03-31T00:00:00Z', 180), []);
    assert.deepEqual(open('2024-10-27T00:00:00Z', 180), [30, 90]);
  });

  it('may be in the first hour of the day, which is no hour 24', () => {
    assert.ok(isOpen('00:15 Europe/Berlin', '2024-01-01T23:15:00Z'));
    assert.ok(isOpen('Tue 00:15 Europe/Berlin', '2024-01-01T23:15:00Z'));
  });
});

describe('what is no calendar expression', () => {
  for (const text of [
    '',
    ' ',
    'x',
    'Mondays',
    'Mo',
    'Mon..',
    '..Fri',
    'Mon...Fri',
    'Mon..Wed..Fri',
    'Sat..Mon',
    'Sun..Sat',
    'Mon,,Tue',
    'Mon .. Fri',
    'Mon Tue',
    '12',
    '24:00',
    '0:60',
    '0:0:60',
    '1:2:3:4',
    '12:',
    ':30',
    '12:-5',
    '12:5,',
    '12:,5',
    '12:5..',
    '12:..5',
    '12:10..5',
    '12:0/0',
    '12:0/',
    '12:/5',
    '12:0/5/5',
    '12:+5',
    '12:5x',
    '22..02:00',
    '12:00-14:00',
    '12:00 14:00',
    '12:00 2024-01-01',
    '2024-13-01',
    '2024-00-01',
    '2024-01-32',
    '2024-01-00',
    '2024-01-01-01',
    '2024~01-01',
    '1969-01-01',
    '2200-01-01',
    '-01-01',
    '*-*~0',
    '*-*~32',
    '*-*~03..01',
    '*-*-*-*',
    '~1',
    '2024-01-01T12:00',
    '12:00 Mars/Olympus',
    '12:00 +01:00',
    'UTC 12:00',
    '12:00 UTC UTC',
    'sometimes',
    '__proto__',
    'constructor',
    'constructor UTC',
    '02..04',
    '\u0661\u0662:00',
    '1e1:00',
    '0x5:00',
  ]) {
    it(`is ${JSON.stringify(text)}`, () => assert.equal(parseCalendar(text), undefined));
  }

  it('is found out without an exception, whatever the text', () => {
    const piece = fc.constantFrom(...'*0123456789,./-~: '.split(''), '..', 'Mon', 'UTC', 'daily', '\0', 'é');
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 30 }), fc.array(piece, { maxLength: 15 })), (words) => {
        const text = typeof words === 'string' ? words : words.join('');
        const calendar = parseCalendar(text);
        if (calendar !== undefined) assert.equal(typeof matchesCalendar(calendar, 1_704_067_200_000), 'boolean');
      }),
      { numRuns: 2000, seed: 7 },
    );
  });
});

describe('the minutes of an hour in which an expression is true', () => {
  for (const [text, minutes] of [
    ['02:00', 1],
    ['Sat *-*-* 02..04:00', 1],
    ['*:0,30', 2],
    ['daily', 1],
    ['02:05..05', 1],
    ['02:00..04:00', 5],
    ['*:0/10', 6],
    ['02:00..30', 31],
    ['02:*', 60],
    ['minutely', 60],
  ] as const) {
    it(`are ${minutes} in ${text}`, () => assert.equal(minutesPerHour(parse(text)), minutes));
  }
});

describe('a window of minutes', () => {
  it('is open at an instant exactly when its components name the parts of that instant', () => {
    const hour = fc.nat({ max: 23 });
    const minute = fc.nat({ max: 59 });
    fc.assert(
      fc.property(hour, hour, minute, minute, fc.nat({ max: 1439 }), (h1, h2, m1, m2, at) => {
        const [fromHour, toHour, fromMinute, toMinute] = [
          Math.min(h1, h2),
          Math.max(h1, h2),
          Math.min(m1, m2),
          Math.max(m1, m2),
        ];
        const text = `${fromHour}..${toHour}:${fromMinute}..${toMinute}`;
        const [h, m] = [Math.floor(at / 60), at % 60];
        const named = h >= fromHour && h <= toHour && m >= fromMinute && m <= toMinute;
        assert.equal(matchesCalendar(parse(text), Date.UTC(2024, 4, 17, h, m)), named, text);
      }),
      { numRuns: 500 },
    );
  });
});
