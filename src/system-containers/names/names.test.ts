import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertContainerName, defaultName, parseSlotName, slotName } from './index.ts';

describe('the name of a container', () => {
  for (const name of ['etcd', 'a', '0', 'A_b.c-d', 'container.0', 'x'.repeat(200)]) {
    it(`may be ${name.slice(0, 20)}`, () => assertContainerName(name));
  }
  const wrong = ['', '.etcd', '-etcd', '_etcd', 'a/b', 'a b', 'a\n', 'a%i', 'a@b', 'ä', '..', 'x'.repeat(201)];
  for (const name of wrong) {
    it(`may not be ${JSON.stringify(name.slice(0, 20))}`, () => {
      assert.throws(() => assertContainerName(name), { code: 'BAD_CONTAINER_NAME', subject: name });
    });
  }
});

describe('the name that an image gives its container', () => {
  const cases = [
    ['docker.io/gscrivano/etcd', 'etcd'],
    ['docker.io/gscrivano/etcd:latest', 'etcd'],
    ['docker.io/gscrivano/etcd:v2', 'etcd-v2'],
    ['docker://localhost:5000/kvd:2.0', 'kvd-2.0'],
    ['localhost:5000/kvd', 'kvd'],
    ['busybox', 'busybox'],
    ['busybox:1.36', 'busybox-1.36'],
    [`docker.io/a/b@sha256:${'0'.repeat(64)}`, 'b'],
    [`docker.io/a/b:v1@sha256:${'0'.repeat(64)}`, 'b-v1'],
  ] as const;
  for (const [reference, name] of cases) {
    it(`is ${name} for ${reference}`, () => assert.equal(defaultName(reference), name));
  }
  it('must be a name, or another one is asked for', () => {
    for (const reference of ['', 'a/', 'a/_b', ':x']) {
      assert.throws(() => defaultName(reference), { code: 'BAD_CONTAINER_NAME', hint: /--name/ });
    }
  });
});

describe('the name of a slot', () => {
  it('comes back as it went in, also for names that look like slots', () => {
    for (const name of ['etcd', 'etcd.0', 'a.b.9']) {
      assert.deepEqual(parseSlotName(slotName(name, 7)), { name, slot: 7 });
    }
  });
  it('has one digit', () => {
    for (const name of ['postgres.15', 'etcd', 'etcd.', '.0', 'etcd.x']) assert.equal(parseSlotName(name), undefined);
  });
});
