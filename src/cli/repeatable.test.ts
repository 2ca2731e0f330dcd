import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { repeatable } from './repeatable.ts';

function parse(command: Command, ...words: string[]): unknown {
  return command.parse(words, { from: 'user' }).opts()['key'];
}

describe('an option that may be given several times', () => {
  it('gives its values in the order of the command line, and nothing without one', () => {
    const command = () => new Command('x').addOption(repeatable('--key <value>', 'x'));
    assert.deepEqual(parse(command(), '--key=b', '--key', 'a'), ['b', 'a']);
    assert.equal(parse(command()), undefined);
  });
  it('may stand beside a --no- of its name, before or behind which it is declared', () => {
    const behind = () => new Command('x').option('--no-key', 'x').addOption(repeatable('--key <value>', 'x'));
    const before = () => new Command('x').addOption(repeatable('--key <value>', 'x')).option('--no-key', 'x');
    for (const command of [behind, before]) {
      assert.deepEqual(parse(command(), '--key=a', '--key=b'), ['a', 'b']);
      assert.equal(parse(command(), '--no-key'), false);
    }
  });
});
