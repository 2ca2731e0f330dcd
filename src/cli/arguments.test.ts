import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { passThrough, type Request, readRequest } from './arguments.ts';

function program(): Command {
  const store = new Command('store')
    .alias('publish')
    .option('-k, --key <secret>')
    .option('-o, --output <directory>')
    .option('-q, --quiet')
    .option('--color [when]')
    .argument('<image>')
    .argument('<version>');
  const fetch = new Command('fetch').option('--init').argument('<config...>');
  return new Command('tako').helpCommand(false).addCommand(store).addCommand(fetch);
}

const read = (...words: readonly string[]): Request => readRequest(program(), words);
const runs = (...words: readonly string[]): void => assert.deepEqual(read(...words), { kind: 'run', words });
const refuses = (...words: readonly string[]): void =>
  assert.throws(() => read(...words), { name: 'UsageError', code: 'USAGE' });
/** Whose help is asked for, and the name when there is no such command. */
function help(...words: readonly string[]): readonly [string, string | undefined] {
  const request = read(...words);
  assert.ok(request.kind === 'help');
  return [request.command.name(), request.unknown];
}

describe('the words of a command line', () => {
  for (const words of [
    ['store', 'image', '1.0'],
    ['store', '-k', 'secret', '-o', 'dir', 'image', '1.0'],
    ['store', 'image', '--key', 'secret', '1.0', '--output', 'dir'],
    ['store', '--key=secret', '-odir', 'image', '1.0'],
    ['store', '--key=--foo', 'image', '1.0'],
    ['store', '-q', 'image', '1.0'],
    ['store', '-k', 'first', '-k', 'last', 'image', '1.0'],
    ['publish', '-k', 'secret', 'image', '1.0'],
    ['fetch', '--init', 'config'],
    ['fetch', 'config', '--init'],
    ['fetch', '--', '--init'],
    ['store', '--', '-k', '--foo'],
    ['store', '--', '-'],
    ['store', '-k', 'secret', '--', '-image', '-version'],
    ['unknown', 'word'],
    ['--version'],
    ['--unknown'],
  ]) {
    it(`run as they are: ${words.join(' ')}`, () => runs(...words));
  }
});

describe('a value that looks like an option', () => {
  for (const words of [
    ['store', '-k', '--foo', 'image', '1.0'],
    ['store', '--key', '--foo', 'image', '1.0'],
    ['store', '--key', '-o', 'dir'],
    ['store', '-k', '-x'],
    ['store', '-k', '-'],
    ['store', '--output', '--'],
    ['store', 'image', '1.0', '--output', '-k', 'secret'],
    ['store', '-q', '-k', '--foo'],
    ['publish', '-k', '--foo'],
  ]) {
    it(`is refused: ${words.join(' ')}`, () => refuses(...words));
  }

  it('is refused also when a short option before it is written together with others', () => {
    refuses('store', '-qk', '--foo', 'image', '1.0');
  });

  it('is none after an option that takes no value, or need not', () => {
    runs('store', '-q', '--color', '-k', 'secret', 'image', '1.0');
  });

  it('is no value at all at the end: the missing one is for commander to report', () => runs('store', '-k'));
});

describe('a lone "-"', () => {
  it('is refused where an option or an argument could stand', () => {
    refuses('store', '-');
    refuses('store', 'image', '1.0', '-');
    refuses('fetch', '-', 'config');
  });
});

describe('help', () => {
  for (const word of ['-h', '--help', 'help']) {
    it(`is asked for with ${word}, in general and of a command`, () => {
      assert.deepEqual(help(word), ['tako', undefined]);
      assert.deepEqual(help(word, 'store'), ['store', undefined]);
      assert.deepEqual(help(word, 'publish'), ['store', undefined]);
    });

    it(`of an unknown name is told so (${word})`, () => assert.deepEqual(help(word, 'nope'), ['tako', 'nope']));

    it(`with more words after it is refused (${word})`, () => {
      refuses(word, 'store', 'extra');
      refuses(word, 'nope', 'extra');
      refuses(word, 'store', '-h');
    });
  }

  for (const word of ['-h', '--help']) {
    it(`is asked for after a command, with ${word}`, () => {
      assert.deepEqual(help('store', word), ['store', undefined]);
      assert.deepEqual(help('publish', word), ['store', undefined]);
      refuses('store', word, 'extra');
    });
  }
});

describe('the words of a command line with groups', () => {
  const nested = (): Command => {
    const commit = new Command('commit').option('-s, --subject <text>').argument('[path]');
    const remote = new Command('remote').alias('rem').helpCommand(false).addCommand(new Command('add'));
    const repo = new Command('repo').helpCommand(false).addCommand(commit).addCommand(remote);
    return new Command('pod').helpCommand(false).addCommand(repo);
  };
  const kindOf = (...words: readonly string[]): string => {
    const request = readRequest(nested(), words);
    return request.kind === 'run'
      ? 'run'
      : `${request.kind} ${request.command.name()} ${'unknown' in request ? request.unknown : ''}`.trim();
  };

  it('are incomplete when they end at a group', () => {
    assert.equal(kindOf(), 'incomplete pod');
    assert.equal(kindOf('repo'), 'incomplete repo');
    assert.equal(kindOf('repo', 'rem'), 'incomplete remote');
  });
  it('ask for help in front of a name, behind it, and between two', () => {
    for (const words of ['help repo rem add', 'repo -h remote add', 'repo remote help add', 'repo remote add --help'])
      assert.equal(kindOf(...words.split(' ')), 'help add');
    assert.equal(kindOf('repo', 'help'), 'help repo');
    assert.equal(kindOf('repo', 'help', 'nope'), 'help repo nope');
  });
  it('run with the rules for values at every depth', () => {
    assert.equal(kindOf('repo', 'commit', 'help'), 'run');
    assert.equal(kindOf('repo', 'commit', '-s', 'help'), 'run');
    assert.equal(kindOf('repo', 'nope'), 'run');
    assert.throws(() => kindOf('repo', 'commit', '-s', '--help'), { code: 'USAGE' });
    assert.throws(() => kindOf('repo', '--', 'commit'), { code: 'USAGE' });
    assert.throws(() => kindOf('repo', 'commit', '--help', 'commit'), { code: 'USAGE' });
  });
});

describe('the words of a command inside of a command', () => {
  const runner = (): Command => {
    const run = new Command('run').option('-s, --set <value>').argument('<name>').argument('<command...>');
    return new Command('pod').enablePositionalOptions().helpCommand(false).addCommand(passThrough(run));
  };

  it('are not judged, whatever they look like', () => {
    for (const line of ['run etcd ls -l', 'run -s x etcd cat -', 'run etcd tool --set --set -- --help'])
      assert.equal(readRequest(runner(), line.split(' ')).kind, 'run');
  });
  it('begin behind the first argument', () => {
    for (const line of ['run -s --set etcd ls', 'run - etcd'])
      assert.throws(() => readRequest(runner(), line.split(' ')), { code: 'USAGE' });
    assert.equal(readRequest(runner(), ['run', '--help']).kind, 'help');
  });
});
