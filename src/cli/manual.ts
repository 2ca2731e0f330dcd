/**
 * Manual pages (roff, man(7)) from the definition that `--help` is made from: one page for the program and one for
 * each of its commands, at any depth. A page carries the version and no date, so the same sources give the same bytes.
 */
import { type Command, Help, type Option } from 'commander';
import { EXIT_HELP } from './exit-status.ts';
import { type Entry, type Facts, factsOf } from './manual-facts.ts';

/** The pages by file name: `tako.1`, `tako-fetch.1`, .... */
export function manualPages(program: Command, version: string): ReadonlyMap<string, string> {
  const pages = pagesOf(program, [program.name()]);
  const facts = factsOf(program.name());
  const footer = `${program.name()} ${version}`;
  return new Map(pages.map((page) => [`${page.name}.1`, format(page, pages, facts, footer)]));
}

interface Page {
  /** `tako-fetch`. */
  readonly name: string;
  /** `tako`, `fetch`. */
  readonly words: readonly string[];
  readonly command: Command;
}

function pagesOf(command: Command, words: readonly string[]): readonly Page[] {
  const children = new Help().visibleCommands(command);
  return [
    { name: words.join('-'), words, command },
    ...children.flatMap((child) => pagesOf(child, [...words, child.name()])),
  ];
}

function format(page: Page, pages: readonly Page[], facts: Facts, footer: string): string {
  const { command, name } = page;
  const program = page.words[0] ?? '';
  const after = sectionsAfter(command);
  const children = pages.filter(({ words }) => isBelow(words, page.words));
  const others = pages.filter((other) => areNear(page.words, other.words)).map((other) => `${other.name}(1)`);
  const parts = [
    `.\\" Generated from the command line of ${program}.`,
    `.TH ${argument(name.toUpperCase())} 1 "" ${argument(footer)} ${argument(`${program} manual`)}`,
    // Left-aligned, and no hyphens: words of a command line stay whole.
    '.nh',
    '.ad l',
    section('NAME', [`${roff(name)} \\- ${roff(command.summary() || firstSentence(command.description()))}`]),
    section('SYNOPSIS', synopsis(command)),
    section('DESCRIPTION', [...paragraphs(command.description()), ...after.paragraphs.flatMap(paragraphs)]),
    section('COMMANDS', children.flatMap(summaryOf)),
    section('ARGUMENTS', argumentEntries(command)),
    section('OPTIONS', new Help().visibleOptions(command).flatMap(optionEntry)),
    section('EXIT STATUS', after.of('Exit status') ?? definitions(EXIT_HELP.split('\n').slice(1))),
    section('EXAMPLES', after.of('Examples') ?? []),
    section('ENVIRONMENT', facts.environment.flatMap(entry)),
    section('FILES', facts.files.flatMap(entry)),
    section('SEE ALSO', [[...others, ...facts.seeAlso].map(reference).join(',\n')]),
  ];
  return `${parts.filter((part) => part !== '').join('\n')}\n`;
}

function isBelow(words: readonly string[], above: readonly string[]): boolean {
  return words.length === above.length + 1 && above.every((word, i) => words[i] === word);
}

/** What is above, below or beside a page: in a program with groups the whole list would hide them. */
function areNear(words: readonly string[], others: readonly string[]): boolean {
  const isBeside = words.length > 1 && words.join(' ') !== others.join(' ') && isBelow(others, words.slice(0, -1));
  return isBelow(words, others) || isBelow(others, words) || isBeside;
}

function section(title: string, body: readonly string[]): string {
  return body.length === 0 ? '' : [`.SH ${argument(title)}`, ...body].join('\n');
}

function synopsis(command: Command): string[] {
  const [name = '', ...words] = new Help().commandUsage(command).split(/ (?=[[<])/);
  return [`.B ${roff(name)}`, ...words.map(usageWord)];
}

/** `[options] <config...>`: brackets as they are, names in italics. */
function usageWord(word: string): string {
  return roff(word).replace(/[A-Za-z][A-Za-z0-9\\-]*/g, (name) => `\\fI${name}\\fR`);
}

function summaryOf({ name, command }: Page): string[] {
  return ['.TP', reference(`${name}(1)`), text(capital(command.summary() || firstSentence(command.description())))];
}

function argumentEntries(command: Command): string[] {
  const help = new Help();
  return help
    .visibleArguments(command)
    .flatMap((each) => ['.TP', `\\fI${roff(each.name())}\\fR`, text(capital(help.argumentDescription(each)))]);
}

function optionEntry(option: Option): string[] {
  const flags = option.flags
    .replace(/(-[\w-]+)/g, (flag) => `\u0001${flag}\u0002`)
    .replace(/([[<])([^\]>]+)([\]>])/g, (_, open: string, name: string, close: string) =>
      open === '<' ? `\u0003${name}\u0002` : `${open}\u0003${name}\u0002${close}`,
    );
  const marked = roff(flags).replaceAll('\u0001', '\\fB').replaceAll('\u0002', '\\fR').replaceAll('\u0003', '\\fI');
  return ['.TP', marked, text(capital(new Help().optionDescription(option)))];
}

function entry([term, meaning]: Entry): string[] {
  return ['.TP', `.B ${roff(term)}`, text(meaning)];
}

/** What `addHelpText('after', ...)` prints: paragraphs, and sections of indented lines below a `Title:`. */
function sectionsAfter(command: Command) {
  let printed = '';
  const before = command.configureOutput();
  command.configureOutput({
    writeOut: (more) => {
      printed += more;
    },
  });
  command.outputHelp();
  command.configureOutput(before);
  const help = command.helpInformation();
  printed = printed.slice(printed.indexOf(help) + help.length);
  const blocks = printed.split('\n\n').map((block) => block.split('\n').filter((line) => line !== ''));
  const titled = blocks.filter(([title]) => title?.endsWith(':'));
  return {
    paragraphs: blocks.filter((block) => block.length > 0 && !titled.includes(block)).map((block) => block.join('\n')),
    of: (title: string): string[] | undefined => {
      const body = titled.find(([first]) => first === `${title}:`)?.slice(1);
      return title === 'Exit status' ? body && definitions(body) : body && literal(body);
    },
  };
}

/** `  130  interrupted (143: terminated)`: a term, two spaces or more, its meaning. */
function definitions(body: readonly string[]): string[] {
  return body.flatMap((line) => {
    const [, term = '', meaning = ''] = /^\s*(\S+)\s+(.*)$/.exec(line) ?? [];
    return ['.TP', `.B ${roff(term)}`, text(capital(meaning))];
  });
}

function literal(body: readonly string[]): string[] {
  return ['.RS 4', '.nf', ...body.map((line) => text(line.replace(/^ {2}/, ''))), '.fi', '.RE'];
}

function paragraphs(description: string): string[] {
  return description.split('\n\n').flatMap((each) => ['.PP', text(each.replace(/\n/g, ' '))]);
}

/** `tako-fetch(1)`, the name in bold. */
function reference(page: string): string {
  const [, name = page, rest = ''] = /^(.*)(\(\d\))$/.exec(page) ?? [];
  return `\\fB${roff(name)}\\fR${rest}`;
}

function firstSentence(description: string): string {
  return description.split(/\.(?:\s|$)/)[0] ?? '';
}

/** Help texts begin small, sentences of a page do not. */
function capital(line: string): string {
  return line.charAt(0).toUpperCase() + line.slice(1);
}

/** A line of text: one that begins like a request is none. */
function text(line: string): string {
  return roff(line).replace(/^(?=[.']|\\\(aq)/, '\\&');
}

function argument(word: string): string {
  return `"${roff(word)}"`;
}

/** What roff would read as markup, or print as something prettier that cannot be typed into a shell. */
function roff(line: string): string {
  return line.replace(/[\\\-'`^~"]|[^\0-\x7f]/gu, (c) => ESCAPES[c] ?? `\\[u${hex(c)}]`);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
  '"': '\\(dq',
};

function hex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
