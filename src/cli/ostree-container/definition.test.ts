import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Command } from 'commander';
import { follow, pathOf } from '../command-table.ts';
import { bashCompletion } from '../completion/bash.ts';
import { ostreeContainerProgram } from './definition.ts';

function all(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(all)];
}

describe('the commands of ostree-container', () => {
  it('have a summary and a description each', async () => {
    for (const each of all(await ostreeContainerProgram()).slice(1))
      assert.ok(each.summary() !== '' && each.description() !== '', pathOf(each));
  });
  it('have words that shells can complete', async () => {
    assert.ok(bashCompletion(await ostreeContainerProgram()).includes('--registries.d'));
  });
  it('of repositories stand in the order of their names', async () => {
    const repo = (await ostreeContainerProgram()).commands.find((each) => each.name() === 'repo');
    const names = repo?.commands.map((each) => each.name()) ?? [];
    assert.ok(names.length > 15);
    assert.deepEqual(names, [...names].sort());
  });
  it('are found by their words, and are then the only ones', async () => {
    for (const each of all(await ostreeContainerProgram()).filter(({ commands }) => commands.length === 0)) {
      const [, ...words] = pathOf(each).split(' ');
      const program = await ostreeContainerProgram([...words, '--json']);
      const { command, rest } = follow(program, words);
      assert.deepEqual([rest, command.helpInformation()], [[], each.helpInformation()]);
      assert.equal(all(program).length, words.length + 1, pathOf(each));
    }
  });
});
