/** The version of this package, from its own description: one place to change. */
import { readFileSync } from 'node:fs';

export function packageVersion(): string {
  for (let directory = new URL('.', import.meta.url); ; directory = new URL('..', directory)) {
    const text = readIfThere(new URL('package.json', directory));
    if (text !== undefined) return String(JSON.parse(text).version);
    if (directory.pathname === '/') throw new Error('unreachable: a package without package.json');
  }
}

function readIfThere(url: URL): string | undefined {
  try {
    return readFileSync(url, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
