import type { Command } from 'commander';
import { functionName, lines, plain, quote } from './shell-text.ts';
import { type ArgumentNode, type CommandNode, type Completer, flatten, type OptionNode, treeOf } from './tree.ts';

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
  const colons = value?.optional === true ? '::' : ':';
  const action = value === undefined ? '' : `${colons}${zshText(value.name)}:${zshAction(value.completer)}`;
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
