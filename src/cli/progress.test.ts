import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ProgressEvent } from '../base/progress.ts';
import { Output } from './output.ts';
import { labelled, openProgress, type ProgressMode, type ProgressView } from './progress.ts';
import { caught, journalStream, pretendTerminal, setVariable } from './terminal.fixture.ts';

const start = (task: string, total: number, done = 0): ProgressEvent => ({
  kind: 'start',
  task,
  label: `image ${task}`,
  total,
  done,
});
const advance = (task: string, done: number): ProgressEvent => ({ kind: 'advance', task, done });
const end = (task: string, ok = true): ProgressEvent => ({ kind: 'end', task, ok });

interface Stage {
  readonly output: Output;
  /** Milliseconds that pass before what comes next. */
  pass(ms: number): void;
}

/** A clock of its own, and a terminal of so many columns, if any. */
function stage(t: TestContext, columns?: number, quiet = false, env: NodeJS.ProcessEnv = {}): Stage {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  pretendTerminal(t, columns);
  setVariable(t, 'TERM', 'xterm');
  const output = new Output('tako', env);
  output.configure({ json: false, quiet, verbose: false, noColor: true }, env);
  return {
    output,
    pass: (ms) => {
      now += ms;
    },
  };
}

/** What standard error gets. */
function show(mode: ProgressMode, output: Output, work: (view: ProgressView) => void): string {
  return caught(() => {
    const view = openProgress(mode, output);
    work(view);
    view.close();
  }).err;
}

describe('progress where there is no terminal', () => {
  it('is a line for each finished step, with bytes, time and rate', (t) => {
    const { output, pass } = stage(t);
    const shown = show('auto', output, ({ emit }) => {
      emit(start('a', 3 * 2 ** 20));
      emit(advance('a', 2 ** 20));
      pass(1500);
      emit(advance('a', 3 * 2 ** 20));
      emit(end('a'));
    });
    assert.equal(shown, 'tako: image a: 3.0 MiB in 1.5 s, 2.0 MiB/s\n');
  });

  it('counts what was there before for what it is', (t) => {
    const { output, pass } = stage(t);
    const shown = show('auto', output, ({ emit }) => {
      emit(start('a', 2048, 1024));
      pass(1000);
      emit(advance('a', 2048));
      emit(end('a'));
    });
    assert.equal(shown, 'tako: image a: 2.0 KiB in 1.0 s, 1.0 KiB/s (1.0 KiB were there already)\n');
  });

  it('of what did not go well has no line of its own: the error says it', (t) => {
    const { output } = stage(t);
    assert.equal(
      show('auto', output, ({ emit }) => [start('a', 9), end('a', false)].forEach(emit)),
      '',
    );
  });

  it('does not stumble over tasks that nobody began', (t) => {
    const { output } = stage(t);
    assert.equal(
      show('auto', output, ({ emit }) => [advance('x', 1), end('x')].forEach(emit)),
      '',
    );
  });

  it('has notes and warnings as lines', (t) => {
    const { output } = stage(t);
    const both = ({ emit }: ProgressView): void => {
      emit({ kind: 'note', text: 'one' });
      emit({ kind: 'warning', text: 'two' });
    };
    assert.equal(show('auto', output, both), 'tako: one\ntako: two\n');
    assert.equal(show('plain', output, both), 'tako: one\ntako: two\n');
    assert.equal(show('none', output, both), 'tako: two\n');
    assert.equal(show('auto', stage(t, undefined, true).output, both), 'tako: two\n');
  });

  it('has no line for a finished step when none is wanted, or it shall be quiet', (t) => {
    const work = ({ emit }: ProgressView): void => [start('a', 1), end('a')].forEach(emit);
    assert.equal(show('none', stage(t).output, work), '');
    assert.equal(show('auto', stage(t, undefined, true).output, work), '');
  });
});

describe('progress on a terminal', () => {
  it('is one line that moves, with share, bytes, rate and time left, and gone in the end', (t) => {
    const { output, pass } = stage(t, 200);
    const shown = show('auto', output, ({ emit }) => {
      emit(start('a', 4096));
      pass(1000);
      emit(advance('a', 1024));
    });
    const [, first, second, ...rest] = shown.split('\r');
    assert.equal(first, 'image a: 0 %, 0 B of 4.0 KiB, 0 B/s\x1b[K');
    assert.equal(second, 'image a: 25 %, 1.0 KiB of 4.0 KiB, 1.0 KiB/s, 3 s left\x1b[K');
    assert.deepEqual(rest, ['\x1b[K']);
  });

  it('is drawn ten times a second at most', (t) => {
    const { output, pass } = stage(t, 80);
    const shown = show('auto', output, ({ emit }) => {
      emit(start('a', 1000));
      for (let i = 1; i <= 100; i++) {
        pass(10);
        emit(advance('a', i));
      }
    });
    assert.equal(shown.split('\rimage').length - 1, 11);
  });

  it('has the sum of several', (t) => {
    const { output, pass } = stage(t, 200);
    const shown = show('auto', output, ({ emit }) => {
      emit(start('a', 1000));
      emit(start('b', 3000, 1000));
      pass(1000);
      emit(advance('b', 2000));
    });
    assert.ok(shown.includes('\r2 images: 50 %, 2.0 KiB of 3.9 KiB, 1000 B/s, 2 s left\x1b[K'), JSON.stringify(shown));
  });

  it('never goes over the edge', (t) => {
    const { output } = stage(t, 30);
    const shown = show('auto', output, ({ emit }) =>
      emit({ ...start('a', 9), label: 'x'.repeat(200) } as ProgressEvent),
    );
    assert.equal(shown.split('\x1b')[0], `\r${'x'.repeat(29)}`);
  });

  it('makes room for other lines', (t) => {
    const { output } = stage(t, 200);
    const shown = show('auto', output, ({ emit }) => {
      emit(start('a', 9));
      emit({ kind: 'warning', text: 'look' });
    });
    assert.ok(shown.includes('\x1b[K\r\x1b[Ktako: look\n'), JSON.stringify(shown));
  });

  it('cannot be made to act on the terminal by a label', (t) => {
    const { output } = stage(t, 200);
    const shown = show('auto', output, ({ emit }) => emit({ ...start('a', 9), label: '\x1b[2Jx' } as ProgressEvent));
    assert.ok(shown.startsWith('\r\\u{1b}[2Jx: '));
  });

  it('of an empty image is all of it', (t) => {
    const { output } = stage(t, 200);
    assert.ok(show('auto', output, ({ emit }) => emit(start('a', 0))).includes('100 %, 0 B of 0 B'));
  });

  it('is lines when they are wanted, in a dumb terminal, when it shall be quiet, and in the journal', (t) => {
    const work = ({ emit }: ProgressView): void => emit(start('a', 9));
    for (const [mode, { output }, term] of [
      ['plain', stage(t, 80), 'xterm'],
      ['none', stage(t, 80), 'xterm'],
      ['auto', stage(t, 80), 'dumb'],
      ['auto', stage(t, 80, true), 'xterm'],
      ['auto', stage(t, 80, false, { JOURNAL_STREAM: journalStream() }), 'xterm'],
    ] as const) {
      setVariable(t, 'TERM', term);
      assert.equal(show(mode, output, work), '', `${mode} ${term}`);
    }
  });

  it('gives lines their freedom back when it is closed', (t) => {
    const { output } = stage(t, 80);
    show('auto', output, ({ emit }) => emit(start('a', 9)));
    assert.equal(caught(() => output.info('x')).err, 'tako: x\n');
  });
});

describe('progress as JSON lines', () => {
  it('has an object for each event, on standard error', (t) => {
    const { output } = stage(t);
    const shown = show('json', output, ({ emit }) => {
      emit(start('a', 9, 3));
      emit(advance('a', 9));
      emit(end('a'));
      emit({ kind: 'note', text: 'one\ntwo' });
      emit({ kind: 'warning', text: 'x' });
    });
    assert.deepEqual(
      shown
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
      [
        { event: 'start', task: 'a', label: 'image a', total: 9, done: 3 },
        { event: 'advance', task: 'a', done: 9 },
        { event: 'end', task: 'a', ok: true },
        { event: 'note', text: 'one\ntwo' },
        { event: 'warning', text: 'x' },
      ],
    );
  });

  it('tells of each transfer twice a second at most', (t) => {
    const { output, pass } = stage(t);
    const shown = show('json', output, ({ emit }) => {
      for (let i = 0; i < 20; i++) {
        for (const task of ['a', 'b']) emit(advance(task, i));
        pass(100);
      }
    });
    const counts = ['a', 'b'].map((task) => shown.split(`"task":"${task}"`).length - 1);
    assert.deepEqual(counts, [4, 4]);
  });

  it('is the same when it shall be quiet, and on a terminal', (t) => {
    const { output } = stage(t, 80, true);
    assert.equal(
      show('json', output, ({ emit }) => emit(end('a'))),
      '{"event":"end","task":"a","ok":true}\n',
    );
  });
});

describe('labelled progress', () => {
  it('says what it is about, and keeps equal tasks of two apart', () => {
    const events: ProgressEvent[] = [];
    const emit = labelled((event) => events.push(event), '/etc/tako/app');
    for (const event of [start('a', 9), advance('a', 1), end('a'), { kind: 'note', text: 'x' } as const]) emit(event);
    assert.deepEqual(events, [
      { kind: 'start', task: '/etc/tako/app a', label: '/etc/tako/app: image a', total: 9, done: 0 },
      { kind: 'advance', task: '/etc/tako/app a', done: 1 },
      { kind: 'end', task: '/etc/tako/app a', ok: true },
      { kind: 'note', text: '/etc/tako/app: x' },
    ]);
  });
});
