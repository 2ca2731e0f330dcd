/** Whole commands, measured in turn so that a busy moment of the machine meets both sides. */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  /** Puts the state back before each run; not measured. */
  readonly before?: () => void;
}

export interface Measured {
  readonly name: string;
  /** Seconds, ascending. */
  readonly seconds: readonly number[];
  /** Processor time of all threads and children, seconds, ascending. */
  readonly cpu: readonly number[];
  /** Largest resident set of one process, in KiB. */
  readonly peakKiB: number;
}

/** Run each contender `rounds` times, one after the other; the first round warms the caches and does not count. */
export async function race(contenders: readonly Contender[], rounds: number): Promise<Measured[]> {
  const runs = contenders.map(() => [] as Run[]);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      contender.before?.();
      const run = await runOnce(contender);
      if (round > 0) runs[i]?.push(run);
    }
  }
  return contenders.map(({ name }, i) => ({
    name,
    seconds: (runs[i] ?? []).map((run) => run.seconds).sort((a, b) => a - b),
    cpu: (runs[i] ?? []).map((run) => run.cpu).sort((a, b) => a - b),
    peakKiB: Math.max(...(runs[i] ?? []).map((run) => run.peakKiB)),
  }));
}

interface Run {
  readonly seconds: number;
  readonly cpu: number;
  readonly peakKiB: number;
}

async function runOnce({ name, command }: Contender): Promise<Run> {
  const report = join(tmpdir(), `tako-bench-${process.pid}`);
  const started = process.hrtime.bigint();
  const child = spawn('/usr/bin/time', ['-f', '%M %U %S', '-o', report, ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (status !== 0) throw new Error(`${name}: status ${status}: ${stderr}`);
  const [peakKiB = Number.NaN, user = Number.NaN, system = Number.NaN] = readFileSync(report, 'latin1')
    .trim()
    .split(' ')
    .map(Number);
  rmSync(report);
  return { seconds, cpu: user + system, peakKiB };
}

export function median({ seconds }: Measured): number {
  return seconds[Math.floor(seconds.length / 2)] ?? Number.NaN;
}

/** The same line with processor time and memory behind it. */
export function printDuel(what: string, ours: Measured, theirs: Measured, target?: number): void {
  printRatio(what, ours, theirs, target);
  const middle = ({ cpu }: Measured): string => ms(cpu[Math.floor(cpu.length / 2)] ?? Number.NaN);
  const mib = ({ peakKiB }: Measured): string => (peakKiB / 1024).toFixed(0);
  console.log(`${''.padEnd(58)} cpu ${middle(ours)} / ${middle(theirs)}, peak ${mib(ours)} / ${mib(theirs)} MiB`);
}

/** One line: both medians, their ratio, and the mark it should stay below. */
export function printRatio(what: string, ours: Measured, theirs: Measured, target?: number): void {
  const ratio = median(ours) / median(theirs);
  const mark = target === undefined ? '' : `  target <= ${target.toFixed(2)}  ${ratio <= target ? 'met' : 'MISSED'}`;
  const times = `${ms(median(ours))} / ${ms(median(theirs))}`;
  console.log(`${what.padEnd(58)} ${times.padStart(20)}  ratio ${ratio.toFixed(2)}${mark}`);
}

export function printMemory(what: string, ours: Measured, limitMiB: number): void {
  const mib = ours.peakKiB / 1024;
  console.log(
    `${what.padEnd(58)} ${`${mib.toFixed(0)} MiB`.padStart(20)}  limit ${limitMiB} MiB  ${mib <= limitMiB ? 'met' : 'MISSED'}`,
  );
}

function ms(seconds: number): string {
  return seconds < 1 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(2)} s`;
}
