/** The shells themselves complete a program whose commands are nested two deep. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { must } from '../../../test/support/program.ts';
import { makeScratch, removeTree } from '../../../test/support/scratch.ts';
import { podProgram } from '../program.fixture.ts';
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

describe('nested commands are completed', () => {
  let folder = '';
  before(async () => {
    folder = makeScratch();
    const program = await podProgram();
    writeFileSync(join(folder, 'pod.bash'), bashCompletion(program));
    writeFileSync(join(folder, 'pod.fish'), fishCompletion(program));
    writeFileSync(join(folder, '_pod'), zshCompletion(program));
  });
  after(() => removeTree(folder));

  /** The replies for words as bash splits them, and what readline is told to do itself. */
  async function inBash(...words: readonly string[]): Promise<string> {
    const script = `set -u; . "$1"; shift; compopt() { echo "$@"; }
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pod; echo "\${COMPREPLY[*]}"`;
    const { stdout, stderr } = await must('bash', ['-c', script, 'bash', join(folder, 'pod.bash'), 'pod', ...words]);
    assert.equal(stderr, '');
    return stdout.trim();
  }
  it('in bash', { skip: needs('bash') }, async () => {
    assert.equal(await inBash('i'), 'images');
    assert.equal(await inBash('images', ''), 'pull remote');
    assert.equal(await inBash('im', 'remote', ''), 'add delete');
    assert.equal(await inBash('images', 'remote', 'pu'), '');
    assert.equal(await inBash('images', 'remote', 'add', 'name', '/'), '-o default');
    assert.equal(await inBash('images', 'remote', 'add', ''), '');
    assert.equal(await inBash('images', 'pull', '--vi'), '--via');
    assert.equal(await inBash('im', 'fetch', '--via', ''), 'http file');
    assert.equal(await inBash('images', 'pull', '-d', '/'), '-o dirnames');
    assert.equal(await inBash('images', '--he'), '--help');
    assert.equal(await inBash('show', '--repo', '/'), '-o dirnames');
  });
  it('in bash, with an option whose value may be left out', { skip: needs('bash') }, async () => {
    assert.equal(await inBash('images', 'pull', '--sort', ''), 'name size');
    assert.equal(await inBash('images', 'pull', '--sort', '=', 's'), 'size');
    assert.equal(await inBash('images', 'pull', '--sort', '--vi'), '--via');
    assert.equal(await inBash('images', 'pull', '--sort', '--via', 'f'), 'file');
    assert.equal(await inBash('images', 'pull', '--sort', 'size', '/'), '-o default');
  });

  async function inFish(line: string): Promise<readonly string[]> {
    const script = 'source $argv[1]; complete -C $argv[2]';
    const words = ['--no-config', '-c', script, join(folder, 'pod.fish'), line];
    return (await must('fish', words, { env: { HOME: folder } })).stdout.trim().split('\n');
  }
  const namesInFish = async (line: string) => (await inFish(line)).map((found) => found.split('\t')[0]).sort();
  it('in fish', { skip: needs('fish') }, async () => {
    assert.deepEqual(await inFish('pod i'), ['images\twork with images']);
    assert.deepEqual(await namesInFish('pod images '), ['pull', 'remote']);
    assert.deepEqual(await namesInFish('pod im remote '), ['add', 'delete']);
    assert.deepEqual(await namesInFish('pod images remote pu'), ['']);
    assert.deepEqual(await namesInFish('pod images pull --via '), ['file', 'http']);
    assert.deepEqual(await namesInFish('pod images pull --vi'), ['--via']);
    assert.ok((await inFish('pod images remote add name /etc/passw')).includes('/etc/passwd'));
    assert.deepEqual(await inFish('pod images remote add /etc/passw'), ['']);
  });
  it('in fish, with an option whose value may be left out', { skip: needs('fish') }, async () => {
    // Some versions offer files beside them.
    const sorts = await namesInFish('pod images pull --sort=');
    assert.ok(sorts.includes('--sort=name') && sorts.includes('--sort=size'), sorts.join());
    assert.deepEqual(await namesInFish('pod images pull --sort --vi'), ['--via']);
    assert.deepEqual(await namesInFish('pod images pull --sort --via f'), ['file']);
    assert.deepEqual(
      await inFish('pod images pull --sort size /etc/passw'),
      await inFish('pod images pull /etc/passw'),
    );
    assert.ok((await inFish('pod images pull --sort size /etc/passw')).includes('/etc/passwd'));
  });

  it('in zsh', { skip: needs('zsh') }, async () => {
    const env = { HOME: folder };
    const { stdout } = await must('zsh', ['-f', '-c', ZSH_SESSION, 'zsh', folder, join(folder, 'dump')], { env });
    for (const expected of [
      'pod images remote',
      'pod im remote delete',
      'pull --via',
      'pull --via=http',
      '--sort=size',
    ])
      assert.ok(stdout.includes(expected), `${expected}: ${stdout}`);
  });
});

/** A zsh on a terminal of its own; lines are begun, and the tab key is pressed after each. */
const ZSH_SESSION = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1='> '; fpath=(\${(q)1} \\$fpath); autoload -Uz compinit; compinit -u -d \${(q)2}; echo set up"
zpty -r shell out '*set up*set up*'
for line wanted in 'pod images re' remote 'pod im remote del' delete 'pod images pull --vi' via \\
        'pod images fetch --via=h; pod images pull --via=h' http 'pod images pull --sort=s' size; do
    zpty -w -n shell "$line"$'\\t'
    more=''
    for i in {1..100}; do
        zpty -r -t shell part && more+=$part
        [[ $more == *$wanted* ]] && break
        sleep 0.05
    done
    print -r -- "$more"
    zpty -w -n shell $'\\x15'
done
`;
