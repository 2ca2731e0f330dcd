import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Command } from 'commander';
import { follow, pathOf } from '../command-table.ts';
import { bashCompletion } from '../completion/bash.ts';
import { COMMANDS } from './commands.ts';
import { calledName, osContainersProgram } from './definition.ts';

function all(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(all)];
}

const leaves = async (): Promise<readonly Command[]> =>
  all(await osContainersProgram()).filter(({ commands }) => commands.length === 0);

describe('the commands of os-containers', () => {
  it('have a summary and a description each', async () => {
    for (const each of all(await osContainersProgram()).slice(1))
      assert.ok(each.summary() !== '' && each.description() !== '', pathOf(each));
  });
  it('have words that shells can complete, under either name', async () => {
    assert.ok(bashCompletion(await osContainersProgram()).includes('--checkouts'));
    assert.match(bashCompletion(await osContainersProgram(undefined, 'os-container')), /complete .*os-container\n/);
  });
  it('stand in the order of their names', () => {
    const names = COMMANDS.map(({ name }) => name);
    assert.deepEqual(names, [...names].sort());
  });
  it('all take the options about the host', async () => {
    for (const each of await leaves()) {
      const own = each.options.map(({ long }) => long);
      for (const option of ['--runtime', '--repo', '--checkouts', '--root', '--offline', '--lock-timeout', '--json'])
        assert.ok(own.includes(option), `${pathOf(each)} ${option}`);
    }
  });
  it('are found by their words, and are then the only ones', async () => {
    for (const each of await leaves()) {
      const [, ...words] = pathOf(each).split(' ');
      const program = await osContainersProgram([...words, '--json']);
      const { command, rest } = follow(program, words);
      assert.deepEqual([rest, command.helpInformation()], [[], each.helpInformation()]);
      assert.equal(all(program).length, words.length + 1, pathOf(each));
    }
  });
});

describe('the name that the program goes by', () => {
  it('is the one it was called by', () => {
    assert.equal(calledName('/usr/bin/os-container'), 'os-container');
    assert.equal(calledName('/usr/bin/os-containers'), 'os-containers');
    assert.equal(calledName('/x/dist/src/cli/os-containers/main.js'), 'os-containers');
    assert.equal(calledName('/usr/lib/tako/os-container.js'), 'os-container');
    assert.equal(calledName(undefined), 'os-containers');
  });
});
