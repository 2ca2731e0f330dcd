import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fillBins } from './buckets.ts';
import { anyComponents, component } from './packing.fixture.ts';

const namesOf = (bins: ReturnType<typeof fillBins>): string[][] => bins.map((bin) => bin.map(({ name }) => name));

describe('filling bins', () => {
  it('makes no more than there may be, and has each component in one', () => {
    fc.assert(
      fc.property(
        anyComponents,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        (all, share, most) => {
          const bins = fillBins(all, share, most);
          assert.ok(bins.length <= most, `${bins.length} of ${most}`);
          assert.ok(bins.every((bin) => bin.length > 0));
          const placed = bins.flat().map(({ name }) => name);
          assert.deepEqual(placed.sort(), all.map(({ name }) => name).sort());
        },
      ),
    );
  });

  it('begins a bin for each bucket, what changes often first', () => {
    const rest = Array.from({ length: 20 }, (_, i) => component(`rest${i}`, { changeFrequency: 5 }));
    const all = [...rest, component('often', { changeFrequency: 90 })];
    assert.deepEqual(
      namesOf(fillBins(all, 100, 4)).map((names) => names.length),
      [1, 20],
    );
    assert.deepEqual(namesOf(fillBins(all, 100, 4))[0], ['often']);
  });

  it('merges neighbours from the end, in pairs', () => {
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => component(name));
    assert.deepEqual(namesOf(fillBins(all, 1, 5)), [['a'], ['b'], ['c'], ['d'], ['e']]);
    assert.deepEqual(namesOf(fillBins(all, 1, 4)), [['a'], ['b'], ['c'], ['d', 'e']]);
    assert.deepEqual(namesOf(fillBins(all, 1, 3)), [['a'], ['b', 'c'], ['d', 'e']]);
    assert.deepEqual(namesOf(fillBins(all, 1, 1)), [['a', 'b', 'c', 'd', 'e']]);
  });

  it('puts packages of one source beside each other', () => {
    const sources = ['x', 'y', 'x', 'y'].map((srcid, i) => component(`p${i}`, { srcid }));
    assert.deepEqual(namesOf(fillBins(sources, 2, 2)), [
      ['p0', 'p2'],
      ['p1', 'p3'],
    ]);
  });
});
