import type { Command } from 'commander';
import { functionName, lines, plain, quote } from './shell-text.ts';
import { type CommandNode, type Completer, flatten, treeOf, valued } from './tree.ts';

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
    ...[false, true].flatMap((optional) =>
      branch(
        cases((node) =>
          valued(node)
            .filter(({ value }) => value.optional === optional)
            .flatMap(({ flags }) => flags.map((flag) => `${node.path}:${flag}`)),
        ),
        [
          `if [[ \${COMP_WORDS[i+1]} == = ]]; then ((i += 2)); ` +
            `${optional ? `elif [[ \${COMP_WORDS[i+1]} != -* ]]; then` : 'else'} ((i++)); fi`,
        ],
        12,
      ),
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
          value.optional
            ? [
                'if [[ $cur != -* ]]; then',
                ...bashReply(value.completer).map((line) => `    ${line}`),
                '    return',
                'fi',
              ]
            : [...bashReply(value.completer), 'return'],
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
