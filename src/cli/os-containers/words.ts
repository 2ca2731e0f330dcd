/** Words of the command line in the order that the other parts read them in. */
import type { CommandEntry } from '../command-table.ts';
import { COMMANDS } from './commands.ts';

/** Options of every command: they may stand before it, too. */
const WITH_VALUE = ['--runtime', '--repo', '--checkouts', '--root', '--lock-timeout', '--progress'];
const WITHOUT_VALUE = ['--offline', '--json', '--quiet', '-q', '--verbose', '-v', '--no-color'];

/** Groups that list what they are about when nothing else is asked of them. */
const LISTING = ['images', 'containers'];

/** What is asked about the program itself: options of commands mean nothing to it. */
const ABOUT = ['-h', '--help', '--version'];

/** Options before the command go behind its words, and `images` alone is `images list`. */
export function arrangeWords(words: readonly string[]): readonly string[] {
  const count = countLeading(words);
  const [options, rest] = [words.slice(0, count), words.slice(count)];
  if (ABOUT.includes(rest[0] ?? '')) return rest;
  const path = pathIn(COMMANDS, rest);
  const after = rest.slice(path.length);
  if (isListing(path, after[0])) return [...path, 'list', ...options, ...after];
  if (isCommand(path)) return [...path, ...options, ...after];
  return rest.length === 0 ? [] : [...rest, ...options]; // the parser says what is wrong
}

/** How many words at the beginning are options of every command, with their values. */
function countLeading(words: readonly string[]): number {
  let at = 0;
  while (at < words.length) {
    const word = words[at] ?? '';
    if (WITHOUT_VALUE.includes(word)) at += 1;
    else if (WITH_VALUE.includes(word)) at += 2;
    else if (WITH_VALUE.some((option) => word.startsWith(`${option}=`))) at += 1;
    else break;
  }
  return Math.min(at, words.length);
}

/** As many words as name a group and a command in it. */
function pathIn(entries: readonly CommandEntry[], [word, ...rest]: readonly string[]): readonly string[] {
  const entry = entries.find(({ name, aliases = [] }) => [name, ...aliases].includes(word ?? ''));
  if (entry === undefined || word === undefined) return [];
  return [word, ...('commands' in entry ? pathIn(entry.commands, rest) : [])];
}

function isCommand(path: readonly string[]): boolean {
  return path.length > 0 && !(path.length === 1 && LISTING.includes(path[0] ?? ''));
}

function isListing([group = '', command]: readonly string[], next: string | undefined): boolean {
  if (!LISTING.includes(group) || command !== undefined) return false;
  return next === undefined || (next.startsWith('-') && !['-h', '--help', '-', '--'].includes(next));
}
