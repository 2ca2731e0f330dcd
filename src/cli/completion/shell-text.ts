/** What is written alike in the three shells. */
import type { CommandNode } from './tree.ts';

export function functionName({ path }: CommandNode): string {
  return `_${path.split(' ').map(plain).join('_')}`;
}

/** One word in single quotes, alike in the three shells. */
export function quote(text: string): string {
  return `'${text.replace(/'/g, "'\\''")}'`;
}

/** Words that no shell reads anything into: names and choices are ours, and no others will do. */
export function plain(word: string): string {
  if (!/^[A-Za-z0-9][\w.+/-]*$|^--?[A-Za-z0-9][\w.-]*$/.test(word))
    throw new Error(`unreachable: "${word}" cannot be completed`);
  return word;
}

export function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
