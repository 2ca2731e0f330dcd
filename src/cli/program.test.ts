import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Command } from 'commander';
import { type Finished, type NodeOptions, runNode } from '../../test/support/program.ts';
import { pathOf } from './command-table.ts';
import { podProgram } from './program.fixture.ts';

const POD = join(import.meta.dirname, 'program.fixture.js');
const pod = (words: string, options?: NodeOptions): Promise<Finished> =>
  runNode(POD, words === '' ? [] : words.split(' '), options);

async function given(words: string): Promise<unknown> {
  const { status, stdout, stderr } = await pod(words);
  assert.deepEqual([status, stderr], [0, '']);
  return JSON.parse(stdout);
}
async function refused(words: string): Promise<string> {
  const { status, stdout, stderr } = await pod(words);
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /^pod: /);
  return stderr;
}

describe('a command in groups', () => {
  it('runs, at any depth, by its aliases too', async () => {
    const values = { color: true };
    assert.deepEqual(await given('images pull a b'), { values, args: ['a', 'b'] });
    assert.deepEqual(await given('im fetch a'), { values, args: ['a'] });
    assert.deepEqual(await given('images remote add name file'), { values, args: ['name', 'file'] });
    assert.deepEqual(await given('im remote rm'), { values, args: [] });
  });
  it('takes words that are also names of commands, or ask for help elsewhere', async () => {
    assert.deepEqual(await given('images pull pull help remote'), {
      values: { color: true },
      args: ['pull', 'help', 'remote'],
    });
  });
  it('takes a repeatable option several times, and leaves the words behind it alone', async () => {
    assert.deepEqual(await given('images pull -l a=b a --label=--c=d b -le c'), {
      values: { color: true, label: ['a=b', '--c=d', 'e'] },
      args: ['a', 'b', 'c'],
    });
  });
  for (const [words, sort, args] of [
    ['--sort=size a', 'size', ['a']],
    ['--sort size a', 'size', ['a']],
    ['--sort -d x a', true, ['a']],
    ['a --sort', true, ['a']],
  ] as const) {
    it(`takes an option whose value may be left out: ${words}`, async () => {
      const found = (await given(`images pull ${words}`)) as { values: { sort: unknown }; args: unknown };
      assert.deepEqual([found.values.sort, found.args], [sort, args]);
    });
  }
  it('takes a value that begins with "-" after "=" only, and anything after "--"', async () => {
    assert.match(await refused('images pull -l --via'), /write -lVALUE/);
    assert.match(await refused('images remote add -'), /"-" is not an option/);
    assert.deepEqual(await given('images remote add -- -a --b'), { values: { color: true }, args: ['-a', '--b'] });
  });
  it('refuses an option that it does not have, by its name, whatever stands behind it', async () => {
    assert.match(
      await refused('images pull --mirror a'),
      /^pod: unknown option "--mirror"\n.*"pod images pull --help"/,
    );
    const secret = await refused('images remote add --password=secret a b');
    assert.match(secret, /unknown option "--password"\n.*"pod images remote add --help"/);
    assert.ok(!secret.includes('secret'));
  });
  it('refuses arguments that are missing or too many', async () => {
    assert.match(await refused('images remote add a'), /missing required argument "file"/);
    assert.match(await refused('images remote add a b c'), /too many arguments/);
  });
  it('says an error as JSON when it was asked for JSON', async () => {
    const { status, stdout } = await pod('images remote add --json');
    assert.deepEqual([status, JSON.parse(stdout).code], [2, 'USAGE']);
  });
});

describe('what is loaded', () => {
  const loaded = async (words: string): Promise<readonly string[]> =>
    [...(await pod(words, { env: { POD_TRACE: '1' } })).stderr.matchAll(/^loads (.*)$/gm)].map(([, name = '']) => name);
  for (const [words, names] of [
    ['images pull a', ['pull']],
    ['im fetch a', ['pull']],
    ['images remote add a b', ['add']],
    ['help images remote add', ['add']],
    ['images remote rm --help', ['delete']],
    ['images', []],
    ['images --help', []],
    ['help images', []],
    ['images remote nope', []],
    ['images pll a', []],
    ['', []],
    ['--version', []],
    ['--help', []],
    ['nope images pull', []],
  ] as const) {
    it(`for "${words}" is ${names.join(' ') || 'nothing'}`, async () => assert.deepEqual(await loaded(words), names));
  }
  it('is everything when no words are given, for completions and manual pages', async () => {
    const paths = (each: Command): readonly string[] => [pathOf(each), ...each.commands.flatMap(paths)];
    assert.deepEqual(paths(await podProgram()), [
      'pod',
      'pod images',
      'pod images pull',
      'pod images remote',
      'pod images remote add',
      'pod images remote delete',
      'pod show',
    ]);
  });
});

describe('the help', () => {
  const helps = async (words: string): Promise<string> => {
    const { status, stdout, stderr } = await pod(words);
    assert.deepEqual([status, stderr], [0, ''], words);
    return stdout;
  };
  it('of a group lists its commands, however it is asked for', async () => {
    const text = await helps('images --help');
    assert.match(text, /^Usage: pod images\|im <command> \[options\]\n\nMany images\.\n/);
    assert.match(text, /^ {2}pull\|fetch +fetch images$/m);
    assert.match(text, /^ {2}remote +work with remotes$/m);
    assert.match(text, /See "pod images <command> --help" for a command\.\n$/);
    for (const words of ['images -h', 'images help', 'help images', '--help images', '-h im'])
      assert.equal(await helps(words), text, words);
  });
  it('of a command begins with its whole path, however it is asked for', async () => {
    const text = await helps('images remote add --help');
    assert.match(text, /^Usage: pod images remote add \[options\] <name> <file>\n/);
    assert.match(text, /\nExamples:\n.*\n\nExit status:\n/s);
    for (const words of ['help images remote add', 'images help remote add', 'images remote -h add'])
      assert.equal(await helps(words), text, words);
  });
  it('goes to standard error when a group has no command, with status 2', async () => {
    for (const [words, help] of [
      ['', '--help'],
      ['images', 'images --help'],
      ['images remote', 'images remote --help'],
    ] as const) {
      const { status, stdout, stderr } = await pod(words);
      assert.deepEqual([status, stdout, stderr], [2, '', await helps(help)], words);
    }
  });
  it('of what there is none is that of the group, and says so', async () => {
    const { status, stdout, stderr } = await pod('help images nope');
    assert.deepEqual([status, stdout, stderr], [0, await helps('help images'), 'pod: no command "images nope"\n']);
    await refused('help images nope more');
    await refused('images remote add --help more');
  });
});

describe('an unknown command of a group', () => {
  it('is refused, with the nearest name and where to look', async () => {
    assert.equal(
      await refused('images pul a'),
      'pod: unknown command "pul"\npod: did you mean "pull"? see "pod images --help"\n',
    );
    assert.match(await refused('images remote ad'), /did you mean "add"\? see "pod images remote --help"/);
    assert.match(await refused('imges pull'), /did you mean "images"\? see "pod --help"/);
  });
  it('is refused with the groups that do have it', async () => {
    assert.match(await refused('add'), /unknown command "add"\n.*there is "pod images remote add"; see "pod --help"/);
    assert.match(await refused('images im'), /there is "pod images"; see "pod images --help"/);
  });
  it('is refused without a suggestion when nothing is near', async () => {
    assert.equal(
      await refused('images encapsulate'),
      'pod: unknown command "encapsulate"\npod: see "pod images --help"\n',
    );
  });
  it('is never looked for behind an option of the group, or "--"', async () => {
    assert.match(await refused('images --bogus pull'), /unknown option "--bogus"\n.*"pod images --help"/);
    await refused('-- show');
    await refused('images -- pull');
    await refused('images - pull');
    assert.match(await refused('images --via pull'), /unknown option "--via"/);
  });
});

describe('results that cannot be written', () => {
  it('fail the command, with a message and no stack', async () => {
    const prefix = ['sh', '-c', 'exec "$@" > /dev/full', 'sh'];
    const { status, stderr } = await pod('show --repo=/given', { prefix });
    assert.deepEqual([status, stderr.split('\n').length], [1, 2], stderr);
    assert.match(stderr, /^pod: standard output: .*ENOSPC/);
  });
});

describe('the repository of a command', () => {
  it('comes from --repo, else from OSTREE_REPO', async () => {
    const env = { OSTREE_REPO: '/env' };
    assert.equal((await pod('show --repo=/given', { env })).stdout, '/given\n');
    assert.equal((await pod('show', { env })).stdout, '/env\n');
  });
  it('is asked for when neither names one', async () => {
    for (const env of [{}, { OSTREE_REPO: '' }]) {
      const { status, stderr } = await pod('show', { env });
      assert.equal(status, 2);
      assert.match(stderr, /^pod: no repository is named\n.*--repo.*OSTREE_REPO/);
    }
    assert.match(await refused('show --repo='), /OSTREE_REPO/);
  });
});
