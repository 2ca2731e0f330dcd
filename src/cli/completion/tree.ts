/**
 * Completion for bash, zsh and fish, made from the definition that `--help` is made from: a program with all its
 * commands loaded in, the text of a script out. Commands may be nested. A value is completed by the name it has in
 * the definition: `<file>` with files, `<directory>` with directories, choices with the choices, others with nothing.
 */
import { type Argument, type Command, Help, type Option } from 'commander';
import { isRepeatable } from '../repeatable.ts';

/** How a value is completed. */
export type Completer =
  | { readonly kind: 'files' }
  | { readonly kind: 'directories' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'words'; readonly words: readonly string[] };

export interface ValueNode {
  readonly name: string;
  readonly completer: Completer;
  /** It may be left out: the next word is the value unless it looks like an option. */
  readonly optional: boolean;
}

export interface OptionNode {
  /** `-o`, `--output`: as they are typed, the short one first. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Undefined: the option takes no value. */
  readonly value: ValueNode | undefined;
  readonly repeatable: boolean;
}

export interface ArgumentNode {
  readonly name: string;
  readonly completer: Completer;
  readonly required: boolean;
  readonly variadic: boolean;
}

export interface CommandNode {
  /** All words from the program's name on, one space apart: `tako fetch`. */
  readonly path: string;
  readonly name: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly options: readonly OptionNode[];
  readonly arguments: readonly ArgumentNode[];
  readonly commands: readonly CommandNode[];
}

const FILES = new Set(['file', 'config', 'image', 'manifest', 'key-file', 'archive', 'path']);
const DIRECTORIES = new Set(['directory', 'dir', 'repository', 'layout', 'root']);

export function treeOf(command: Command, above = ''): CommandNode {
  const path = above === '' ? command.name() : `${above} ${command.name()}`;
  const help = new Help();
  return {
    path,
    name: command.name(),
    aliases: command.aliases(),
    summary: command.summary() || command.description(),
    options: help.visibleOptions(command).map(optionNode),
    arguments: command.registeredArguments.map(argumentNode),
    commands: help.visibleCommands(command).map((child) => treeOf(child, path)),
  };
}

function optionNode(option: Option): OptionNode {
  const name = /[<[]([^\]>]+?)(\.\.\.)?[\]>]/.exec(option.flags)?.[1];
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined && flag !== null),
    description: option.description,
    value:
      name === undefined
        ? undefined
        : { name, completer: completerOf(name, option.argChoices), optional: option.optional },
    repeatable: isRepeatable(option),
  };
}

function argumentNode(argument: Argument): ArgumentNode {
  const { required, variadic } = argument;
  const name = argument.name();
  return { name, completer: completerOf(name, argument.argChoices), required, variadic };
}

function completerOf(name: string, choices: readonly string[] | undefined): Completer {
  if (choices !== undefined) return { kind: 'words', words: choices };
  if (FILES.has(name)) return { kind: 'files' };
  return { kind: DIRECTORIES.has(name) ? 'directories' : 'nothing' };
}

export function valued({ options }: CommandNode): readonly (OptionNode & { readonly value: ValueNode })[] {
  return options.flatMap((option) => (option.value === undefined ? [] : [{ ...option, value: option.value }]));
}

export function flatten(node: CommandNode): readonly CommandNode[] {
  return [node, ...node.commands.flatMap(flatten)];
}
