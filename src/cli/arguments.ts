/**
 * The habits of our command lines that commander does not have: a value that looks like an option is refused
 * (`-k --foo`), a lone `-` is no option, and `-h COMMAND` is the help of that command, in a group too.
 */
import type { Command, Option } from 'commander';
import { CodedError } from '../base/error.ts';
import { follow } from './command-table.ts';

export class UsageError extends CodedError<'USAGE'> {
  constructor(message: string, hint?: string) {
    super('USAGE', message, { hint });
  }
}

/** What to do with the words after the program's name. */
export type Request =
  | { readonly kind: 'run'; readonly words: readonly string[] }
  | { readonly kind: 'help'; readonly command: Command; readonly unknown?: string }
  /** The words end before a command is named. */
  | { readonly kind: 'incomplete'; readonly command: Command };

/** @throws UsageError */
export function readRequest(program: Command, words: readonly string[]): Request {
  const { command, rest } = follow(program, words);
  const [next, ...more] = rest;
  if (command === program || command.commands.length > 0) {
    if (next === undefined) return { kind: 'incomplete', command };
    if (isHelpWord(next)) return readHelp(command, more);
    // Commander would step over it to a command that is not loaded.
    if (next === '-' || next === '--') throw new UsageError(`expected a command, found "${next}"`);
    return { kind: 'run', words };
  }
  if (isHelp(next)) return readHelp(command, more);
  assertValues(command, rest);
  return { kind: 'run', words };
}

/** `help repo commit`, `repo -h commit`, `repo commit -h`: the names after the word for help, if any. */
function readHelp(from: Command, names: readonly string[]): Request {
  const { command, rest } = follow(from, names);
  const mayFollow = command.commands.length > 0 ? 1 : 0;
  if (rest.length > mayFollow) throw new UsageError(`unexpected argument "${rest[mayFollow]}" after the help option`);
  return { kind: 'help', command, ...(rest.length > 0 ? { unknown: names.join(' ') } : {}) };
}

export function isHelpWord(word: string | undefined): boolean {
  return isHelp(word) || word === 'help';
}

function isHelp(word: string | undefined): boolean {
  return word === '-h' || word === '--help';
}

const PASSING = new WeakSet<Command>();

/** Words after the first argument are not ours, whatever they look like: `run etcd ls -l`. */
export function passThrough(command: Command): Command {
  PASSING.add(command);
  return command.passThroughOptions();
}

function assertValues(command: Command, words: readonly string[]): void {
  for (let i = 0; i < words.length && words[i] !== '--'; i++) {
    const word = words[i] as string;
    if (PASSING.has(command) && !word.startsWith('-')) return;
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
