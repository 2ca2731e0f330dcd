/**
 * The commands of a program as a table that costs next to nothing. Only the one command that runs is loaded: each
 * costs some milliseconds. Groups nest to any depth: `ostree-container repo remote add`.
 */
import type { Command } from 'commander';

interface NamedEntry {
  /** The word of the command line: `fetch`. */
  readonly name: string;
  /** Other words for the same. */
  readonly aliases?: readonly string[];
  /** One line for the list of commands. */
  readonly summary: string;
}

/** A command that does something. Its name and aliases are those of the table. */
export interface LeafEntry extends NamedEntry {
  load(): Promise<Command>;
}

/** A command that does nothing but hold others. */
export interface GroupEntry extends NamedEntry {
  /** Sentences for its help and its manual page; the summary when there are none. */
  readonly description?: string;
  readonly commands: readonly CommandEntry[];
  /** Words that users try, and what to do instead. */
  readonly instead?: Readonly<Record<string, string>>;
}

export type CommandEntry = LeafEntry | GroupEntry;

/**
 * Add the commands that these words lead to: the one command they name, loaded, and the groups above it. Where they
 * lead nowhere, all commands of the group they reached, by name and summary.
 * @param wanted the words after the program's name, options and all; undefined: load everything, at every depth
 */
export async function loadCommands(
  parent: Command,
  entries: readonly CommandEntry[],
  wanted: readonly string[] | undefined,
): Promise<Command> {
  ENTRIES.set(parent, entries);
  const [word, ...rest] = wanted ?? [];
  const named = entries.filter(({ name, aliases = [] }) => [name, ...aliases].includes(word ?? ''));
  for (const entry of named.length > 0 ? named : entries) {
    const isWanted = wanted === undefined || named.includes(entry);
    const command = isWanted ? await load(parent, entry, wanted && rest) : parent.createCommand(entry.name);
    parent.addCommand(
      command
        .name(entry.name)
        .summary(entry.summary)
        .aliases([...(entry.aliases ?? [])]),
    );
  }
  return parent;
}

async function load(parent: Command, entry: CommandEntry, rest: readonly string[] | undefined): Promise<Command> {
  if ('load' in entry) return entry.load();
  const group = parent.createCommand(entry.name).description(entry.description ?? entry.summary);
  if (entry.instead !== undefined) INSTEAD.set(group, entry.instead);
  return loadCommands(groupShape(group), entry.commands, rest);
}

const ENTRIES = new WeakMap<Command, readonly CommandEntry[]>();

/** Commands of that name in other groups of the program, by all their words. */
export function elsewhere(command: Command, word: string): readonly string[] {
  let root = command;
  while (root.parent !== null) root = root.parent;
  return [...pathsTo(ENTRIES.get(root) ?? [], word, root.name())];
}

function* pathsTo(entries: readonly CommandEntry[], word: string, path: string): Generator<string> {
  for (const entry of entries) {
    const here = `${path} ${entry.name}`;
    if ([entry.name, ...(entry.aliases ?? [])].includes(word)) yield here;
    if ('commands' in entry) yield* pathsTo(entry.commands, word, here);
  }
}

const INSTEAD = new WeakMap<Command, Readonly<Record<string, string>>>();

/** What to do instead of a word that a group does not have, where that is known. */
export function insteadOf(group: Command, word: string): string | undefined {
  const table = INSTEAD.get(group) ?? {};
  return Object.hasOwn(table, word) ? table[word] : undefined;
}

/** What the help of a program and of a group says and does, beside the list of its commands. */
export function groupShape(command: Command): Command {
  return command
    .usage('<command> [options]')
    .helpOption('-h, --help', 'show this help, or with a command its help')
    .helpCommand(false)
    .addHelpText('after', ({ command: self }) => `\nSee "${pathOf(self)} <command> --help" for a command.`);
}

/** All words from the program's name on: `ostree-container repo commit`. */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** Go from a command as deep as the words name commands; what is left begins with the first word that names none. */
export function follow(
  from: Command,
  words: readonly string[],
): { readonly command: Command; readonly rest: readonly string[] } {
  const [word = '', ...rest] = words;
  const child = from.commands.find((each) => each.name() === word || each.aliases().includes(word));
  return child === undefined ? { command: from, rest: words } : follow(child, rest);
}
