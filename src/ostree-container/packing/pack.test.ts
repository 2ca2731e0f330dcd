import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { packLayers } from './chunks.ts';
import { ALWAYS_CHANGING, type Component } from './components.ts';
import { type Bins, FEWEST_LAYERS, MOST_LAYERS, packComponents } from './pack.ts';
import { anyComponents, component } from './packing.fixture.ts';
import { COMPONENTS_ANNOTATION, type PriorLayer, priorBuildOf } from './prior-build.ts';

const limits = fc.oneof(
  fc.integer({ min: FEWEST_LAYERS, max: 10 }),
  fc.integer({ min: FEWEST_LAYERS, max: MOST_LAYERS }),
);
const sortedNames = (bin: readonly Component[]): string[] => bin.map(({ name }) => name).sort();
const namesOf = (bins: Bins): string[][] => bins.map(sortedNames);
/** What the image made of these bins says about itself. */
const builtAs = (bins: Bins): PriorLayer[] =>
  bins.map((bin) => ({ annotations: { [COMPONENTS_ANNOTATION]: bin.map(({ name }) => name).join(',') } }));
const layers = (...names: string[]): PriorLayer[] =>
  names.map((text) => ({ annotations: { [COMPONENTS_ANNOTATION]: text } }));

describe('packing components into layers', () => {
  it('places each component exactly once, in no more layers than allowed, the last one empty', () => {
    fc.assert(
      fc.property(anyComponents, limits, (components, maxLayers) => {
        const bins = packComponents(components, maxLayers);
        const placed = bins.flat().map(({ identifier }) => identifier);
        assert.deepEqual(placed.sort(), components.map(({ identifier }) => identifier).sort());
        assert.ok(bins.length <= maxLayers, `${bins.length} layers of ${maxLayers}`);
        assert.equal(bins.filter((bin) => bin.length === 0).length, components.length === 0 ? 0 : 1);
        assert.equal(bins.at(-1)?.length ?? 0, 0);
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on the order in which components are found', () => {
    const shuffled = anyComponents.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, limits, ([components, others], maxLayers) => {
        assert.deepEqual(packComponents(others, maxLayers), packComponents(components, maxLayers));
      }),
      { numRuns: 200 },
    );
  });

  it('makes no layer at all of no components', () => assert.deepEqual(packComponents([]), []));

  it('gives each a layer of its own while there are fewer than layers, what always changes last', () => {
    const components = [component('always', { changeFrequency: ALWAYS_CHANGING }), component('b'), component('c')];
    assert.deepEqual(namesOf(packComponents(components, 4)), [['b'], ['c'], ['always'], []]);
  });

  it('shares layers from as many components on as there are layers', () => {
    const bins = packComponents(
      ['a', 'b', 'c', 'd'].map((name) => component(name)),
      4,
    );
    assert.ok(bins.some((bin) => bin.length > 1));
    assert.ok(bins.length <= 4);
  });

  it('keeps what always changes together, away from the rest, before the empty layer', () => {
    const isAlways = ({ changeFrequency }: Component): boolean => changeFrequency === ALWAYS_CHANGING;
    fc.assert(
      fc.property(anyComponents, limits, (components, maxLayers) => {
        if (components.length < maxLayers || !components.some(isAlways)) return;
        const bins = packComponents(components, maxLayers);
        assert.deepEqual(
          bins.map((bin) => bin.filter(isAlways).length),
          bins.map((_, i) => (i === bins.length - 2 ? components.filter(isAlways).length : 0)),
        );
        assert.ok(bins.at(-2)?.every(isAlways));
      }),
      { numRuns: 200 },
    );
  });

  it('gives the largest components layers of their own, the largest first, and the small ones share one', () => {
    const giants = ['g1', 'g2', 'g3'].map((name, i) => component(name, { size: 10_000_000 * (i + 1) }));
    const small = ['s1', 's2', 's3'].map((name) => component(name, { size: 1 }));
    const usual = Array.from({ length: 30 }, (_, i) => component(`u${i}`, { size: 10_000 + 100 * i }));
    const bins = namesOf(packComponents([...usual, ...small, ...giants], 12));
    assert.deepEqual(bins.slice(0, 4), [['g3'], ['g2'], ['g1'], ['s1', 's2', 's3']]);
  });

  it('keeps components apart that change often and those that never do', () => {
    const often = Array.from({ length: 3 }, (_, i) => component(`often${i}`, { changeFrequency: 90 + i }));
    const never = Array.from({ length: 60 }, (_, i) => component(`never${i}`, { changeFrequency: 1 }));
    const bins = namesOf(packComponents([...never, ...often], 10));
    const mixed = bins.filter(
      (bin) => bin.some((name) => name.startsWith('often')) && bin.some((name) => name.startsWith('never')),
    );
    assert.deepEqual(mixed, []);
  });

  for (const maxLayers of [FEWEST_LAYERS - 1, MOST_LAYERS + 1, 0, -1, 4.5, Number.NaN]) {
    it(`refuses ${maxLayers} layers`, () => {
      assert.throws(() => packComponents([component('a')], maxLayers), { code: 'LAYER_COUNT' });
    });
  }

  it('looks at each of 396 components a bounded number of times', () => {
    let looks = 0;
    const counted = (i: number): Component => ({
      ...component(`package-${i}`),
      get size() {
        looks++;
        return (i * 7919) % 100_003;
      },
      get changeFrequency() {
        looks++;
        return i % 17;
      },
    });
    const bins = packComponents(
      Array.from({ length: 396 }, (_, i) => counted(i)),
      64,
    );
    assert.ok(bins.length <= 64);
    assert.ok(looks < 396 * 60, `${looks} looks`); // sorting takes log2(396) = 9 comparisons of two each, a few times
  });
});

describe('packing behind a prior build', () => {
  it('gives the same layers for the same components', () => {
    fc.assert(
      fc.property(anyComponents, limits, (components, maxLayers) => {
        const bins = packComponents(components, maxLayers);
        const again = packComponents(components, maxLayers, builtAs(bins));
        assert.deepEqual(namesOf(again), namesOf(bins));
      }),
      { numRuns: 300 },
    );
  });

  it('places each component exactly once, in no layer those of another, and empty is the last at most', () => {
    fc.assert(
      fc.property(anyComponents, anyComponents, limits, (before, now, maxLayers) => {
        const prior = packComponents(before, maxLayers);
        const bins = packComponents(now, maxLayers, builtAs(prior));
        assert.deepEqual(sortedNames(bins.flat()), sortedNames(now));
        assert.ok(bins.length <= maxLayers);
        assert.ok(bins.slice(0, -1).every((bin) => bin.length > 0));
        if (prior.length === 0) return;
        // What was there is left of each layer, in their order; only the last has anything else.
        const left = prior.map((bin) => sortedNames(bin).filter((name) => now.some((one) => one.name === name)));
        const old = new Set(before.map(({ name }) => name));
        const found = bins.map((bin) => sortedNames(bin).filter((name) => old.has(name)));
        const isThere = (names: string[]): boolean => names.length > 0;
        assert.deepEqual(found.filter(isThere), left.filter(isThere));
        const isNew = ({ name }: Component): boolean => !old.has(name);
        assert.ok(bins.filter((bin) => bin.some(isNew)).length <= 1);
      }),
      { numRuns: 300 },
    );
  });

  it('forgets what is gone, keeps a new version in its layer, and puts what is new last', () => {
    const now = [component('a-2', { name: 'a' }), component('c-1', { name: 'c' }), component('new-1', { name: 'new' })];
    const bins = packComponents(now, 8, layers('a,b', 'gone', 'c', ''));
    assert.deepEqual(
      bins.map((bin) => bin.map(({ identifier }) => identifier)),
      [['a-2'], ['c-1'], ['new-1'], []],
    );
  });

  it('adds no empty layer behind the last where there is no room', () => {
    const all = ['a', 'b', 'c', 'new'].map((name) => component(name));
    assert.deepEqual(namesOf(packComponents(all, 4, layers('a', 'b', 'c', 'gone'))), [['a'], ['b'], ['c'], ['new']]);
  });

  it('has room again where a layer has become empty', () => {
    const all = ['a', 'c', 'new'].map((name) => component(name));
    assert.deepEqual(namesOf(packComponents(all, 4, layers('a', 'gone', 'c', 'd'))), [['a'], ['c'], ['new'], []]);
  });

  for (const [what, prior] of [
    ['without annotations', [{}]],
    ['with others only', [{ annotations: { other: 'a' } }]],
    ['of a derived image behind its own', [...layers('a', ''), { annotations: {} }]],
    ['more of them than are allowed', layers('a1', 'a2', 'a3', 'a4', 'a5')],
  ] as const) {
    it(`refuses layers ${what}`, () => {
      const components = ['a', 'a1', 'a2', 'a3', 'a4', 'a5'].map((name) => component(name));
      assert.throws(() => packComponents(components, 4, prior), { code: 'PRIOR_BUILD' });
    });
  }

  it('counts the layers of a manifest from the second on, and starts anew behind an image of one layer', () => {
    assert.deepEqual(priorBuildOf({ layers: [{}, ...layers('a')] }), layers('a'));
    assert.deepEqual(namesOf(packComponents([component('a')], 4, priorBuildOf({ layers: [{}] }))), [['a'], []]);
  });
});

describe('the layers of an image', () => {
  const objects = new Map(
    [
      ['b', 'c2'],
      ['a', 'c1'],
      ['d', 'c1'],
    ].map(([end, id = '']) => [`${end}`.repeat(64), id]),
  );
  const two = [component('c1', { size: 3, name: 'one' }), component('c2', { size: 4, name: 'two' })];

  it('say what is in them, objects in ascending order', () => {
    assert.deepEqual(packLayers({ components: two, objects }, { maxLayers: 4 }), [
      { title: 'c1', components: 'one', objects: ['a'.repeat(64), 'd'.repeat(64)], size: 3 },
      { title: 'c2', components: 'two', objects: ['b'.repeat(64)], size: 4 },
      { title: 'Reserved for new packages', components: '', objects: [], size: 0 },
    ]);
  });

  for (const [count, title] of [
    [2, 'p0 and p1'],
    [5, 'p0 and p1 and p2 and p3 and p4'],
    [6, '6 components'],
  ] as const) {
    it(`with ${count} components are titled ${JSON.stringify(title)}`, () => {
      const components = Array.from({ length: count }, (_, i) => component(`p${i}`));
      const priorBuild = layers(components.map(({ name }) => name).join(','));
      assert.equal(packLayers({ components, objects: new Map() }, { priorBuild })[0]?.title, title);
    });
  }

  it('name a component once of which two versions are installed', () => {
    const components = [component('kernel-1', { name: 'kernel' }), component('kernel-2', { name: 'kernel' })];
    const [layer] = packLayers({ components, objects: new Map() }, { priorBuild: layers('kernel') });
    assert.equal(layer?.components, 'kernel');
  });
});
