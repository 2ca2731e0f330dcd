import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../../../test/support/needs.ts';
import { scratch } from '../../../../test/support/scratch.ts';
import { string, variantOf } from '../../../gvariant/index.ts';
import { newRepository } from '../../repository/repository.fixture.ts';
import { objectsOf } from '../../storage/object-reader.ts';
import { changed, commitTree, type MadeTree, noise, SIGNAL } from '../delta.fixture.ts';
import { openDelta } from '../delta-file.ts';
import { deltaPath } from '../names.ts';
import { applyOffline } from '../offline.ts';
import { showDelta } from '../show.ts';
import {
  AFTER,
  assertApplies,
  BEFORE,
  filesOf,
  generate,
  made,
  scratchDelta,
  sprinkled,
  text,
  tmpOf,
} from './generate.fixture.ts';

const needsXz = { skip: needs('xz') };

describe('a delta that is made', needsXz, () => {
  it('chooses the way for each object, and makes the commit again', async (t) => {
    const all = await made(t);
    const delta = await generate(all);
    assert.deepEqual(delta.objects, { metadata: 6, rollsum: 1, bsdiff: 2, plain: 3, links: 1 });
    assert.deepEqual(delta.fallbacks, { count: 0, size: 0 });
    await assertApplies(t, BEFORE, all.to, join(all.repository.path, deltaPath(all)));
    assert.deepEqual(
      tmpOf(all.repository).filter((name) => name.startsWith('delta-')),
      [],
    );
  });

  it('takes no source that not everybody may read', async (t) => {
    const secret = { 'usr/share/secret': BEFORE['usr/share/secret'] ?? { target: '' } };
    const all = await made(t, secret, { 'usr/share/secret': { content: sprinkled(noise(30_000, 3)), mode: 0o644 } });
    assert.deepEqual((await generate(all)).objects, { metadata: 3, rollsum: 0, bsdiff: 0, plain: 1, links: 0 });
  });

  it('has the same bytes with any number of threads, and every time', async (t) => {
    const large = (seed: number): MadeTree =>
      Object.fromEntries(
        Array.from({ length: 24 }, (_, i) => [
          `f${i}`,
          { content: i % 2 === 0 ? noise(90_000, i) : changed(noise(90_000, i), i * seed * 900, noise(999, seed)) },
        ]),
      );
    const all = await made(t, large(1), { ...large(2), g: { content: text(99, 1) } });
    await generate(all, { threads: 0, maxChunkSize: 20_000 });
    const first = filesOf(all.repository, deltaPath(all));
    for (const threads of [2, 3]) {
      await generate(all, { threads, maxChunkSize: 20_000 });
      assert.deepEqual(filesOf(all.repository, deltaPath(all)), first);
    }
    assert.ok(Object.keys(first).length > 2);
  });

  it('begins a part when the current one would exceed the chunk size', async (t) => {
    const tree = Object.fromEntries([1, 2, 3, 4].map((n) => [`f${n}`, { content: noise(30_000, n) }]));
    const all = await made(t, {}, tree);
    const { parts } = await scratchDelta(all, { maxChunkSize: 62_000 });
    assert.deepEqual(
      parts.map(({ objects, uncompressedSize }) => [objects, uncompressedSize > 30_000]),
      [
        [4, true],
        [2, true],
      ],
    );
    assert.equal((await scratchDelta(all, { maxChunkSize: 0 })).parts.length, 6);
    await assertApplies(t, undefined, all.to, join(all.repository.path, deltaPath({ from: undefined, to: all.to })));
  });

  it('leaves large files without a source to be fetched, and only regular ones', async (t) => {
    const target = 'x'.repeat(900);
    const after = { ...BEFORE, big: { content: noise(900, 4) }, link: { target }, same: { content: text(11, 3) } };
    const all = await made(t, BEFORE, after);
    const delta = await generate(all, { minFallbackSize: 500 });
    assert.equal(delta.fallbacks.count, 1);
    assert.deepEqual(delta.objects, { metadata: 1, rollsum: 0, bsdiff: 1, plain: 0, links: 1 });
    const [fallback] = openDelta(all.repository, all)?.decode().fallbacks ?? [];
    const stored = objectsOf(all.repository).file(fallback?.checksum ?? '');
    assert.deepEqual([fallback?.uncompressedSize, fallback?.size], [900, stored.storedSize]);
    stored.close();
    assert.equal((await generate(all, { minFallbackSize: 0 })).fallbacks.count, 0);
  });

  it('inline is one file, which everybody can move', async (t) => {
    const all = await made(t);
    const filename = join(scratch(t), 'update.delta');
    for (const compression of ['xz', 'none'] as const) {
      const delta = await generate(all, { filename, inline: true, compression });
      assert.equal(delta.size, readFileSync(filename).length);
      await assertApplies(t, BEFORE, all.to, filename);
    }
    assert.equal(existsSync(join(all.repository.path, 'deltas')), false);
  });

  it('in a file of its own has its parts beside it, and leaves nothing else', async (t) => {
    const all = await made(t);
    const folder = scratch(t);
    await generate(all, { filename: join(folder, 'update.delta'), maxChunkSize: 70_000 });
    assert.deepEqual(readdirSync(folder).sort(), ['0', '1', 'update.delta']);
    await assertApplies(t, BEFORE, all.to, join(folder, 'update.delta'));
  });

  it('is never plain in a separate file that libostree could not read', async (t) => {
    const all = await made(t, {}, { small: { content: text(9, 1) }, large: { content: noise(17_000, 1) } });
    await scratchDelta(all, { compression: 'none', maxChunkSize: 400 });
    const folder = join(all.repository.path, deltaPath({ from: undefined, to: all.to }));
    const parts = readdirSync(folder).filter((name) => name !== 'superblock');
    assert.equal(parts.length, 3);
    for (const name of parts) {
      const part = readFileSync(join(folder, name));
      assert.equal(part[0], part.length > 16_000 ? 0x78 : 0, name);
    }
  });

  it('says in which byte order its numbers are', async (t) => {
    const all = await made(t);
    await generate(all);
    const little = openDelta(all.repository, all)?.decode();
    await generate(all, { endianness: 'big' });
    const file = openDelta(all.repository, all);
    assert.ok(file !== undefined);
    assert.equal((await showDelta(file)).endianness, 'big');
    assert.deepEqual(file.decode().parts, little?.parts);
    await assertApplies(t, BEFORE, all.to, join(all.repository.path, deltaPath(all)));
  });

  it('carries metadata of the user, and the detached metadata of its commit', async (t) => {
    const all = await made(t);
    const detached = [['key', variantOf(string, 'value')]] as const;
    const to = await commitTree(all.repository, AFTER, { timestamp: 5, detached });
    await generate({ ...all, to }, { metadata: [['user.note', variantOf(string, 'hello')]] });
    const superblock = openDelta(all.repository, { from: all.from, to })?.decode();
    assert.deepEqual(superblock?.metadata[0]?.[0], 'user.note');
    assert.equal(superblock?.timestamp, 5);
    const target = newRepository(t);
    await commitTree(target, BEFORE);
    await applyOffline(target, join(all.repository.path, deltaPath({ from: all.from, to })), { signal: SIGNAL });
    assert.deepEqual(
      objectsOf(target)
        .detached(to)
        .map(([key]) => key),
      ['key'],
    );
  });

  it('replaces one of the same name as a whole', async (t) => {
    const all = await made(t);
    await generate(all, { maxChunkSize: 0 });
    const folder = join(all.repository.path, deltaPath(all));
    assert.ok(readdirSync(folder).length > 3);
    await generate(all);
    assert.deepEqual(readdirSync(folder).sort(), ['0', 'superblock']);
    assert.deepEqual(
      tmpOf(all.repository).filter((name) => name.startsWith('delta-')),
      [],
    );
  });

  it('with little memory compares smaller pairs only, and is made all the same', async (t) => {
    const before = { a: { content: noise(4_000_000, 1) }, b: { content: noise(4_000, 2) } };
    const after = {
      a: { content: sprinkled(noise(4_000_000, 1)) },
      b: { content: sprinkled(noise(4_000, 2)) },
    };
    const all = await made(t, before, after);
    const delta = await generate(all, { memoryBudget: 1 });
    assert.deepEqual(delta.objects, { metadata: 1, rollsum: 0, bsdiff: 1, plain: 1, links: 0 });
    await assertApplies(t, before, all.to, join(all.repository.path, deltaPath(all)));
  });

  it('is refused by name when a file neither fits nor may be left out', async (t) => {
    const all = await made(t, {}, { huge: { content: Buffer.alloc(9_000_000) } });
    await assert.rejects(scratchDelta(all, { memoryBudget: 1, minFallbackSize: 0 }), { code: 'DELTA_UNSUITABLE' });
    assert.equal(existsSync(join(all.repository.path, 'deltas')), false);
    assert.deepEqual(
      tmpOf(all.repository).filter((name) => name.startsWith('delta-')),
      [],
    );
  });

  it('is written nowhere in a dry run, which knows its size', async (t) => {
    const all = await made(t);
    const planned = await generate(all, { dryRun: true });
    assert.equal(existsSync(join(all.repository.path, 'deltas')), false);
    assert.deepEqual(await generate(all), planned);
  });
});
