/** Where a demonstration happens: a temporary directory, and the built programs, run as a user would type them. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Program = 'tako' | 'ostree-container' | 'os-containers';

export interface Stage {
  /** The working directory of all commands. */
  readonly place: string;
  /** Run a program, show what it says, and insist on its exit status. Gives standard output. */
  run(program: Program, words: readonly string[], expected?: number): Promise<string>;
  /** The same without a word about it. */
  quietly(program: Program, words: readonly string[]): Promise<string>;
  close(): void;
}

export function title(text: string): void {
  console.log(`\n== ${text}`);
}

export function say(text: string): void {
  console.log(`   ${text}`);
}

/** A step that is done by hand: shown as the shell command that does it. */
export function byHand(command: string, work: () => void): void {
  console.log(`$ ${command}`);
  work();
}

export function openStage(): Stage {
  const place = fs.mkdtempSync(join(tmpdir(), 'tako-demo-'));
  return {
    place,
    async run(program, words, expected = 0) {
      console.log(`$ ${[program, ...words].map(quoted).join(' ')}`);
      const show = (chunk: Buffer): void => void process.stdout.write(chunk.toString().replace(/^(?=.)/gm, '   '));
      const { stdout, status } = await execute(program, words, place, show);
      if (expected !== 0) say(`(exit status ${status})`);
      if (status !== expected) throw new Error(`expected exit status ${expected}, found ${status}`);
      return stdout;
    },
    quietly: async (program, words) => (await execute(program, words, place, () => undefined)).stdout,
    close: () => fs.rmSync(place, { recursive: true, force: true }),
  };
}

/** As a shell wants it. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word}'`;
}

async function execute(program: Program, words: readonly string[], cwd: string, show: (chunk: Buffer) => void) {
  const main = fileURLToPath(new URL(`../../src/cli/${program}/main.js`, import.meta.url));
  const child = spawn(process.execPath, [main, ...words], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
    show(chunk);
  });
  child.stderr.on('data', show);
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { stdout, status };
}
