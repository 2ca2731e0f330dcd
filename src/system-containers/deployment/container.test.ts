import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { activeOf, assertNameFree, findContainer, listContainers, openContainer } from './container.ts';
import { addSlot, link, testPlaces } from './host.fixture.ts';
import { removeLink, removeSlots, setActive, sweepLeftovers } from './slots.ts';
import { freeSlot, rollbackTarget, surplusSlots } from './which-slot.ts';

describe('a container', () => {
  it('is what its link leads to, and its slots', (t) => {
    const places = testPlaces(t);
    addSlot(places, 'etcd', 0, { created: 1 });
    addSlot(places, 'etcd', 1, { created: 2 });
    link(places, 'etcd', 'etcd.1');
    const container = openContainer(places, 'etcd');
    assert.equal(activeOf(container).slot, 1);
    assert.equal(container.active?.path, join(places.checkouts, 'etcd.1'));
    assert.deepEqual(
      container.slots.map(({ slot, info }) => [slot, info.created]),
      [
        [0, 1],
        [1, 2],
      ],
    );
    assert.deepEqual([container.problem, container.isPreinstalled], [undefined, false]);
  });
  it('may have an absolute link, in the words of this process or of the host', (t) => {
    const places = testPlaces(t);
    addSlot(places, 'etcd', 0);
    for (const target of [join(places.checkouts, 'etcd.0'), '/var/lib/containers/atomic/etcd.0']) {
      link(places, 'etcd', target);
      assert.equal(openContainer(places, 'etcd').active?.slot, 0);
      removeLink(places, 'etcd');
    }
  });
  it('that is not there is told so, also when it could not have such a name', (t) => {
    const places = testPlaces(t);
    for (const [name, shown] of [
      ['etcd', 'etcd'],
      ['../etcd', '"../etcd"'],
      ['', '""'],
    ] as const) {
      const message = `cannot find container ${shown}`;
      assert.throws(() => openContainer(places, name), { code: 'CONTAINER_MISSING', message, subject: name });
    }
    rmSync(places.checkouts, { recursive: true });
    assert.deepEqual(listContainers(places), []);
  });
  const breakages = {
    'without a link': () => undefined,
    'whose link leads to a slot that is not there': 'etcd.1',
    'whose link leads elsewhere': '/somewhere/etcd.0',
    'whose link leads to another container': 'kvd.0',
    'whose link leads up': '../etcd.0',
  };
  for (const [how, target] of Object.entries(breakages)) {
    it(`${how} is broken, is listed with its slots, and says why`, (t) => {
      const places = testPlaces(t);
      addSlot(places, 'etcd', 0);
      if (typeof target === 'string') link(places, 'etcd', target);
      const container = openContainer(places, 'etcd');
      assert.deepEqual([container.active, container.slotsOnDisk], [undefined, [0]]);
      assert.ok((container.problem ?? '').length > 0);
      assert.equal(container.hasLink, typeof target === 'string');
      assert.throws(() => activeOf(container), { code: 'CONTAINER_BROKEN', subject: 'etcd' });
    });
  }
  for (const [how, content] of [
    ['without info', undefined],
    ['with half an info', '{"image": '],
  ] as const) {
    it(`whose active slot is ${how} is broken, and keeps nobody from being listed`, (t) => {
      const places = testPlaces(t);
      addSlot(places, 'kvd', 0);
      link(places, 'kvd', 'kvd.0');
      mkdirSync(join(places.checkouts, 'etcd.0'));
      if (content !== undefined) writeFileSync(join(places.checkouts, 'etcd.0/info'), content);
      link(places, 'etcd', 'etcd.0');
      const [etcd, kvd] = listContainers(places);
      assert.deepEqual([etcd?.name, etcd?.slotsOnDisk, etcd?.slots], ['etcd', [0], []]);
      assert.match(etcd?.problem ?? '', /info/);
      assert.equal(kvd?.active?.slot, 0);
    });
  }
  it('that a package brought is there beside our own, and one of our own comes before it', (t) => {
    const places = testPlaces(t);
    const preinstalled = places.preinstalled ?? '';
    for (const name of ['kvd', 'etcd']) addSlot({ ...places, checkouts: preinstalled }, name, 0, { image: 'packaged' });
    link({ ...places, checkouts: preinstalled }, 'kvd', 'kvd.0');
    link({ ...places, checkouts: preinstalled }, 'etcd', 'etcd.0');
    addSlot(places, 'etcd', 0, { image: 'own' });
    link(places, 'etcd', 'etcd.0');
    assert.deepEqual(
      listContainers(places).map(({ name, isPreinstalled, active }) => [name, isPreinstalled, active?.info.image]),
      [
        ['etcd', false, 'own'],
        ['kvd', true, 'packaged'],
      ],
    );
  });
  it('is nothing else that lies there: hidden names, the storage, files', (t) => {
    const places = testPlaces(t);
    for (const name of ['.storage', '.state', '.etcd.0.tmp-12ab', 'repo']) mkdirSync(join(places.checkouts, name));
    writeFileSync(join(places.checkouts, 'notes.0'), '');
    assert.deepEqual(listContainers(places), []);
  });
});

describe('a new name', () => {
  it('is free when nothing of it is there', (t) => {
    const places = testPlaces(t);
    addSlot(places, 'kvd', 0);
    for (const name of ['etcd', 'kvd.15', 'kv', 'kvd2']) assertNameFree(places, name);
  });
  it('is taken by a container, by what is left of one, and by anything else there', (t) => {
    const places = testPlaces(t);
    addSlot(places, 'etcd', 0);
    mkdirSync(join(places.checkouts, 'folder'));
    for (const name of ['etcd', 'folder']) {
      assert.throws(() => assertNameFree(places, name), { code: 'CONTAINER_EXISTS', subject: name });
    }
  });
  it('is no slot of another container, whichever comes first', (t) => {
    const places = testPlaces(t);
    addSlot(places, 'etcd', 0);
    link(places, 'etcd', 'etcd.0');
    for (const name of ['etcd.0', 'etcd.1', 'etcd.9']) {
      assert.throws(() => assertNameFree(places, name), { code: 'CONTAINER_EXISTS', subject: name });
    }
    addSlot(places, 'kvd.0', 0);
    link(places, 'kvd.0', 'kvd.0.0');
    assert.throws(() => assertNameFree(places, 'kvd'), { code: 'CONTAINER_EXISTS', subject: 'kvd' });
    assert.equal(findContainer(places, 'kvd'), undefined);
    assert.equal(openContainer(places, 'kvd.0').active?.slot, 0);
  });
});

describe('slots', () => {
  it('are activated by a relative link, as often as one likes', (t) => {
    const places = testPlaces(t);
    setActive(places, 'etcd', 0);
    setActive(places, 'etcd', 1);
    assert.equal(readlinkSync(join(places.checkouts, 'etcd')), 'etcd.1');
    assert.deepEqual(readdirSync(places.checkouts), ['etcd']);
  });
  it('are removed when they are directories; a link of such a name is another container', (t) => {
    const places = testPlaces(t);
    const path = addSlot(places, 'etcd', 0);
    mkdirSync(join(path, 'rootfs/deep/er'), { recursive: true });
    symlinkSync('/', join(path, 'rootfs/link'));
    link(places, 'etcd.1', 'etcd.1.0');
    removeSlots(places, 'etcd', [0, 1, 2]);
    assert.deepEqual(readdirSync(places.checkouts), ['etcd.1']);
  });
  it('lose their link, and nothing that is no link', (t) => {
    const places = testPlaces(t);
    link(places, 'etcd', 'etcd.0');
    mkdirSync(join(places.checkouts, 'kvd'));
    for (const name of ['etcd', 'kvd', 'none']) removeLink(places, name);
    assert.deepEqual(readdirSync(places.checkouts), ['kvd']);
  });
  it('that killed runs have left half made are swept, those of other containers are not', (t) => {
    const places = testPlaces(t);
    const mine = ['.etcd.0.tmp-12ab', '.etcd.7.tmp-deleted'];
    const others = ['.etcd.0.1.tmp-12ab', '.kvd.0.tmp-12ab', '.etcd.tmp-1'];
    for (const name of [...mine, ...others]) mkdirSync(join(places.checkouts, name, 'rootfs'), { recursive: true });
    symlinkSync('etcd.0', join(places.checkouts, '.etcd.link'));
    sweepLeftovers(places, 'etcd');
    assert.deepEqual(readdirSync(places.checkouts).sort(), others.sort());
  });
});

describe('the slot', () => {
  it('for a new deployment is an empty one, else the one that was not active for the longest time', (t) => {
    const places = testPlaces(t);
    addSlot(places, 'etcd', 0, { activated: 10 });
    link(places, 'etcd', 'etcd.0');
    assert.equal(freeSlot(openContainer(places, 'etcd'), 2), 1);
    addSlot(places, 'etcd', 1, { activated: 5 });
    assert.equal(freeSlot(openContainer(places, 'etcd'), 2), 1);
    assert.equal(freeSlot(openContainer(places, 'etcd'), 3), 2);
    addSlot(places, 'etcd', 2, { activated: 7 });
    assert.equal(freeSlot(openContainer(places, 'etcd'), 3), 1);
    setActive(places, 'etcd', 1);
    assert.equal(freeSlot(openContainer(places, 'etcd'), 3), 2);
    assert.equal(freeSlot(openContainer(places, 'etcd'), 2), 0);
  });
  it('to roll back to is the one that was active last: twice leads back', (t) => {
    const places = testPlaces(t);
    addSlot(places, 'etcd', 0, { created: 1 });
    link(places, 'etcd', 'etcd.0');
    assert.equal(rollbackTarget(openContainer(places, 'etcd')), undefined);
    addSlot(places, 'etcd', 1, { activated: 3000 });
    addSlot(places, 'etcd', 2, { activated: 2000 });
    assert.equal(rollbackTarget(openContainer(places, 'etcd'))?.slot, 1);
    setActive(places, 'etcd', 1);
    addSlot(places, 'etcd', 0, { created: 1, activated: 4000 });
    assert.equal(rollbackTarget(openContainer(places, 'etcd'))?.slot, 0);
  });
  it('that is too much is neither active nor among those that were active last', (t) => {
    const places = testPlaces(t);
    for (const slot of [0, 1, 2, 3]) addSlot(places, 'etcd', slot, { activated: slot });
    mkdirSync(join(places.checkouts, 'etcd.4'));
    link(places, 'etcd', 'etcd.0');
    assert.deepEqual(surplusSlots(openContainer(places, 'etcd'), 2), [1, 2, 4]);
    assert.deepEqual(surplusSlots(openContainer(places, 'etcd'), 9), [4]);
  });
});
