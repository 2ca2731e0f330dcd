/**
 * Completion for bash, zsh and fish, made from the definition that `--help` is made from: a program with all its
 * commands loaded in, the text of a script out. Commands may be nested. A value is completed by the name it has in
 * the definition: `<file>` with files, `<directory>` with directories, choices with the choices, others with nothing.
 */
import { type Argument, type Command, Help, type Option } from 'commander';

/** How a value is completed. */
type Completer =
  | { readonly kind: 'files' }
  | { readonly kind: 'directories' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'words'; readonly words: readonly string[] };

interface OptionNode {
  /** `-o`, `--output`: as they are typed, the short one first. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Undefined: the option takes no value. */
  readonly value: { readonly name: string; readonly completer: Completer } | undefined;
  readonly repeatable: boolean;
}

interface ArgumentNode {
  readonly name: string;
  readonly completer: Completer;
  readonly required: boolean;
  readonly variadic: boolean;
}

interface CommandNode {
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

/** Needs nothing but bash 4; the package bash-completion loads it when the command is completed first. */
export function bashCompletion(program: Command): string {
  const root = treeOf(program);
  const all = flatten(root);
  const call = functionName(root);
  const cases = (pick: (node: CommandNode) => readonly string[]): string[] => all.flatMap(pick);
  return lines([
    `# bash completion for ${root.name}, generated from its command line`,
    `${call}() {`,
    `    local cur=\${COMP_WORDS[COMP_CWORD]} option=\${COMP_WORDS[COMP_CWORD-1]} command=${root.name} arguments=0 i`,
    '    # "=" is a word of its own here: "--option=value" are three.',
    '    if [[ $cur == = ]]; then',
    "        cur=''",
    '    elif [[ $option == = ]]; then',
    `        option=\${COMP_WORDS[COMP_CWORD-2]}`,
    '    fi',
    '    COMPREPLY=()',
    '    for ((i = 1; i < COMP_CWORD; i++)); do',
    `        case "$command:\${COMP_WORDS[i]}" in`,
    ...branch(
      cases((node) => valued(node).flatMap(({ flags }) => flags.map((flag) => `${node.path}:${flag}`))),
      [`if [[ \${COMP_WORDS[i+1]} == = ]]; then ((i += 2)); else ((i++)); fi`],
      12,
    ),
    ...cases(({ path, commands }) =>
      commands.flatMap((child) =>
        branch(
          [child.name, ...child.aliases].map((name) => `${path}:${name}`),
          [`command=${quote(child.path)} arguments=0`],
          12,
        ),
      ),
    ),
    '            *:-*) ;;',
    '            *) ((arguments++)) ;;',
    '        esac',
    '    done',
    '    case "$command:$option" in',
    ...cases((node) =>
      valued(node).flatMap(({ flags, value }) =>
        branch(
          flags.map((flag) => `${node.path}:${flag}`),
          [...bashReply(value.completer), 'return'],
          8,
        ),
      ),
    ),
    '    esac',
    '    if [[ $cur == -* ]]; then',
    '        case $command in',
    ...cases((node) =>
      branch([node.path], bashReply({ kind: 'words', words: node.options.flatMap(({ flags }) => flags) }), 12),
    ),
    '        esac',
    '        return',
    '    fi',
    '    case "$command:$arguments" in',
    ...cases((node) =>
      node.commands.length > 0
        ? branch([`${node.path}:0`], bashReply({ kind: 'words', words: node.commands.map(({ name }) => name) }), 8)
        : node.arguments.flatMap(({ completer, variadic }, i) => [
            ...(variadic ? [`        ${quote(`${node.path}:`)}*)`] : [`        ${quote(`${node.path}:${i}`)})`]),
            ...bashReply(completer).map((line) => `            ${line}`),
            '            ;;',
          ]),
    ),
    '    esac',
    '}',
    `complete -F ${call} ${root.name}`,
  ]);
}

/** readline completes files itself, with quoting and "~", when there is no reply and it is told to. */
function bashReply(completer: Completer): string[] {
  if (completer.kind === 'files') return ['compopt -o default'];
  if (completer.kind === 'directories') return ['compopt -o dirnames'];
  if (completer.kind === 'nothing') return [':'];
  return [`mapfile -t COMPREPLY < <(compgen -W ${quote(completer.words.map(plain).join(' '))} -- "$cur")`];
}

function branch(patterns: readonly string[], body: readonly string[], indent: number): string[] {
  if (patterns.length === 0) return [];
  const space = ' '.repeat(indent);
  return [
    `${space}${patterns.map(quote).join(' | ')})`,
    ...body.map((line) => `${space}    ${line}`),
    `${space}    ;;`,
  ];
}

/** For a folder of `fpath`, under the name `_PROGRAM`. */
export function zshCompletion(program: Command): string {
  const root = treeOf(program);
  const call = functionName(root);
  return lines([
    `#compdef ${root.name}`,
    `# zsh completion for ${root.name}, generated from its command line`,
    ...flatten(root).flatMap(zshFunction),
    '',
    '# Loaded by the completion system, this file is the function; sourced, it registers it.',
    `if [[ $funcstack[1] == ${call} ]]; then`,
    `    ${call} "$@"`,
    'else',
    `    compdef ${call} ${root.name}`,
    'fi',
  ]);
}

function zshFunction(node: CommandNode): string[] {
  const nested = node.commands.length > 0;
  const specs = [
    ...node.options.flatMap(zshOption),
    ...(nested ? [`'1:command:->command'`, `'*::argument:->argument'`] : node.arguments.map(zshArgument)),
  ];
  return [
    '',
    `${functionName(node)}() {`,
    ...(nested ? ['    local context state state_descr line', '    typeset -A opt_args'] : []),
    `    _arguments ${nested ? '-C ' : ''}-s -S : \\`,
    `${specs.map((spec) => `        ${spec}`).join(' \\\n')}${nested ? '' : ' && return'}`,
    ...(nested ? zshDispatch(node) : []),
    '}',
  ];
}

function zshDispatch({ commands }: CommandNode): string[] {
  return [
    '    case $state in',
    '        command)',
    '            local -a commands=(',
    ...commands.map(({ name, summary }) => `                ${quote(`${name}:${summary.replace(/:/g, '\\:')}`)}`),
    '            )',
    "            _describe -t commands 'command' commands",
    '            ;;',
    '        argument)',
    '            case $line[1] in',
    ...commands.map(
      (child) => `                ${[child.name, ...child.aliases].map(plain).join('|')}) ${functionName(child)} ;;`,
    ),
    '            esac',
    '            ;;',
    '    esac',
  ];
}

function zshOption({ flags, description, value, repeatable }: OptionNode): string[] {
  const others = repeatable ? '*' : `(${flags.join(' ')})`;
  const action = value === undefined ? '' : `:${zshText(value.name)}:${zshAction(value.completer)}`;
  return flags.map((flag) => {
    const joined = value === undefined ? '' : flag.startsWith('--') ? '=' : '+';
    return quote(`${others}${plain(flag)}${joined}[${zshText(description)}]${action}`);
  });
}

function zshArgument({ name, completer, required, variadic }: ArgumentNode): string {
  return quote(`${variadic ? '*' : ''}:${required || variadic ? '' : ':'}${zshText(name)}:${zshAction(completer)}`);
}

function zshAction(completer: Completer): string {
  if (completer.kind === 'files') return '_files';
  if (completer.kind === 'directories') return '_files -/';
  return completer.kind === 'words' ? `(${completer.words.map(plain).join(' ')})` : ' ';
}

function zshText(text: string): string {
  return text.replace(/[\\:[\]]/g, '\\$&');
}

/** For a folder of `fish_complete_path`, under the name `PROGRAM.fish`. */
export function fishCompletion(program: Command): string {
  const root = treeOf(program);
  const all = flatten(root);
  const at = `_${functionName(root)}_at`;
  const skipped = all.flatMap((node) =>
    valued(node).flatMap(({ flags }) => flags.map((flag) => quote(`${node.path}:${flag}`))),
  );
  return lines([
    `# fish completion for ${root.name}, generated from its command line`,
    '',
    '# Is the command (and the number of its arguments, when given) the one before the cursor?',
    `function ${at}`,
    `    set -l command ${root.name}`,
    '    set -l arguments 0',
    '    set -l is_value 0',
    '    for word in (commandline -opc)[2..-1]',
    '        if test $is_value = 1',
    '            set is_value 0',
    '            continue',
    '        end',
    '        switch "$command:$word"',
    ...(skipped.length > 0 ? [`            case ${skipped.join(' ')}`, '                set is_value 1'] : []),
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
      const action = value === undefined ? '' : ` ${fishAction(value.completer, true)}`;
      return line(here, `${names.join(' ')}${action} -d ${quote(description)}`);
    }),
    ...node.arguments.flatMap(({ completer, variadic }, i) =>
      completer.kind === 'nothing' ? [] : line(variadic ? here : `${here} ${i}`, fishAction(completer, false)),
    ),
  ];
}

function fishAction(completer: Completer, ofOption: boolean): string {
  if (completer.kind === 'files') return ofOption ? '-r -F' : '-F';
  if (completer.kind === 'nothing') return '-x';
  const list =
    completer.kind === 'directories' ? '(__fish_complete_directories)' : completer.words.map(plain).join(' ');
  return `${ofOption ? '-x ' : ''}-a ${quote(list)}`;
}

function treeOf(command: Command, above = ''): CommandNode {
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
    // A value that may be left out is written with "=", so the next word is not it.
    value:
      name === undefined || option.optional ? undefined : { name, completer: completerOf(name, option.argChoices) },
    repeatable: option.variadic,
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

function valued({
  options,
}: CommandNode): readonly (OptionNode & { readonly value: { readonly completer: Completer } })[] {
  return options.flatMap((option) => (option.value === undefined ? [] : [{ ...option, value: option.value }]));
}

function flatten(node: CommandNode): readonly CommandNode[] {
  return [node, ...node.commands.flatMap(flatten)];
}

function functionName({ path }: CommandNode): string {
  return `_${path.split(' ').map(plain).join('_')}`;
}

/** One word in single quotes, alike in the three shells. */
function quote(text: string): string {
  return `'${text.replace(/'/g, "'\\''")}'`;
}

/** Words that no shell reads anything into: names and choices are ours, and no others will do. */
function plain(word: string): string {
  if (!/^[A-Za-z0-9][\w.+-]*$|^--?[A-Za-z0-9][\w-]*$/.test(word))
    throw new Error(`unreachable: "${word}" cannot be completed`);
  return word;
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
