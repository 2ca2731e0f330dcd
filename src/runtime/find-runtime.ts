import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { printable } from '../base/text.ts';
import { findProgram } from '../linux/processes/find-program.ts';
import { RuntimeError } from './error.ts';

export interface FindRuntimeRequest {
  /** Of `--runtime`. */
  readonly named?: string | undefined;
  /** RUNTIME and PATH count. */
  readonly env: NodeJS.ProcessEnv;
  /** `Runtime=` of the settings file. */
  readonly settings?: string | undefined;
}

/** What everybody who installs containers knows it by, and what their units then name. */
const USUAL = '/usr/bin/runc';
const KNOWN = ['crun', 'runc'];

/**
 * Absolute path of the runtime: `--runtime`, `RUNTIME`, the settings file; else /usr/bin/runc, crun or runc in PATH.
 * A name without a slash is looked up in PATH.
 * @throws RuntimeError RUNTIME_MISSING, BAD_CONTAINER_PATH
 */
export function findRuntime({ named, env, settings }: FindRuntimeRequest, usual = USUAL): string {
  // What is set and empty was not meant to choose anything.
  const chosen = [named, env['RUNTIME'], settings].find((text) => text !== undefined && text !== '');
  const found = chosen === undefined ? findDefault(usual, env['PATH']) : findChosen(chosen, env['PATH']);
  if (/^[A-Za-z0-9._/+,@:-]+$/.test(found)) return found;
  throw new RuntimeError('BAD_CONTAINER_PATH', `${printable(found)}: a path that cannot stand in a unit as it is`, {
    hint: 'letters, digits and . _ / + , @ : - can',
    subject: found,
  });
}

function findChosen(chosen: string, path: string | undefined): string {
  if (!chosen.includes('/')) return findProgram(chosen, path) ?? missing(chosen);
  const file = resolve(chosen);
  return isProgram(file) ? file : missing(chosen);
}

function findDefault(usual: string, path: string | undefined): string {
  if (isProgram(usual)) return usual;
  for (const name of KNOWN) {
    const found = findProgram(name, path);
    if (found !== undefined) return found;
  }
  return missing(usual);
}

/** Whoever runs the unit may execute what we may not. */
function isProgram(file: string): boolean {
  return existsSync(file) && statSync(file).isFile() && (statSync(file).mode & 0o111) !== 0;
}

function missing(name: string): never {
  throw new RuntimeError('RUNTIME_MISSING', `the runtime ${printable(name)} is not installed`, {
    hint: 'install runc or crun, or name another one with --runtime',
    subject: name,
  });
}
