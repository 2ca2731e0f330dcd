/** Words for the user: results on stdout, everything else on stderr with the program's name or the time in front. */
import { fstatSync } from 'node:fs';
import { CodedError, codeOf, explain } from '../base/error.ts';
import { describeError, formatDocument, type Json } from '../base/json.ts';
import { printable } from '../base/text.ts';

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
}

/** Syslog priorities as systemd reads them from the beginning of a line. */
const PRIORITY = { error: 3, warning: 4, notice: 5, info: 6, debug: 7 } as const;
type Level = keyof typeof PRIORITY;
const STYLE: Partial<Record<Level, string>> = { error: '\x1b[31m', warning: '\x1b[33m', debug: '\x1b[2m' };

/** What to do about errors of the system, which know of no hint. */
const HINTS: Readonly<Record<string, string>> = {
  EROFS: 'a unit with ProtectSystem=strict may only write what its ReadWritePaths= names (docs/guide.md)',
};

export class Output {
  readonly program: string;
  readonly underSystemd: boolean;
  #options: OutputOptions = { json: false, quiet: false, verbose: false, color: false };
  /** Clears a progress line before anything else is printed, draws it again afterwards. */
  aroundLine: (print: () => void) => void = (print) => print();

  readonly #isDated: boolean;

  /** @param isDated lines begin with the time instead of the program's name: what they tell of has happened */
  constructor(program: string, env: NodeJS.ProcessEnv = process.env, isDated = false) {
    this.program = program;
    this.#isDated = isDated;
    this.underSystemd = isJournal(env['JOURNAL_STREAM']);
  }

  get options(): OutputOptions {
    return this.#options;
  }

  /** @param noColor the user's option; the environment and the kind of stderr are judged here */
  configure(
    options: Omit<OutputOptions, 'color'> & { readonly noColor: boolean },
    env: NodeJS.ProcessEnv = process.env,
  ): void {
    const wanted = !options.noColor && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
    this.#options = { ...options, color: wanted && process.stderr.isTTY === true && !this.underSystemd };
  }

  /** A result for people; nothing with `--json`. */
  result(line: string): void {
    if (!this.#options.json) this.aroundLine(() => process.stdout.write(`${printable(line)}\n`));
  }

  /** Many of them: one call for each would take most of the time. */
  results(lines: Iterable<string>): void {
    if (this.#options.json) return;
    let text = '';
    for (const line of lines) {
      text += `${printable(line)}\n`;
      if (text.length < 65_536) continue;
      const part = text;
      this.aroundLine(() => process.stdout.write(part));
      text = '';
    }
    if (text !== '') this.aroundLine(() => process.stdout.write(text));
  }

  /** The one document of `--json`; nothing without. */
  document(schema: string, body: { readonly [key: string]: Json | undefined }): void {
    if (this.#options.json) this.aroundLine(() => process.stdout.write(formatDocument(schema, body)));
  }

  info(text: string): void {
    if (!this.#options.quiet) this.#line('info', text);
  }

  /** A line as other programs print it, with nothing in front. */
  plain(line: string): void {
    if (!this.#options.quiet) this.aroundLine(() => process.stderr.write(`${printable(line)}\n`));
  }

  detail(text: string): void {
    if (this.#options.verbose) this.#line('debug', text);
  }

  warning(text: string): void {
    this.#line('warning', text);
  }

  /** An error with its causes, its hint in a second line, and its stack when TAKO_DEBUG=1. */
  error(error: unknown, subject?: string): void {
    this.#line('error', `${subject === undefined ? '' : `${subject}: `}${explain(error)}`);
    const hint = error instanceof CodedError ? error.hint : undefined;
    const advice = hint ?? HINTS[codeOf(error) ?? ''];
    if (advice !== undefined) this.#line('notice', advice);
    if (process.env['TAKO_DEBUG'] === '1' && error instanceof Error) this.#line('debug', error.stack ?? String(error));
  }

  /** `error/1`: what `--json` prints instead of a result. */
  errorDocument(error: unknown): void {
    this.document('error/1', describeError(error));
  }

  #line(level: Level, text: string): void {
    const style = this.#options.color ? STYLE[level] : undefined;
    const prefix = this.underSystemd ? `<${PRIORITY[level]}>` : '';
    const lead = this.#isDated ? logTime(new Date()) : `${this.program}:`;
    const lines = text.split('\n').map((line) => {
      const plain = `${lead} ${printable(line)}`; // whatever came from outside acts on no terminal
      return prefix + (style === undefined ? plain : `${style}${plain}\x1b[0m`);
    });
    this.aroundLine(() => process.stderr.write(`${lines.join('\n')}\n`));
  }
}

/** `2018/08/10 11:45:07`, in local time. */
function logTime(date: Date): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('/');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}

/** Is stderr the journal? The variable is inherited by children whose stderr was redirected, so it is compared. */
function isJournal(variable: string | undefined): boolean {
  if (variable === undefined || variable === '') return false;
  try {
    const { dev, ino } = fstatSync(2);
    return variable === `${dev}:${ino}`;
  } catch {
    return false; // stderr is closed: nobody reads what we print there
  }
}
