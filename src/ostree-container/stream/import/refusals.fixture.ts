/** A stream, and what a refusal of a damaged one leaves behind: nothing. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { writeRefs } from '../../../ostree/index.ts';
import { commitTree, exported, type MadeTree, newRepository } from '../stream.fixture.ts';
import { contentsOf, importInto } from '../tampering.fixture.ts';
import type { ImportTarOptions } from './import-tar.ts';

const TREE: MadeTree = {
  usr: {
    inside: {
      a: { content: 'content', mode: 0o755, xattrs: [['user.note', 'x']] },
      b: { target: 'a' },
      c: { content: 'other' },
    },
    mode: 0o711,
  },
};

export async function madeStream(t: TestContext, detached?: Uint8Array) {
  const repository = newRepository(t);
  const commit = await commitTree(repository, TREE, detached);
  return { commit, stream: await exported(repository, commit) };
}

/** Refused with this code; a repository that has another commit keeps that alone, and its ref. */
export async function assertRefused(
  t: TestContext,
  stream: Uint8Array,
  code: string,
  options?: Partial<ImportTarOptions>,
) {
  const repository = newRepository(t);
  const other = await commitTree(repository, { other: { content: 'of before' } });
  writeRefs(repository, [{ place: { kind: 'head' }, ref: 'os/main', commit: other }], false);
  const before = contentsOf(repository);
  await assert.rejects(importInto(repository, stream, { ref: 'os/main', ...options }), { code });
  assert.deepEqual(contentsOf(repository), before);
}
