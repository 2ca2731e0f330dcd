/** A directory of the target that is being filled, and what is said about the names in it. */
import fs from 'node:fs';
import { printable } from '../../base/text.ts';
import { naming } from '../../linux/calls/system-error.ts';
import { OstreeError } from '../error.ts';

export interface Target {
  readonly fd: number;
  /** `/proc/self/fd/N`. */
  readonly at: string;
  /** For messages and the skip list: `/` is the target of the checkout. */
  readonly path: string;
  readonly depth: number;
}

export function targetOf(fd: number, path: string, depth: number): Target {
  return { fd, at: `/proc/self/fd/${fd}`, path, depth };
}

export function joinPath({ path }: Target, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

/** Recursively, without following links; nothing of that name is fine. */
export function remove({ at }: Target, name: string): void {
  fs.rmSync(`${at}/${name}`, { recursive: true, force: true });
}

export function targetExists(path: string): OstreeError {
  return new OstreeError('TARGET_EXISTS', `${printable(path)}: exists already`, {
    hint: 'choose a target that does not exist, or --union, --union-add or --union-identical',
    subject: path,
  });
}

/** The kernel's errors name a descriptor; the user knows the path. */
export function nameError(error: unknown, target: Target, name: string): unknown {
  try {
    naming(joinPath(target, name), () => {
      throw error;
    });
  } catch (named) {
    return named;
  }
  return error;
}
