/** The repository of signed commits, with remotes that trust what a test says. */
import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { unpackVector, VECTORS, vectorManifest } from '../../../test/support/ostree-vectors.ts';
import { openRepository, type Repository } from '../repository/repository.ts';

export const { refs: REFS } = vectorManifest().signed;

export const keyPath = (name: string): string => join(VECTORS, 'keys', name);
export const keyText = (name: string): string => readFileSync(keyPath(name), 'latin1').trim();

/** `settings` is the group of the remote `origin`; `keyring` the name of a key file that becomes its own keyring. */
export function signedRepository(t: TestContext, settings: readonly string[], keyring?: string): Repository {
  const path = unpackVector(t, 'signed');
  appendFileSync(join(path, 'config'), `\n[remote "origin"]\nurl=https://example.com/repo\n${settings.join('\n')}\n`);
  if (keyring !== undefined) copyFileSync(keyPath(keyring), join(path, 'origin.trustedkeys.gpg'));
  const repository = openRepository(path);
  t.after(() => repository.close());
  return repository;
}

/** A list of the system, in a folder of the test's own. */
export function writeList(folder: string, name: string, lines: readonly string[]): void {
  writeFileSync(join(folder, name), lines.map((line) => `${line}\n`).join(''));
}
