/**
 * What a test's script uses inside the booted machine (`machine.ts`), imported there from AGENT. Only Node's own
 * modules: the root has nothing else. Results go to /out, which is a folder of the test.
 */
import { spawn } from 'node:child_process';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** The program under test, inside: `await sh(`node ${TAKO} fetch /etc/tako/app.conf`)`. */
export const TAKO = '/t/dist/src/cli/tako/main.js';

const OUT = '/out';
const REPORT = `${OUT}/report.json`;
const COUNTER = '/var/lib/tako-test/boots';

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Run a shell command, asynchronously; whatever its status, the outcome is returned. */
export function attempt(command: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (status, signal) => {
      const name = `$ ${command}\n${stdout}${stderr}`;
      process.stderr.write(`${name}-> ${signal ?? status}\n`); // for the journal, when a test fails
      resolve({ status: status ?? 255, stdout, stderr });
    });
  });
}

/** Run a shell command that has to succeed; its stdout without the last newline. */
export async function sh(command: string): Promise<string> {
  const { status, stdout, stderr } = await attempt(command);
  if (status !== 0) throw new Error(`${command}: status ${status}: ${stderr || stdout}`);
  return stdout.replace(/\n$/, '');
}

/** Look every 50 ms until the answer is neither false nor undefined, and return it. */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | false | undefined> | T | false | undefined,
  timeoutMs = 15_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== false && found !== undefined) return found;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await delay(50);
  }
}

/** Add to what the test gets as `report`; on the disk when this returns. Later values replace earlier ones. */
export function report(findings: Readonly<Record<string, unknown>>): void {
  writeDurably(REPORT, `${JSON.stringify({ ...readJson(REPORT), ...findings }, null, 2)}\n`);
}

/** 1 in the first boot of this root, 2 after a reboot, and so on. */
export function boot(): number {
  return Number(read(COUNTER) ?? '0');
}

/** Reboot the machine, in order; the script begins again. Does not return. */
export async function reboot(): Promise<never> {
  return leave('reboot');
}

/** End the machine now, with this status. At the script's end that happens by itself, with 0. Does not return. */
export async function finish(status = 0): Promise<never> {
  return leave(`exit ${status}`);
}

/** Called by what `machine.ts` writes into the root: count the boot, run the script, end the machine. */
export async function drive(script: () => Promise<unknown>): Promise<void> {
  writeDurably(COUNTER, String(boot() + 1));
  try {
    await script();
  } catch (error) {
    writeDurably(`${OUT}/error.txt`, error instanceof Error ? (error.stack ?? error.message) : String(error));
    await finish(1);
  }
  await finish(0);
}

async function leave(how: string): Promise<never> {
  // The machine's end stops this unit, too: neither we nor a systemctl cut short by that has failed.
  process.on('SIGTERM', () => undefined);
  writeDurably(`${OUT}/leaving`, how);
  const { status } = await attempt(`trap '' TERM; exec systemctl --no-block ${how}`);
  process.exit(status);
}

function writeDurably(file: string, text: string): void {
  const fd = openSync(`${file}.new`, 'w');
  writeSync(fd, text);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(`${file}.new`, file);
}

function readJson(file: string): Record<string, unknown> {
  const text = read(file);
  return text === undefined ? {} : (JSON.parse(text) as Record<string, unknown>); // written by ourselves
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // not there yet: the first boot, the first report
  }
}
