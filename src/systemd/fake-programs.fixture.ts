/** Programs of ours, first in PATH: they note their words, one call a line, and go on as their scripts say. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { scratch } from '../../test/support/scratch.ts';

/** @returns the calls so far, of all of them in their order */
export function fakePrograms(t: TestContext, scripts: Readonly<Record<string, string>>): () => string[] {
  const root = scratch(t);
  const log = join(root, 'calls');
  for (const [name, script] of Object.entries(scripts)) {
    const note = `printf '%s\\n' "${name} $*" >> ${log}`;
    writeFileSync(join(root, name), `#!/bin/sh\n${note}\n${script}\n`, { mode: 0o755 });
  }
  usePath(t, `${root}:${process.env['PATH']}`);
  return () => (existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : []);
}

export function usePath(t: TestContext, path: string): void {
  const before = process.env['PATH'];
  process.env['PATH'] = path;
  t.after(() => {
    process.env['PATH'] = before;
  });
}
