/** What every program does around its command: words in, status out, signals, errors printed once. */
import { type Command, CommanderError, Option } from 'commander';
import { codeOf } from '../base/error.ts';
import { nearest } from '../base/text.ts';
import { isHelpWord, readRequest, UsageError } from './arguments.ts';
import { elsewhere, follow, insteadOf, pathOf } from './command-table.ts';
import { EXIT, exitHelpOf, Interrupted, statusOf } from './exit-status.ts';
import { Output } from './output.ts';
import type { ProgressMode, ProgressView } from './progress.ts';

/** What a command gets beside its own words. */
export interface Context {
  readonly output: Output;
  readonly progress: ProgressView;
  readonly signal: AbortSignal;
}

/** Values of the options that every command has. */
interface CommonValues {
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly color: boolean;
  readonly progress?: ProgressMode;
}

/** The work of a command: its values and arguments in, its exit status out. */
export type Work<Values> = (values: Values, args: readonly string[], context: Context) => Promise<number>;

/** Add the common options and the action; `load` imports the work when it is wanted, and not before. */
export function command<Values extends object>(
  shape: Command,
  examples: readonly string[],
  load: () => Promise<Work<Values>>,
): Command {
  return shape
    .option('--json', 'print one JSON document on standard output')
    .addOption(
      new Option('--progress <mode>', 'how to show progress').choices([
        'auto',
        'plain',
        'json',
        'none',
      ] satisfies ProgressMode[]),
    )
    .option('-q, --quiet', 'print warnings, errors and results only')
    .option('-v, --verbose', 'say more')
    .option('--no-color', 'no colours, also when NO_COLOR is set')
    .helpOption('-h, --help', 'show this help')
    .configureHelp({ showGlobalOptions: false })
    .addHelpText('after', `\nExamples:\n${indented(examples)}\n\n${exitHelpOf(shape.options)}`)
    .action(async (...received: unknown[]) => {
      const self = received.at(-1) as Command;
      const values = self.opts<CommonValues & Values>();
      const running = current;
      if (running === undefined) throw new Error('unreachable: a command outside of a program');
      running.output.configure({
        json: values.json === true,
        quiet: values.quiet === true,
        verbose: values.verbose === true,
        noColor: !values.color,
      });
      const { openProgress } = await import('./progress.ts');
      const progress = openProgress(values.progress ?? 'auto', running.output);
      try {
        const work = await load();
        running.status = await work(values, self.args, { output: running.output, progress, signal: running.signal });
      } finally {
        progress.close();
      }
    });
}

const indented = (lines: readonly string[]): string => lines.map((line) => `  ${line}`).join('\n');

interface Running {
  readonly output: Output;
  readonly signal: AbortSignal;
  status: number;
}

/** The one program of this process. */
let current: Running | undefined;

/**
 * Run a program and set the exit status of the process; rejects only when a file of the program itself is missing.
 * @param define makes the program, with the command loaded that the words name
 * @param style `isDated`: lines on standard error begin with the time instead of the program's name
 */
export async function runMain(
  define: (wanted: readonly string[]) => Promise<Command>,
  words: readonly string[],
  style: { readonly isDated?: boolean } = {},
): Promise<void> {
  const program = await define(words.filter((word) => !isHelpWord(word)));
  const output = new Output(program.name(), process.env, style.isDated);
  let lost = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (codeOf(error) === 'EPIPE' || lost) return; // whoever read our words has gone, as `head` does: work goes on
      lost = true;
      process.exitCode = EXIT.failed;
      output.error(error, stream === process.stdout ? 'standard output' : 'standard error');
    });
  }
  const abort = abortOnSignals();
  current = { output, signal: abort.signal, status: EXIT.done };
  try {
    await dispatch(program, words, output);
    process.exitCode = lost ? EXIT.failed : current.status;
  } catch (thrown) {
    process.exitCode = fail(thrown, program, words, output, abort.signal);
  } finally {
    abort.stop();
  }
}

async function dispatch(program: Command, words: readonly string[], output: Output): Promise<void> {
  prepare(program);
  const request = readRequest(program, words);
  if (request.kind === 'help') {
    if (request.unknown !== undefined) output.info(`no command "${request.unknown}"`);
    process.stdout.write(helpOf(request.command));
    return;
  }
  if (request.kind === 'incomplete') {
    process.stderr.write(helpOf(request.command));
    if (current !== undefined) current.status = EXIT.usage;
    return;
  }
  await program.parseAsync([...words], { from: 'user' });
}

/** Errors come to us, nothing is printed behind our back. */
function prepare(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => undefined, outputError: () => undefined });
  command.showSuggestionAfterError(false);
  for (const each of command.commands) prepare(each);
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (more) => {
      text += more;
    },
    getOutHelpWidth: () => 100,
  });
  command.outputHelp();
  return text;
}

function fail(
  thrown: unknown,
  program: Command,
  words: readonly string[],
  output: Output,
  signal: AbortSignal,
): number {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.done; // help or version was asked for
  const error = signal.aborted && signal.reason instanceof Interrupted ? signal.reason : asOurs(thrown, program, words);
  // Options may not have been read yet when the words themselves are wrong.
  if (words.includes('--json') && !output.options.json)
    output.configure({ json: true, quiet: false, verbose: false, noColor: false });
  output.error(error);
  output.errorDocument(error);
  return statusOf(error);
}

function asOurs(thrown: unknown, program: Command, words: readonly string[]): unknown {
  if (!(thrown instanceof CommanderError)) return thrown;
  const { command, rest } = follow(program, words);
  const hint = rest[0] === undefined || rest[0].startsWith('-') ? '' : otherWord(command, rest[0]);
  // What follows a mistyped option may be a secret.
  const text = thrown.message
    .replace(/^error: /, '')
    .replace(/'/g, '"')
    .replace(/"(--[^"=]*)=[^"]*"/g, '"$1"')
    .replace(/"(-[^-"])[^"]+"/g, '"$1"');
  return new UsageError(text, `${hint}see "${pathOf(command)} --help"`);
}

/** What somebody may have meant who wrote this word for a command. */
function otherWord(group: Command, word: string): string {
  if (group.commands.length === 0) return '';
  const instead = insteadOf(group, word);
  if (instead !== undefined) return `${instead}; `;
  const others = elsewhere(group, word).map((path) => `"${path}"`);
  if (others.length > 0) return `there is ${others.join(' and ')}; `;
  const meant = nearest(
    word,
    group.commands.map((each) => each.name()),
  );
  return meant === undefined ? '' : `did you mean "${meant}"? `;
}

/** The first signal asks for an orderly end, the second one does not ask. */
function abortOnSignals(): { readonly signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143);
    controller.abort(new Interrupted(name === 'SIGINT' ? 'SIGINT' : 'SIGTERM'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    stop() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
