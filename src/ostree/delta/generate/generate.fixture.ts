/** Two trees that differ in every way, and deltas between them. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Checksum } from '../../objects/checksum.ts';
import { newRepository } from '../../repository/repository.fixture.ts';
import type { Repository } from '../../repository/repository.ts';
import { assertWhole, changed, commitTree, type MadeTree, noise, SIGNAL } from '../delta.fixture.ts';
import { applyOffline } from '../offline.ts';
import { generateDelta } from './generate.ts';
import type { GenerateOptions } from './options.ts';
import type { GeneratedDelta } from './result.ts';

export const text = (lines: number, seed: number): Buffer =>
  Buffer.from(Array.from({ length: lines }, (_, i) => `line ${i} of ${seed}: ${(i * seed * 7919) % 1000}\n`).join(''));

/** A binary whose every 64th byte is another one: nothing for chunks, all for a patch. */
export function sprinkled(bytes: Uint8Array): Buffer {
  const copy = Buffer.from(bytes);
  for (let i = 0; i < copy.length; i += 64) copy[i] = (copy[i] ?? 0) + 1;
  return copy;
}

export const BEFORE: MadeTree = {
  'etc/config': { content: text(40, 1) },
  'usr/bin/program': { content: noise(60_000, 1), mode: 0o755 },
  'usr/lib/libx.so.1.0': { content: noise(120_000, 2) },
  'usr/share/secret': { content: noise(30_000, 3), mode: 0o600 },
  same: { content: text(10, 3) },
};
export const AFTER: MadeTree = {
  'etc/config': { content: Buffer.concat([text(40, 1), Buffer.from('more\n')]) },
  'etc/empty': { content: new Uint8Array() },
  'etc/link': { target: '../same' },
  'usr/bin/program': { content: sprinkled(noise(60_000, 1)), mode: 0o755 },
  'usr/lib/libx.so.1.1': { content: changed(noise(120_000, 2), 60_000, noise(500, 9)) },
  'usr/share/marked': {
    content: text(3, 5),
    uid: 1000,
    xattrs: [[Buffer.from('user.mark'), Buffer.from('yes')]],
  },
  'usr/share/secret': { content: sprinkled(noise(30_000, 3)), mode: 0o644 },
  same: { content: text(10, 3) },
};

export interface Made {
  readonly repository: Repository;
  readonly from: Checksum;
  readonly to: Checksum;
}

export async function made(t: TestContext, before: MadeTree = BEFORE, after: MadeTree = AFTER): Promise<Made> {
  const repository = newRepository(t);
  const from = await commitTree(repository, before);
  return { repository, from, to: await commitTree(repository, after, { parent: from }) };
}

export function generate(
  { repository, from, to }: Made,
  options: Partial<GenerateOptions> = {},
): Promise<GeneratedDelta> {
  return generateDelta(repository, { from, to }, { signal: SIGNAL, ...options });
}

export function scratchDelta(
  { repository, to }: Made,
  options: Partial<GenerateOptions> = {},
): Promise<GeneratedDelta> {
  return generateDelta(repository, { from: undefined, to }, { signal: SIGNAL, ...options });
}

/** All files of a delta in the repository. */
export function filesOf(repository: Repository, path: string): Record<string, string> {
  const folder = join(repository.path, path);
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString('hex')]),
  );
}

/** Another repository, which has only `from`, applies it. */
export async function assertApplies(
  t: TestContext,
  from: MadeTree | undefined,
  to: Checksum,
  path: string,
): Promise<void> {
  const target = newRepository(t);
  if (from !== undefined) await commitTree(target, from);
  const { isNew } = await applyOffline(target, path, { signal: SIGNAL });
  assert.equal(isNew, true);
  await assertWhole(target, to);
}

export const tmpOf = (repository: Repository): string[] => readdirSync(join(repository.path, 'tmp'));
