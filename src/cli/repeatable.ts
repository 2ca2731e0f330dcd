/** Options that may be given several times, one value each time: `--add-metadata-string=a=b --add-metadata-string=c=d`. */
import { Option } from 'commander';

/**
 * The values come as a list in the order of the command line, undefined when there are none. (The `<value...>` of
 * commander is something else: it also takes the words that follow.)
 */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, `${description} (repeatable)`).argParser(append);
}

export function isRepeatable(option: Option): boolean {
  return option.variadic || option.parseArg === append;
}

/** Beside a `--no-...` of the same name commander starts with true. */
function append(value: string, before: readonly string[] | boolean | undefined): readonly string[] {
  return [...(typeof before === 'object' ? before : []), value];
}
