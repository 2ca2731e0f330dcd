/**
 * The habits of our command lines that commander does not have: a value that looks like an option is refused
 * (`-k --foo`), a lone `-` is no option, and `-h COMMAND` is the help of that command.
 */
import type { Command, Option } from 'commander';
import { CodedError } from '../base/error.ts';

export class UsageError extends CodedError<'USAGE'> {
  constructor(message: string, hint?: string) {
    super('USAGE', message, { hint });
  }
}

/** What to do with the words after the program's name. */
export type Request =
  | { readonly kind: 'run'; readonly words: readonly string[] }
  | { readonly kind: 'help'; readonly command: Command | undefined; readonly unknown?: string };

/** @throws UsageError */
export function readRequest(program: Command, words: readonly string[]): Request {
  const [first, second, ...rest] = words;
  if (isHelpWord(first)) {
    if (rest.length > 0) throw new UsageError(`unexpected argument "${rest[0]}" after the help option`);
    const command = findCommand(program, second);
    return { kind: 'help', command, ...(second !== undefined && command === undefined ? { unknown: second } : {}) };
  }
  const command = findCommand(program, first);
  if (command === undefined) return { kind: 'run', words };
  if (isHelp(second)) {
    if (rest.length > 0) throw new UsageError(`unexpected argument "${rest[0]}" after the help option`);
    return { kind: 'help', command };
  }
  assertValues(command, words.slice(1));
  return { kind: 'run', words };
}

export function isHelpWord(word: string | undefined): boolean {
  return isHelp(word) || word === 'help';
}

function isHelp(word: string | undefined): boolean {
  return word === '-h' || word === '--help';
}

function findCommand(program: Command, name: string | undefined): Command | undefined {
  return program.commands.find((command) => command.name() === name || command.aliases().includes(name ?? ''));
}

function assertValues(command: Command, words: readonly string[]): void {
  for (let i = 0; i < words.length && words[i] !== '--'; i++) {
    const word = words[i] as string;
    if (word === '-') throw new UsageError('"-" is not an option');
    if (!awaitsValue(command, word)) continue;
    // What was found is not shown: it may be another option with a secret behind it.
    if (words[++i]?.startsWith('-')) {
      throw new UsageError(
        `option "${word}" needs a value, found what looks like an option`,
        `write ${word}${word.startsWith('--') ? '=' : ''}VALUE when the value begins with "-"`,
      );
    }
  }
}

/** Is the next word the value of this one? Also of the last letter of a cluster, as in `-qk`. */
function awaitsValue({ options }: Command, word: string): boolean {
  if (word.startsWith('--')) return takesValue(options.find((known) => known.long === word));
  if (!word.startsWith('-')) return false;
  const letters = [...word.slice(1)].map((letter) => options.find((known) => known.short === `-${letter}`));
  // What follows an option with a value is its value, in the same word.
  const first = letters.findIndex(takesValue);
  return first !== -1 && first === letters.length - 1;
}

function takesValue(option: Option | undefined): boolean {
  return option?.required === true;
}
