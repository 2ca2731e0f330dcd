/** Progress as a bar on a terminal, a line per finished step elsewhere, or JSON lines. */
import type { Progress, ProgressEvent } from '../base/progress.ts';
import { formatBytes, printable } from '../base/text.ts';
import type { Output } from './output.ts';

export type ProgressMode = 'auto' | 'plain' | 'json' | 'none';

const REDRAW_MS = 100;
const JSON_MS = 500;

interface Task {
  readonly label: string;
  readonly total: number;
  /** Bytes that were there before this run. */
  readonly before: number;
  readonly startedMs: number;
  done: number;
}

export interface ProgressView {
  readonly emit: Progress;
  close(): void;
}

export function openProgress(mode: ProgressMode, output: Output): ProgressView {
  if (mode === 'json') return jsonView();
  const terminal = process.stderr.isTTY === true && !output.underSystemd && process.env['TERM'] !== 'dumb';
  const tasks = new Map<string, Task>();
  const bar = mode === 'auto' && terminal && !output.options.quiet ? new Bar(tasks, output) : undefined;
  const emit = (event: ProgressEvent): void => {
    if (event.kind === 'warning') return output.warning(event.text);
    if (event.kind === 'note') return mode === 'none' ? undefined : output.info(event.text);
    track(tasks, event, (task) => {
      if (mode !== 'none') output.info(finished(task));
    });
    bar?.draw();
  };
  return { emit, close: () => bar?.close() };
}

function track(tasks: Map<string, Task>, event: ProgressEvent, onFinished: (task: Task) => void): void {
  if (event.kind === 'start') {
    const { label, total, done } = event;
    tasks.set(event.task, { label, total, before: done, done, startedMs: performance.now() });
  } else if (event.kind === 'advance') {
    const task = tasks.get(event.task);
    if (task !== undefined) task.done = event.done;
  } else if (event.kind === 'end') {
    const task = tasks.get(event.task);
    tasks.delete(event.task);
    if (task !== undefined && event.ok) onFinished(task);
  }
}

function finished(task: Task): string {
  const seconds = (performance.now() - task.startedMs) / 1000;
  const fetched = task.done - task.before;
  const resumed = task.before > 0 ? ` (${formatBytes(task.before)} were there already)` : '';
  return `${task.label}: ${formatBytes(task.done)} in ${seconds.toFixed(1)} s, ${rate(fetched, seconds)}${resumed}`;
}

function rate(bytes: number, seconds: number): string {
  return `${formatBytes(bytes / Math.max(seconds, 0.001))}/s`;
}

/** One line at the bottom of the terminal; other lines are printed above it. */
class Bar {
  readonly #tasks: ReadonlyMap<string, Task>;
  readonly #output: Output;
  #drawnMs = 0;
  #shown = false;

  constructor(tasks: ReadonlyMap<string, Task>, output: Output) {
    this.#tasks = tasks;
    this.#output = output;
    output.aroundLine = (print) => {
      this.#clear();
      print();
    };
  }

  draw(): void {
    if (this.#tasks.size === 0) return this.#clear();
    const now = performance.now();
    if (now - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = now;
    const width = Math.max(20, (process.stderr.columns || 80) - 1);
    process.stderr.write(`\r${printable(this.#text(now)).slice(0, width)}\x1b[K`);
    this.#shown = true;
  }

  close(): void {
    this.#clear();
    this.#output.aroundLine = (print) => print();
  }

  #text(now: number): string {
    const tasks = [...this.#tasks.values()];
    const sum = (of: (task: Task) => number): number => tasks.reduce((total, task) => total + of(task), 0);
    const [done, total, before] = [sum((t) => t.done), sum((t) => t.total), sum((t) => t.before)];
    const seconds = (now - Math.min(...tasks.map((task) => task.startedMs))) / 1000;
    const speed = (done - before) / Math.max(seconds, 0.001);
    const left = speed > 0 ? `, ${Math.ceil((total - done) / speed)} s left` : '';
    const name = tasks.length === 1 ? tasks[0]?.label : `${tasks.length} images`;
    const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
    return `${name}: ${percent} %, ${formatBytes(done)} of ${formatBytes(total)}, ${rate(done - before, seconds)}${left}`;
  }

  #clear(): void {
    if (this.#shown) process.stderr.write('\r\x1b[K');
    this.#shown = false;
  }
}

/** One JSON object a line on stderr: the events as they are, transfers at most twice a second. */
function jsonView(): ProgressView {
  const drawn = new Map<string, number>();
  const emit = (event: ProgressEvent): void => {
    if (event.kind === 'advance') {
      const now = performance.now();
      if (now - (drawn.get(event.task) ?? 0) < JSON_MS) return;
      drawn.set(event.task, now);
    }
    const { kind, ...fields } = event;
    process.stderr.write(`${JSON.stringify({ event: kind, ...fields })}\n`);
  };
  return { emit, close: () => undefined };
}

/** The same progress, every line and task of it marked with what it is about. */
export function labelled(progress: Progress, label: string): Progress {
  return (event) => {
    if (event.kind === 'note' || event.kind === 'warning') progress({ ...event, text: `${label}: ${event.text}` });
    else if (event.kind === 'start')
      progress({ ...event, task: `${label} ${event.task}`, label: `${label}: ${event.label}` });
    else progress({ ...event, task: `${label} ${event.task}` });
  };
}
