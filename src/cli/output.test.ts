import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { CodedError } from '../base/error.ts';
import { Output } from './output.ts';
import { caught, journalStream, pretendTerminal, setVariable, type Written } from './terminal.fixture.ts';

interface Given {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly noColor?: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

function outputOf({ env = {}, ...given }: Given = {}): Output {
  const output = new Output('tako', env);
  output.configure({ json: false, quiet: false, verbose: false, noColor: false, ...given }, env);
  return output;
}
const say = (work: (output: Output) => void, given?: Given): Written => {
  const output = outputOf(given);
  return caught(() => work(output));
};

describe('words for the user', () => {
  it('are results on standard output, as they are', () => {
    assert.deepEqual(
      say((output) => output.result('1.0 is current')),
      { out: '1.0 is current\n', err: '' },
    );
  });

  it('are everything else on standard error, with the name of the program', () => {
    assert.deepEqual(
      say((output) => {
        output.info('one');
        output.warning('two');
        output.error(new Error('three'));
      }),
      { out: '', err: 'tako: one\ntako: two\ntako: three\n' },
    );
  });

  it('have the time in front instead, where they tell of what was done, and nothing when they are those of others', () => {
    const dated = new Output('tako', {}, true);
    dated.configure({ json: false, quiet: false, verbose: false, noColor: false }, {});
    const { err } = caught(() => {
      dated.info('copied x');
      dated.error(new Error('three'));
      dated.plain('Copying blob');
    });
    assert.match(
      err,
      /^([0-9]{4}\/[0-9]{2}\/[0-9]{2} [0-9:]{8}) copied x\n[0-9/]{10} [0-9:]{8} three\nCopying blob\n$/,
    );
  });

  it('have the name of the program before each of several lines', () => {
    assert.equal(say((output) => output.info('one\ntwo')).err, 'tako: one\ntako: two\n');
  });

  it('hold no details unless they are wanted, and no notes when it shall be quiet', () => {
    const all = (output: Output): void => {
      output.detail('detail');
      output.info('info');
      output.warning('warning');
      output.error(new Error('error'));
      output.result('result');
    };
    assert.equal(say(all).err, 'tako: info\ntako: warning\ntako: error\n');
    assert.equal(say(all, { verbose: true }).err, 'tako: detail\ntako: info\ntako: warning\ntako: error\n');
    assert.deepEqual(say(all, { quiet: true }), { out: 'result\n', err: 'tako: warning\ntako: error\n' });
  });

  it('with --json are one document in place of results', () => {
    const work = (output: Output): void => {
      output.result('a line');
      output.document('tako.x/1', { bytes: 1, none: null });
    };
    assert.deepEqual(JSON.parse(say(work, { json: true }).out), { schema: 'tako.x/1', bytes: 1, none: null });
    assert.equal(say(work).out, 'a line\n');
  });

  it('cannot act on a terminal, whatever came from outside', () => {
    const { out, err } = say((output) => {
      output.result('\x1b[2Jx\u202ey');
      output.warning('\x9b31mz\r');
    });
    assert.deepEqual([out, err], ['\\u{1b}[2Jx\\u{202e}y\n', 'tako: \\u{9b}31mz\\u{d}\n']);
  });

  it('go around a progress line', () => {
    const output = outputOf();
    const { out, err } = caught(() => {
      output.aroundLine = (print) => {
        process.stderr.write('<');
        print();
        process.stderr.write('>');
      };
      output.info('x');
      output.result('y');
    });
    assert.deepEqual([out, err], ['y\n', '<tako: x\n><>']);
  });
});

describe('an error', () => {
  it('is printed with all its causes, and its hint in a second line', () => {
    const cause = new Error('connect ECONNREFUSED');
    const error = new CodedError('HTTP_UNREACHABLE', 'fetching x', { cause, hint: 'check the name' });
    assert.equal(
      say((output) => output.error(error)).err,
      'tako: fetching x: connect ECONNREFUSED\ntako: check the name\n',
    );
  });

  it('is printed with the subject that it does not name itself', () => {
    assert.equal(say((output) => output.error(new Error('no'), '/etc/tako/app')).err, 'tako: /etc/tako/app: no\n');
  });

  it('of the system gets a hint where there is one', () => {
    const error = Object.assign(new Error('read-only file system'), { code: 'EROFS' });
    assert.match(say((output) => output.error(error)).err, /ReadWritePaths/);
  });

  it('shows where it came from with TAKO_DEBUG=1, and only then', (t) => {
    const error = new Error('no');
    for (const [value, lines] of [
      ['1', true],
      ['0', false],
      ['', false],
      [undefined, false],
    ] as const) {
      setVariable(t, 'TAKO_DEBUG', value);
      assert.equal(/ at .*output\.test/.test(say((output) => output.error(error)).err), lines, String(value));
    }
  });

  it('that is none is printed all the same', () => {
    assert.equal(say((output) => output.error('words')).err, 'tako: words\n');
  });

  it('is a document with --json, without losing the line for people', () => {
    const error = new CodedError('NO_CONFIG', 'none', { hint: 'look', subject: '/x' });
    const { out, err } = say(
      (output) => {
        output.error(error);
        output.errorDocument(error);
      },
      { json: true },
    );
    assert.deepEqual(JSON.parse(out), {
      schema: 'error/1',
      code: 'NO_CONFIG',
      message: 'none',
      hint: 'look',
      subject: '/x',
    });
    assert.equal(err, 'tako: none\ntako: look\n');
  });

  it('prints no document without --json', () => {
    assert.equal(say((output) => output.errorDocument(new Error('x'))).out, '');
  });
});

describe('under systemd', () => {
  const env = (): NodeJS.ProcessEnv => ({ JOURNAL_STREAM: journalStream() });

  it('every line says its priority', () => {
    const { err } = say(
      (output) => {
        output.error(new CodedError('X', 'error', { hint: 'hint' }));
        output.warning('warning\nmore');
        output.info('info');
        output.detail('detail');
      },
      { verbose: true, env: env() },
    );
    assert.equal(
      err,
      '<3>tako: error\n<5>tako: hint\n<4>tako: warning\n<4>tako: more\n<6>tako: info\n<7>tako: detail\n',
    );
  });

  it('results have none: standard output is not judged', () => {
    assert.equal(say((output) => output.result('x'), { env: env() }).out, 'x\n');
  });

  it('is only where standard error is that very stream, and not what a caller has redirected', () => {
    for (const stream of ['', '1:1', `${journalStream()}0`, 'x']) {
      assert.equal(new Output('tako', { JOURNAL_STREAM: stream }).underSystemd, false, stream);
    }
    assert.equal(new Output('tako', {}).underSystemd, false);
    assert.equal(new Output('tako', env()).underSystemd, true);
  });
});

describe('colours', () => {
  const warn = (given: Given): string => say((output) => output.warning('x'), given).err;

  it('are on a terminal', (t) => {
    pretendTerminal(t, 80);
    assert.equal(warn({}), '\x1b[33mtako: x\x1b[0m\n');
  });

  const without: Readonly<Record<string, (t: TestContext) => Given>> = {
    'when they are not wanted': () => ({ noColor: true }),
    'when NO_COLOR is set': () => ({ env: { NO_COLOR: '1' } }),
    'on a terminal that has none': () => ({ env: { TERM: 'dumb' } }),
    'in the journal': () => ({ env: { JOURNAL_STREAM: journalStream() } }),
    'in a file': (t) => {
      pretendTerminal(t, undefined);
      return {};
    },
  };
  for (const [when, given] of Object.entries(without)) {
    it(`are none ${when}`, (t) => {
      pretendTerminal(t, 80);
      assert.ok(!warn(given(t)).includes('\x1b'));
    });
  }

  it('are there when NO_COLOR is empty', (t) => {
    pretendTerminal(t, 80);
    assert.ok(warn({ env: { NO_COLOR: '' } }).includes('\x1b['));
  });
});
