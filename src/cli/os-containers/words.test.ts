import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { arrangeWords } from './words.ts';

const arranged = (line: string): string => arrangeWords(line.split(' ').filter((word) => word !== '')).join(' ');

describe('options before the command', () => {
  it('go behind its words, with their values', () => {
    assert.equal(
      arranged('--runtime /usr/bin/crun --json install x --name y'),
      'install --runtime /usr/bin/crun --json x --name y',
    );
    assert.equal(arranged('--repo=/r images delete x'), 'images delete --repo=/r x');
    assert.equal(arranged('-v run etcd ls -v'), 'run -v etcd ls -v');
  });
  it('stay away from what follows the command', () => {
    assert.equal(arranged('run etcd ls --json'), 'run etcd ls --json');
    assert.equal(arranged('install --runtime'), 'install --runtime');
  });
  it('that are unknown are left for the parser to refuse', () => {
    assert.equal(arranged('--wrong install x'), '--wrong install x');
    assert.equal(arranged('--json wrong x'), 'wrong x --json');
    assert.equal(arranged('--root /r images wrong x'), 'images wrong x --root /r');
    assert.equal(arranged('--runtime'), '');
  });
});

describe('a group alone', () => {
  it('lists what it is about', () => {
    assert.equal(arranged('images'), 'images list');
    assert.equal(arranged('containers --all'), 'containers list --all');
    assert.equal(arranged('--json images -v'), 'images list --json -v');
  });
  it('shows its help when that is asked for, and refuses what it does not have', () => {
    assert.equal(arranged('images --help'), 'images --help');
    assert.equal(arranged('images -h'), 'images -h');
    assert.equal(arranged('images lst'), 'images lst');
    assert.equal(arranged('help images'), 'help images');
    assert.equal(arranged('--root /r --help'), '--help');
    assert.equal(arranged('--json --version'), '--version');
  });
});
