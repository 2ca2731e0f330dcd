import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Argument, Command, Option } from 'commander';
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

/** Nested as `os-containers` is: `pod images pull`. */
function nested(): Command {
  const pull = new Command('pull')
    .summary("fetch an image: it's big [slow]")
    .addOption(new Option('--via <how>', 'the way').choices(['http', 'file']))
    .option('-d, --directory <directory>', 'where to')
    .option('--note <text>', 'anything')
    .addOption(new Option('--secret-switch').hideHelp())
    .argument('<image>', 'an image')
    .addArgument(new Argument('[kind]', 'its kind').choices(['oci', 'raw']));
  const images = new Command('images').alias('im').summary('work with images').helpCommand(false).addCommand(pull);
  return new Command('pod').option('--root <directory>', 'another root').helpCommand(false).addCommand(images);
}

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

describe('a completion', () => {
  for (const [shell, make] of Object.entries(SHELLS)) {
    it(`for ${shell} knows nested commands, aliases, options, choices, and nothing hidden`, () => {
      const text = make(nested());
      for (const word of ['pull', 'im', 'via', 'http file', 'oci raw', 'root']) assert.ok(text.includes(word), word);
      assert.ok(!text.includes('secret-switch'));
    });
    it(`for ${shell} is the same each time it is made`, () => {
      assert.equal(make(nested()), make(nested()));
    });
    it(`for ${shell} refuses a choice that a shell would read something into`, () => {
      const option = new Option('--how <how>', 'how').choices(['$(reboot)']);
      const program = new Command('pod').addOption(option);
      assert.throws(() => make(program), /unreachable/);
    });
    it(`for ${shell} works for a program without commands`, () => {
      const program = new Command('solo').option('-f, --file <file>', 'a file').argument('[directory]');
      assert.ok(make(program).includes('solo'));
    });
  }
});
