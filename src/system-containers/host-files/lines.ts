/** What an administrator reads of a step: the lines of the first programs of this kind, word for word. */
import { printable } from '../../base/text.ts';
import type { HostStep } from './plan-types.ts';

export function linesOf(step: HostStep): readonly string[] {
  switch (step.action) {
    case 'delete':
    case 'hand-over':
      return [deletedLine(step.path)];
    case 'keep-modified':
      return [modifiedLine(step.path)];
    case 'leave':
      return [notDeletedLine(step.path, step.why)];
    case 'create':
    case 'replace':
    case 'unchanged':
      return [`copied ${printable(step.path)}`];
    case 'conflict':
      return [existsLine(step.path)];
    default:
      return [];
  }
}

export function deletedLine(path: string): string {
  return `file ${printable(path)} deleted`;
}

/** Two blanks, as it always was. */
export function modifiedLine(path: string): string {
  return `file ${printable(path)} was modified.  Skip.`;
}

export function notDeletedLine(path: string, why: string): string {
  return `could not delete ${printable(path)}: ${why}`;
}

export function existsLine(path: string): string {
  return `File ${printable(path)} already exists`;
}
