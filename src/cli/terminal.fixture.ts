/** What a program writes, caught; what kind of place it writes to, pretended. */
import { fstatSync } from 'node:fs';
import type { TestContext } from 'node:test';

export interface Written {
  readonly out: string;
  readonly err: string;
}

/** Run synchronous work and catch what it writes: the test runner speaks over the same streams. */
export function caught(work: () => void): Written {
  const written = { out: '', err: '' };
  const { stdout, stderr } = process;
  const originals = { out: stdout.write, err: stderr.write };
  const catcher = (name: 'out' | 'err') => (chunk: unknown) => {
    written[name] += String(chunk);
    return true;
  };
  stdout.write = catcher('out') as typeof stdout.write;
  stderr.write = catcher('err') as typeof stderr.write;
  try {
    work();
  } finally {
    stdout.write = originals.out;
    stderr.write = originals.err;
  }
  return written;
}

/** Standard error is a terminal of so many columns, or none (undefined), until the test is over. */
export function pretendTerminal(t: TestContext, columns: number | undefined): void {
  const wanted = { isTTY: columns !== undefined, columns };
  for (const [name, value] of Object.entries(wanted)) {
    const before = Object.getOwnPropertyDescriptor(process.stderr, name);
    Object.defineProperty(process.stderr, name, { value, configurable: true, writable: true });
    t.after(() => {
      if (before === undefined) Reflect.deleteProperty(process.stderr, name);
      else Object.defineProperty(process.stderr, name, before);
    });
  }
}

/** The environment of a unit whose standard error is the journal: ours, whatever it is. */
export function journalStream(): string {
  const { dev, ino } = fstatSync(2);
  return `${dev}:${ino}`;
}

export function setVariable(t: TestContext, name: string, value: string | undefined): void {
  const before = process.env[name];
  const set = (to: string | undefined): void => {
    if (to === undefined) delete process.env[name];
    else process.env[name] = to;
  };
  set(value);
  t.after(() => set(before));
}
