import type { Command } from 'commander';
import { functionName, lines, plain, quote } from './shell-text.ts';
import { type CommandNode, type Completer, flatten, treeOf, valued } from './tree.ts';

/** For a folder of `fish_complete_path`, under the name `PROGRAM.fish`. */
export function fishCompletion(program: Command): string {
  const root = treeOf(program);
  const all = flatten(root);
  const at = `_${functionName(root)}_at`;
  const skipped = (optional: boolean): readonly string[] =>
    all.flatMap((node) =>
      valued(node)
        .filter(({ value }) => value.optional === optional)
        .flatMap(({ flags }) => flags.map((flag) => quote(`${node.path}:${flag}`))),
    );
  const skip = (flags: readonly string[], what: string): readonly string[] =>
    flags.length > 0 ? [`            case ${flags.join(' ')}`, `                set is_value ${what}`] : [];
  return lines([
    `# fish completion for ${root.name}, generated from its command line`,
    '',
    '# Is the command (and the number of its arguments, when given) the one before the cursor?',
    `function ${at}`,
    `    set -l command ${root.name}`,
    '    set -l arguments 0',
    '    set -l is_value no',
    '    for word in (commandline -opc)[2..-1]',
    '        set -l was $is_value',
    '        set is_value no',
    "        if test $was = maybe; and not string match -q -- '-*' $word; or test $was = yes",
    '            continue',
    '        end',
    '        switch "$command:$word"',
    ...skip(skipped(false), 'yes'),
    ...skip(skipped(true), 'maybe'),
    ...all.flatMap(({ path, commands }) =>
      commands.flatMap((child) => [
        `            case ${[child.name, ...child.aliases].map((name) => quote(`${path}:${name}`)).join(' ')}`,
        `                set command ${quote(child.path)}`,
        '                set arguments 0',
      ]),
    ),
    "            case '*:-*'",
    "            case '*'",
    '                set arguments (math $arguments + 1)',
    '        end',
    '    end',
    '    test "$command" = $argv[1]; and test -z "$argv[2]" -o "$arguments" = "$argv[2]"',
    'end',
    '',
    `complete -c ${root.name} -f`,
    ...all.flatMap((node) => fishLines(root.name, at, node)),
  ]);
}

function fishLines(program: string, at: string, node: CommandNode): string[] {
  const line = (condition: string, rest: string): string =>
    `complete -c ${program} -n ${quote(`${at} ${condition}`)} ${rest}`;
  const here = quote(node.path);
  return [
    '',
    ...node.commands.map(({ name, summary }) => line(`${here} 0`, `-a ${quote(name)} -d ${quote(summary)}`)),
    ...node.options.map(({ flags, description, value }) => {
      const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
      const action =
        value === undefined ? '' : ` ${fishAction(value.completer, value.optional ? 'optional' : 'option')}`;
      return line(here, `${names.join(' ')}${action} -d ${quote(description)}`);
    }),
    ...node.arguments.flatMap(({ completer, variadic }, i) =>
      completer.kind === 'nothing' ? [] : line(variadic ? here : `${here} ${i}`, fishAction(completer, 'argument')),
    ),
  ];
}

/** To fish, a value that may be left out is one that is written with "=". */
function fishAction(completer: Completer, of: 'option' | 'optional' | 'argument'): string {
  if (completer.kind === 'files') return of === 'option' ? '-r -F' : '-F';
  if (completer.kind === 'nothing') return of === 'optional' ? '-f' : '-x';
  const list =
    completer.kind === 'directories' ? '(__fish_complete_directories)' : completer.words.map(plain).join(' ');
  return `${{ option: '-x ', optional: '-f ', argument: '' }[of]}-a ${quote(list)}`;
}
