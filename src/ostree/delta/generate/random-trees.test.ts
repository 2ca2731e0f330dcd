import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { needs } from '../../../../test/support/needs.ts';
import { newRepository } from '../../repository/repository.fixture.ts';
import { assertWhole, changed, commitTree, noise, SIGNAL } from '../delta.fixture.ts';
import { deltaPath } from '../names.ts';
import { applyOffline } from '../offline.ts';
import { generateDelta } from './generate.ts';

const needsXz = { skip: needs('xz') };

describe('deltas of random trees', needsXz, () => {
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.tuple(fc.nat(40_000), fc.nat(5)).map(([size, seed]) => noise(size, seed)),
    fc
      .tuple(fc.nat(30_000), fc.nat(5), fc.nat(90))
      .map(([size, seed, at]) => changed(noise(size + 100, seed), at, Buffer.from('changed'))),
  );
  const file = fc.oneof(
    { weight: 5, arbitrary: fc.record({ content, mode: fc.constantFrom(0o644, 0o755, 0o600, 0o4755) }) },
    { weight: 1, arbitrary: fc.record({ target: fc.constantFrom('a', '/usr/b', 'żó') }) },
  );
  const name = fc.constantFrom('a', 'b.so.1', 'b.so.2', 'c.txt', 'd/a', 'd/e/f', 'd/c.txt', '𝄞');
  const tree = fc.dictionary(name, file, { maxKeys: 8 });

  it('make the second out of the first, and each out of nothing, in any part sizes', async (t) => {
    const property = fc.asyncProperty(tree, tree, fc.nat(60_000), fc.boolean(), async (before, after, size, bsdiff) => {
      const source = newRepository(t);
      const from = await commitTree(source, before);
      const to = await commitTree(source, after, { parent: from });
      const options = { signal: SIGNAL, maxChunkSize: size, bsdiff, minFallbackSize: 0, threads: 0 };
      const target = newRepository(t);
      for (const name of [
        { from: undefined, to: from },
        { from, to },
      ]) {
        await generateDelta(source, name, options);
        await applyOffline(target, join(source.path, deltaPath(name)), { signal: SIGNAL });
        await assertWhole(target, name.to);
      }
    });
    await fc.assert(property, { numRuns: 25 });
  });
});
