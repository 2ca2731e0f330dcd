import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../../../test/support/needs.ts';
import { markPartial } from '../../repository/partial.ts';
import { reopened } from '../../repository/repository.fixture.ts';
import { objectsOf } from '../../storage/object-reader.ts';
import { changed, SIGNAL } from '../delta.fixture.ts';
import { generate, made, tmpOf } from './generate.fixture.ts';

const needsXz = { skip: needs('xz') };

describe('making a delta', () => {
  it('needs both commits, whole and different', async (t) => {
    const all = await made(t);
    const none = 'ab'.repeat(32);
    await assert.rejects(generate({ ...all, from: none }), { code: 'OBJECT_MISSING', subject: none });
    await assert.rejects(generate({ ...all, to: none }), { code: 'OBJECT_MISSING', subject: none });
    await assert.rejects(generate({ ...all, from: all.to }), { code: 'DELTA_UNSUITABLE' });
    markPartial(all.repository, all.from, '');
    await assert.rejects(generate(all), { code: 'COMMIT_PARTIAL', subject: all.from });
  });

  it('stops at a damaged object, and leaves nothing', async (t) => {
    const all = await made(t);
    const reader = objectsOf(all.repository);
    const [victim] = reader.dirTree(reader.commit(all.to).rootTree).directories;
    const usr = reader.dirTree(victim?.tree ?? '').files.find(({ name }) => name === 'config')?.checksum ?? '';
    const path = join(all.repository.path, 'objects', usr.slice(0, 2), `${usr.slice(2)}.filez`);
    const bytes = readFileSync(path);
    writeFileSync(path, changed(bytes, 19, Buffer.of(7))); // its owner
    await assert.rejects(generate(all), { code: 'OBJECT_CORRUPT', subject: usr });
    assert.deepEqual(
      tmpOf(all.repository).filter((name) => name.startsWith('delta-')),
      [],
    );
  });

  it('that is interrupted leaves nothing', needsXz, async (t) => {
    const all = await made(t);
    const abort = new AbortController();
    const failure = generate(all, { signal: abort.signal, onProgress: () => abort.abort(new Error('enough')) });
    await assert.rejects(failure, /enough/);
    assert.equal(existsSync(join(all.repository.path, 'deltas')), false);
    assert.deepEqual(
      tmpOf(all.repository).filter((name) => name.startsWith('delta-')),
      [],
    );
  });

  it('waits for whoever deletes, and says so', async (t) => {
    const all = await made(t);
    const other = await reopened(t, all.repository.path).lock.acquire('exclusive', { signal: SIGNAL });
    let waits = 0;
    const onWait = (): void => {
      waits++;
      other.release();
    };
    await generate(all, { onWait });
    assert.equal(waits, 1);
  });
});
