import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mutate, seededRandom } from '../../../test/support/mutate.ts';
import { CodedError } from '../../base/error.ts';
import { formatPublicKey, generateSecretKey } from '../manifest/key.ts';
import { PUBLIC_TEXT } from '../manifest/manifest.fixture.ts';
import { CONFIG_KEYS, type Config, parseConfig } from './config.ts';

const PATH = '/etc/tako/app';
const REQUIRED = ['Origin=https://example.com/app', `PublicKey=${PUBLIC_TEXT}`, 'Version=1.*', 'Destination=/srv/app'];
const OTHER_KEY = formatPublicKey(generateSecretKey().publicKey);

const parse = (text: string | Uint8Array): Config => parseConfig(Buffer.from(text as Uint8Array), PATH);
/** The required lines and some more. */
const full = (...more: readonly string[]): string => `${[...REQUIRED, ...more].join('\n')}\n`;
/** The required lines, those with the same key replaced. */
const replaced = (line: string): string => {
  const name = line.slice(0, line.indexOf('=') + 1);
  return full().replace(new RegExp(`^${name}.*$`, 'm'), () => line);
};

/** The text of the error with this code that parsing ends in. */
function failure(text: string | Uint8Array, code: string): CodedError {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof CodedError, String(error));
    assert.equal(error.code, code, error.message);
    return error;
  }
  assert.fail(`accepted: ${JSON.stringify(String(text))}`);
}

/** Which line (counted from one) the error names. */
const lineOf = (error: CodedError): number => Number(/line (\d+)/.exec(error.message)?.[1]);

describe('a configuration', () => {
  it('with the four required keys is complete, everything else having its default', () => {
    const config = parse(full());
    assert.deepEqual([config.path, config.destination], [PATH, '/srv/app']);
    assert.deepEqual(
      config.origins.map((origin) => origin.base),
      ['https://example.com/app/'],
    );
    assert.deepEqual(config.publicKeys.map(formatPublicKey), [PUBLIC_TEXT]);
    assert.deepEqual([config.pattern.kind, config.pattern.text], ['wildcard', '1.*']);
    assert.deepEqual([config.restart, config.reload, config.maintenanceWindows, config.warnings], [[], [], [], []]);
    assert.deepEqual([config.healthCheck, config.healthMs, config.warnUnchangedMs], [undefined, 10_000, undefined]);
    assert.deepEqual([config.keepVersions, config.keepBytes], [undefined, undefined]);
    assert.deepEqual(config.secret, { password: false, command: false });
  });

  it('may have its lines in any order', () => {
    assert.equal(parse([...REQUIRED].reverse().join('\n')).destination, '/srv/app');
  });

  it('may lack the newline of its last line', () => {
    assert.equal(parse(full().trimEnd()).destination, '/srv/app');
  });

  it('may have its lines end in CRLF, which is no part of a value', () => {
    const config = parse(full('KeepVersions=3').replaceAll('\n', '\r\n'));
    assert.deepEqual([config.destination, config.keepVersions, config.warnings], ['/srv/app', 3, []]);
  });

  it('may mix both ends of line', () => {
    assert.equal(
      parse(`${REQUIRED[0]}\r\n${REQUIRED[1]}\n\r\n${REQUIRED[2]}\r\n${REQUIRED[3]}`).destination,
      '/srv/app',
    );
  });

  it('may begin with a byte order mark', () => {
    const { warnings, origins } = parse(`\ufeff${full()}`);
    assert.equal(origins.length, 1);
    assert.deepEqual(warnings, []);
  });

  it('may not hold a byte order mark anywhere else', () => {
    assert.equal(lineOf(failure(full('\ufeffKeepVersions=2'), 'INVALID_CONFIG')), 5);
    assert.equal(lineOf(failure(`\ufeff\ufeff${full()}`, 'INVALID_CONFIG')), 1);
  });

  it('may hold empty lines and comments', () => {
    const text = `# comment\n;comment = too\n\n#Origin=ftp://x\n${full()}#\n;\n\n`;
    assert.deepEqual(parse(text).warnings, []);
  });

  it('may hold lines of blanks, which are worth a warning each', () => {
    const { warnings } = parse(`  \n${full()}\t\n`);
    assert.equal(warnings.length, 2);
    assert.match(warnings[0] ?? '', /line 1\b/);
    assert.match(warnings[1] ?? '', /line 6\b/);
  });

  it('loses the blanks at the end of values, with a warning each', () => {
    const config = parse(full('KeepVersions=3 \t').replace('Version=1.*', 'Version=*  '));
    assert.deepEqual([config.pattern.kind, config.pattern.text, config.keepVersions], ['wildcard', '*', 3]);
    assert.equal(config.warnings.length, 2);
    assert.match(config.warnings[0] ?? '', /line 3\b/);
  });

  it('keeps everything after the first "=" of a line, a comment sign too', () => {
    assert.equal(parse(replaced('Destination=/srv/a=b # c ; d')).destination, '/srv/a=b # c ; d');
    assert.equal(parse(replaced('Destination= /srv')).destination, ' /srv');
    assert.equal(parse(replaced('Destination=srv/relative/')).destination, 'srv/relative/');
  });

  it('continues no line with a backslash', () => {
    assert.equal(lineOf(failure(full('Restart=a \\', 'b'), 'INVALID_CONFIG')), 6);
  });

  for (const [what, line] of [
    ['a section header', '[Image]'],
    ['a line without "="', 'Version'],
    ['an indented comment', ' # comment'],
    ['an indented comment of the other kind', '\t; comment'],
    ['a word', 'hello'],
    ['an unknown key', 'Colour=red'],
    ['a key in lower case', 'origin=https://example.com/'],
    ['a key in upper case', 'ORIGIN=https://example.com/'],
    ['a blank before a key', ' KeepVersions=2'],
    ['a blank after a key', 'KeepVersions =2'],
    ['an empty key', '=value'],
    ['a key of the prototype', 'constructor=x'],
    ['another key of the prototype', '__proto__=x'],
  ] as const) {
    it(`with ${what} is invalid, and the line is counted from one`, () => {
      assert.equal(lineOf(failure(`${line}\n${full()}`, 'INVALID_CONFIG')), 1);
      assert.equal(lineOf(failure(full('', line), 'INVALID_CONFIG')), 6);
      assert.equal(lineOf(failure(full('', line).replaceAll('\n', '\r\n'), 'INVALID_CONFIG')), 6);
    });
  }

  it('with an unknown key is told which ones are known, and which was meant', () => {
    for (const [typed, meant] of [
      ['Orign', 'Origin'],
      ['KeepVersion', 'KeepVersions'],
      ['restartunit', 'RestartUnit'],
      [' HealthSec ', 'HealthSec'],
    ] as const) {
      const { hint = '' } = failure(full(`${typed}=x`), 'INVALID_CONFIG');
      assert.match(hint, new RegExp(`mean ${meant}\\b`));
      for (const known of CONFIG_KEYS) assert.ok(hint.includes(known), known);
    }
    assert.doesNotMatch(failure(full('Qwertyuiop=x'), 'INVALID_CONFIG').hint ?? '', /mean/);
  });

  it('names its file as the subject of an error', () => {
    assert.equal(failure(full('x'), 'INVALID_CONFIG').subject, PATH);
    assert.equal(failure('', 'INCOMPLETE_CONFIG').subject, PATH);
    assert.equal(failure(replaced('PublicKey=!'), 'INVALID_PUBLIC_KEY_DATA').subject, PATH);
  });

  for (const [where, bytes] of [
    ['a value', 'Destination=/srv/\xff\n'],
    ['a comment', '# caf\xe9\n'],
    ['a key', '\xc3=x\n'],
  ] as const) {
    it(`that is not UTF-8 in ${where} is refused`, () => {
      assert.throws(() => parse(Buffer.from(full() + bytes, 'latin1')), CodedError);
    });
  }

  it('in UTF-8 may hold any character', () => {
    assert.equal(parse(replaced('Destination=/srv/é\u{1f600}')).destination, '/srv/é\u{1f600}');
  });
});

describe('errors of a configuration', () => {
  it('come in the order of the file', () => {
    assert.equal(lineOf(failure('Origin=x\nColour=red\n', 'INVALID_CONFIG')), 1);
    assert.equal(lineOf(failure('Colour=red\nOrigin=x\n', 'INVALID_CONFIG')), 1);
    assert.equal(lineOf(failure('PublicKey=!\nColour=red\n', 'INVALID_PUBLIC_KEY_DATA')), 1);
    assert.equal(lineOf(failure('\nVersion=\nPublicKey=!\n', 'INVALID_CONFIG')), 2);
    assert.equal(lineOf(failure(full('KeepVersions=2', 'KeepVersions=3', 'x'), 'INVALID_CONFIG')), 6);
  });

  it('of a line come before missing keys', () => {
    assert.equal(lineOf(failure('Version=1.*\nhello\n', 'INVALID_CONFIG')), 2);
  });

  it('about missing keys come in the order Origin, PublicKey, Version, Destination', () => {
    for (const [count, key] of ['Origin', 'PublicKey', 'Version', 'Destination'].entries()) {
      const error = failure(REQUIRED.slice(0, count).join('\n'), 'INCOMPLETE_CONFIG');
      assert.match(error.message, new RegExp(`\\b${key}\\b`));
      assert.match(error.hint ?? '', new RegExp(`${key}=`));
      const alone = failure(REQUIRED.filter((line) => !line.startsWith(`${key}=`)).join('\n'), 'INCOMPLETE_CONFIG');
      assert.match(alone.message, new RegExp(`\\b${key}\\b`));
    }
    assert.match(failure(REQUIRED.slice(0, 2).join('\n'), 'INCOMPLETE_CONFIG').hint ?? '', /\*/);
  });

  it('about missing keys do not mind the order of the lines', () => {
    assert.match(failure('Destination=/srv\nVersion=*\n', 'INCOMPLETE_CONFIG').message, /\bOrigin\b/);
  });

  it('for an empty file, and one of comments, is that of the first missing key', () => {
    for (const text of ['', '\n', '# nothing\n', '\ufeff']) {
      assert.match(failure(text, 'INCOMPLETE_CONFIG').message, /\bOrigin\b/);
    }
  });

  for (const secret of [
    'Origin=ftp://user:hunter2@example.com/',
    'Origin=https://user:hunter2@example.com:99999/',
    'Origin=https://user:hunter2@example.com/?q',
    'Origin=https://user:hunter/2@example.com/',
    'Origin=https://user:hun@ter2@exa mple.com/',
    'Origin https://user:hunter2@example.com/',
    'Origin: https://user:hunter2@example.com/',
    'https://user:hunter2@example.com/',
    'Orign=https://user:hunter2@example.com/',
  ]) {
    it(`hold no password: ${secret}`, () => {
      const error = failure(`${secret}\n${full()}`, 'INVALID_CONFIG');
      const said = JSON.stringify([error.message, error.hint, error.subject, String(error.cause ?? '')]);
      assert.doesNotMatch(said, /hunter|ter2|2@/);
    });
  }
});

describe('a key that is given twice', () => {
  for (const line of [
    'Version=1.*',
    'Destination=/srv/app',
    'KeepVersions=2',
    'KeepBytes=1G',
    'HealthSec=5',
    'HealthCheck=/bin/true',
    'WarnUnchanged=1d',
  ]) {
    it(`is refused: ${line}, also with the same value`, () => {
      const lines = [
        ...REQUIRED.filter((other) => other !== line && !line.startsWith(other.split('=')[0] ?? '')),
        line,
        line,
      ];
      assert.equal(lineOf(failure(lines.join('\n'), 'INVALID_CONFIG')), lines.length);
    });
  }

  it('is accepted where it means several', () => {
    const config = parse(
      full(
        'Origin=https://mirror.example.com/app/',
        `PublicKey=${OTHER_KEY}`,
        'Restart=a',
        'Restart=b',
        'RestartUnit=c',
        'RestartUnit=d',
        'ReloadUnit=e',
        'ReloadUnit=f',
        'MaintenanceWindow=Sat 02:*',
        'MaintenanceWindow=Sun 03:*',
      ),
    );
    assert.deepEqual(
      config.origins.map((origin) => origin.shown),
      ['https://example.com/app/', 'https://mirror.example.com/app/'],
    );
    assert.deepEqual(config.publicKeys.map(formatPublicKey), [PUBLIC_TEXT, OTHER_KEY]);
    assert.deepEqual(
      [config.restart, config.reload],
      [
        ['a', 'b', 'c', 'd'],
        ['e', 'f'],
      ],
    );
  });
});

describe('Origin', () => {
  const read = (value: string) => parse(replaced(`Origin=${value}`)).origins[0];

  for (const [value, base] of [
    ['https://example.com/app', 'https://example.com/app/'],
    ['https://example.com/app/', 'https://example.com/app/'],
    ['https://example.com/app//', 'https://example.com/app//'],
    ['https://example.com', 'https://example.com/'],
    ['http://example.com:8080/a/b', 'http://example.com:8080/a/b/'],
    ['http://[::1]:8080/', 'http://[::1]:8080/'],
    ['https://example.com/a%20b', 'https://example.com/a%20b/'],
    ['file:///srv/www', 'file:///srv/www/'],
  ] as const) {
    it(`${value} is read as ${base}`, () => {
      assert.equal(read(value)?.base, base);
      assert.equal(read(value)?.shown, base);
    });
  }

  it('that is a file names a directory, percent signs decoded', () => {
    assert.equal(read('file:///srv/www')?.directory, '/srv/www/');
    assert.equal(read('file:///srv/my%20app/')?.directory, '/srv/my app/');
    assert.equal(read('https://example.com/')?.directory, undefined);
  });

  it('with a password is secret, and shown without it', () => {
    const config = parse(replaced('Origin=https://user:hunter2@example.com/app'));
    assert.equal(config.secret.password, true);
    assert.equal(config.origins[0]?.hasPassword, true);
    assert.equal(config.origins[0]?.shown, 'https://example.com/app/');
    assert.equal(config.origins[0]?.base, 'https://user:hunter2@example.com/app/');
  });

  it('with a password makes the configuration secret wherever it stands', () => {
    assert.equal(parse(full('Origin=https://u:p@mirror.example.com/')).secret.password, true);
    assert.equal(parse(full('Origin=https://mirror.example.com/')).secret.password, false);
    assert.equal(parse(replaced('Origin=https://user@example.com/app')).secret.password, false);
  });

  for (const value of [
    '',
    'example.com/app',
    '/srv/www',
    'ftp://example.com/',
    'https:example.com',
    'https:/example.com',
    'https://',
    'https:///path',
    'https://example.com:99999/',
    'https://exa mple.com/',
    'https://example.com/?query',
    'https://example.com/app?',
    'https://example.com/#fragment',
    'https://example.com/app#',
    'file://host/srv/www',
    'file:///srv/%2f',
    'javascript:alert(1)',
    'data:text/plain,x',
    ' https://example.com/',
    'https://example.com/a\tb',
  ]) {
    it(`${JSON.stringify(value)} is refused`, () => {
      assert.equal(lineOf(failure(replaced(`Origin=${value}`), 'INVALID_CONFIG')), 1);
    });
  }
});

describe('PublicKey', () => {
  it('that is not base64 is told apart from one of another length', () => {
    for (const value of [PUBLIC_TEXT.slice(0, -1), 'hello!', `"${PUBLIC_TEXT}"`, PUBLIC_TEXT.replace('/', '_')])
      assert.equal(lineOf(failure(replaced(`PublicKey=${value}`), 'INVALID_PUBLIC_KEY_DATA')), 2);
    for (const value of ['', 'AAAA', Buffer.alloc(31, 7).toString('base64'), Buffer.alloc(33, 7).toString('base64')])
      assert.equal(lineOf(failure(replaced(`PublicKey=${value}`), 'INVALID_CONFIG')), 2);
  });

  it('that is weak is refused', () => {
    for (const key of [Buffer.alloc(32), Buffer.from(`01${'00'.repeat(30)}80`, 'hex')])
      assert.equal(lineOf(failure(replaced(`PublicKey=${key.toString('base64')}`), 'WEAK_PUBLIC_KEY')), 2);
  });

  it('is judged in every line', () => {
    assert.equal(lineOf(failure(full('PublicKey=AAAA'), 'INVALID_CONFIG')), 5);
  });
});

describe('Version', () => {
  it('takes wildcards, fixed versions and bounds', () => {
    for (const [text, kind] of [
      ['*', 'wildcard'],
      ['1.2.3', 'fixed'],
      ['0', 'fixed'],
      ['1.0 <= v < 2.0', 'bounds'],
    ] as const) {
      assert.equal(parse(replaced(`Version=${text}`)).pattern.kind, kind);
    }
  });

  for (const value of [
    '',
    ' *',
    '1 2',
    '* # comment',
    '< 2.0',
    '1.0<=v<2.0',
    '2.0 <= v < 1.0',
    '>=1.0',
    '1.0 <= v < 2.*',
  ]) {
    it(`${JSON.stringify(value)} is refused`, () => {
      assert.equal(lineOf(failure(replaced(`Version=${value}`), 'INVALID_CONFIG')), 3);
    });
  }
});

describe('Destination', () => {
  it('is kept as it is written', () => {
    for (const path of ['/srv/app/', 'relative', '.', '/srv//app/../x', '/with blank/x'])
      assert.equal(parse(replaced(`Destination=${path}`)).destination, path);
  });

  it('that is empty, or holds NUL, is refused', () => {
    for (const value of ['', '  ', '/srv/\0app']) {
      assert.equal(lineOf(failure(replaced(`Destination=${value}`), 'INVALID_CONFIG')), 4);
    }
  });
});

describe('units', () => {
  it('stand in the order of the file, those of both keys together', () => {
    const { restart, warnings } = parse(full('Restart=b.service a', 'RestartUnit=d.timer', 'Restart=c.socket'));
    assert.deepEqual(restart, ['b.service', 'a', 'd.timer', 'c.socket']);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /line 6\b.*RestartUnit/);
  });

  it('may be separated by many blanks, or be none', () => {
    assert.deepEqual(parse(full('Restart=a  b \t c ')).restart, ['a', 'b', 'c']);
    assert.deepEqual(parse(full('Restart= a')).restart, ['a']);
    assert.deepEqual(parse(full('Restart=')).restart, []);
    assert.deepEqual(parse(full('Restart=  ')).restart, []);
  });

  it('are restarted once, however they are spelled', () => {
    assert.deepEqual(parse(full('Restart=app app.service', 'Restart=app', 'RestartUnit=app.service')).restart, ['app']);
    assert.deepEqual(parse(full('Restart=app.service app')).restart, ['app.service']);
    assert.deepEqual(parse(full('Restart=app app.socket app.timer')).restart, ['app', 'app.socket', 'app.timer']);
    assert.deepEqual(parse(full('Restart=a.b a.b.service')).restart, ['a.b']);
    assert.deepEqual(parse(full('ReloadUnit=app', 'ReloadUnit=app.service')).reload, ['app']);
  });

  it('may be instances and hold escapes', () => {
    assert.deepEqual(parse(full('Restart=app@1.service srv-my\\x2dapp.mount')).restart, [
      'app@1.service',
      'srv-my\\x2dapp.mount',
    ]);
  });

  for (const unit of ['-app', '--now', '-', 'a/b', '/etc', '../x', 'a\0b', 'a\x1bb', 'a\x7fb', 'a\rb', 'a\x9bb']) {
    it(`named ${JSON.stringify(unit)} are refused, under every key`, () => {
      for (const key of ['Restart', 'RestartUnit', 'ReloadUnit'])
        assert.equal(lineOf(failure(full(`${key}=${unit}`), 'INVALID_CONFIG')), 5, key);
      assert.equal(lineOf(failure(full(`Restart=good ${unit}`), 'INVALID_CONFIG')), 5);
    });
  }

  it('are one in a line of RestartUnit and ReloadUnit', () => {
    for (const key of ['RestartUnit', 'ReloadUnit']) {
      assert.equal(lineOf(failure(full(`${key}=a b`), 'INVALID_CONFIG')), 5);
      assert.equal(lineOf(failure(full(`${key}=`), 'INVALID_CONFIG')), 5);
    }
  });

  it('may not be restarted and reloaded', () => {
    for (const lines of [
      ['Restart=app', 'ReloadUnit=app'],
      ['ReloadUnit=app', 'Restart=app'],
      ['Restart=a app', 'ReloadUnit=app.service'],
      ['RestartUnit=app.service', 'ReloadUnit=app'],
    ]) {
      failure(full(...lines), 'INVALID_CONFIG');
    }
    assert.deepEqual(parse(full('Restart=app.service', 'ReloadUnit=app.socket')).reload, ['app.socket']);
  });
});

describe('limits of the store', () => {
  it('are whole numbers of at least two versions', () => {
    assert.equal(parse(full('KeepVersions=2')).keepVersions, 2);
    assert.equal(parse(full('KeepVersions=1000')).keepVersions, 1000);
    for (const value of ['', '0', '1', '-2', '+2', '02', '2.5', '1e3', 'two', '2 3', '9007199254740992'])
      assert.equal(lineOf(failure(full(`KeepVersions=${value}`), 'INVALID_CONFIG')), 5, value);
  });

  it('are bytes, with suffixes in powers of 1024', () => {
    for (const [text, bytes] of [
      ['1073741824', 2 ** 30],
      ['1K', 2 ** 10],
      ['512M', 2 ** 29],
      ['1G', 2 ** 30],
      ['2T', 2 ** 41],
    ] as const) {
      assert.equal(parse(full(`KeepBytes=${text}`)).keepBytes, bytes);
    }
    for (const value of ['', 'G', '1g', '1GB', '1GiB', '1.5G', '-1G', '+1', '1 G', '1P', '99999999999T'])
      assert.equal(lineOf(failure(full(`KeepBytes=${value}`), 'INVALID_CONFIG')), 5, value);
  });
});

describe('times', () => {
  for (const [text, ms] of [
    ['5', 5000],
    ['0', 0],
    ['30s', 30_000],
    ['1min 30s', 90_000],
    ['500ms', 500],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
  ] as const) {
    it(`may be ${text}`, () => {
      assert.equal(parse(full(`HealthSec=${text}`)).healthMs, ms);
      assert.equal(parse(full(`WarnUnchanged=${text}`)).warnUnchangedMs, ms);
    });
  }

  it('that are none are refused', () => {
    for (const value of ['', 's', '-1', '1x', '10 s s', 'soon', '1,5s', '101y']) {
      assert.equal(lineOf(failure(full(`HealthSec=${value}`), 'INVALID_CONFIG')), 5, value);
      assert.equal(lineOf(failure(full(`WarnUnchanged=${value}`), 'INVALID_CONFIG')), 5, value);
    }
  });
});

describe('HealthCheck', () => {
  it('is split into words as systemd does, and makes the configuration secret', () => {
    const { healthCheck, secret } = parse(
      full(`HealthCheck=/usr/bin/check --url "http://x/a b" 'c d' e\\x20f $HOME; |`),
    );
    assert.deepEqual(healthCheck, ['/usr/bin/check', '--url', 'http://x/a b', 'c d', 'e f', '$HOME;', '|']);
    assert.deepEqual(secret, { password: false, command: true });
  });

  it('needs an absolute path', () => {
    for (const value of ['', '  ', 'check', './check', '~/check', '-/bin/check', '@/bin/check', '""', '"" /bin/check'])
      assert.equal(lineOf(failure(full(`HealthCheck=${value}`), 'INVALID_CONFIG')), 5, value);
  });

  it('with an open quote or an unknown escape is refused', () => {
    for (const value of ['/bin/check "a', "/bin/check 'a", '/bin/check \\q', '/bin/check a\\', '/bin/check \\x0'])
      assert.equal(lineOf(failure(full(`HealthCheck=${value}`), 'INVALID_CONFIG')), 5, value);
  });
});

describe('a damaged configuration', () => {
  const SEED = 180_804;
  const RUNS = 4000;

  it('only ever gives a configuration or a CodedError', (t) => {
    t.diagnostic(`seed ${SEED}, ${RUNS} mutations`);
    const random = seededRandom(SEED);
    const text = full(
      '# comment',
      'Origin=file:///srv/%20x',
      'Restart=a.service b',
      'ReloadUnit=c',
      'KeepVersions=3',
      'KeepBytes=10G',
      'HealthSec=1min 5s',
      'HealthCheck=/bin/check "a b" \\x41',
      'WarnUnchanged=30d',
    ).replace('1.*', '1.0 <= v < 2.0');
    const counts = { good: 0, bad: 0 };
    for (let run = 0; run < RUNS; run++) {
      const bytes = mutate(Buffer.from(text), random);
      try {
        parse(bytes);
        counts.good++;
      } catch (error) {
        assert.ok(error instanceof CodedError, `${error}\n${bytes.toString('latin1')}`);
        counts.bad++;
      }
    }
    assert.ok(counts.good > 20 && counts.bad > 20, `the run reaches both ends: ${JSON.stringify(counts)}`);
  });

  it('of arbitrary bytes, or of many lines, ends in a CodedError', () => {
    const random = seededRandom(SEED + 1);
    for (let run = 0; run < 300; run++) {
      const bytes = Buffer.from(Array.from({ length: random(200) }, () => random(256)));
      assert.throws(() => parse(bytes), CodedError);
    }
    assert.throws(() => parse('x\n'.repeat(500_000)), CodedError);
    assert.throws(() => parse(`${'='.repeat(2 ** 20)}`), CodedError);
    assert.throws(() => parse(`PublicKey=${'A'.repeat(2 ** 20 - 10)}`), CodedError);
    assert.throws(() => parse(`Version=${'1.'.repeat(2 ** 19 - 10)}`), CodedError);
  });

  it('of very many good lines is read in a moment', () => {
    const before = performance.now();
    assert.equal(parse(full(...Array.from({ length: 40_000 }, (_, i) => `Restart=u${i}`))).restart.length, 40_000);
    assert.ok(performance.now() - before < 3000);
  });
});
