import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CodedError, commitObjects } from '../../../ostree/index.ts';
import { commitTree, exported, newRepository } from '../stream.fixture.ts';
import { importInto } from '../tampering.fixture.ts';
import { Mutator } from './mutation.fixture.ts';

const RUNS = 2000;
const SEED = Number(process.env['SEED'] ?? 20261121);

describe(`${RUNS} damaged streams, seed ${SEED}`, () => {
  it('give the commit that was exported or a coded error, and never a commit that is not whole', async (t) => {
    const from = newRepository(t);
    const commit = await commitTree(from, {
      usr: {
        inside: {
          a: { content: 'a', mode: 0o755, uid: 5, xattrs: [['user.note', 'x']] },
          b: { target: '..//x' },
          etc: { inside: { none: { content: '' } }, mode: 0o700 },
        },
      },
    });
    const stream = await exported(from, commit);
    const mutator = await Mutator.of(stream, SEED);
    const codes = new Map<string, number>();
    let repository = newRepository(t);
    for (let i = 0; i < RUNS; i++) {
      const damaged = await mutator.next();
      const started = performance.now();
      try {
        const found = await importInto(repository, damaged);
        assert.equal(found.commit, commit, `input ${i}`);
        assert.deepEqual(await exported(repository, commit), stream, `input ${i}`);
        repository = newRepository(t); // what is there already would hide what the next one lacks
      } catch (error) {
        assert.ok(error instanceof CodedError, `input ${i}: ${String(error)}`);
        codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
        assert.deepEqual([...commitObjects(repository)], [], `input ${i}`);
      }
      assert.ok(performance.now() - started < 10_000, `input ${i}`);
    }
    t.diagnostic([...codes].map(([code, count]) => `${count} ${code}`).join(', '));
    assert.ok(codes.size > 12, [...codes.keys()].join(', '));
  });
});
