import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseImageName } from '../../images/index.ts';
import { fullName, givenName, nameFor, possibleNames } from './image-names.ts';

const HEX = 'cd'.repeat(32);

describe('the full name of an image', () => {
  for (const [written, name] of [
    ['busybox', 'docker.io/library/busybox:latest'],
    ['index.docker.io/a/b:1', 'docker.io/a/b:1'],
    ['localhost:5000/x', 'localhost:5000/x:latest'],
    [`quay.io/a/b:1@sha256:${HEX}`, `quay.io/a/b@sha256:${HEX}`],
  ] as const) {
    it(`that is written ${written} is ${name}`, () => assert.equal(fullName(written), name));
  }
});

describe('what an image is called here', () => {
  for (const [written, name] of [
    ['docker://busybox', 'docker.io/library/busybox:latest'],
    ['busybox:1', 'docker.io/library/busybox:1'],
    ['docker-archive:/x.tar:busybox:1', 'docker.io/library/busybox:1'],
    ['docker-archive:/x.tar', undefined],
    ['docker-archive:/x.tar:@2', undefined],
    ['oci:/srv/kvd:1.0', 'localhost/kvd:1.0'],
    ['oci:/srv/kvd:quay.io/a/kvd:2', 'quay.io/a/kvd:2'],
    ['oci:/srv/kvd', undefined],
    ['oci-archive:/srv/kvd.tar:1.0', 'localhost/kvd:1.0'],
    ['dir:/srv/Image', 'localhost/image:latest'],
    ['dir:/srv/--', undefined],
    ['containers-storage:[overlay@/var/lib]busybox', 'docker.io/library/busybox:latest'],
  ] as const) {
    it(`when it comes from ${written} is ${name ?? 'told by itself or by nobody'}`, () => {
      assert.equal(nameFor(parseImageName(written)), name);
    });
  }

  it('is the name of the reference only when that is whole', () => {
    assert.equal(givenName('quay.io/a/b:1'), 'quay.io/a/b:1');
    for (const text of ['quay.io/a/b', 'busybox:1', '1.0', 'x y', '']) assert.equal(givenName(text), undefined);
  });

  it('may be several things, the likeliest first', () => {
    assert.deepEqual(possibleNames('busybox'), ['docker.io/library/busybox:latest', 'busybox']);
    assert.deepEqual(possibleNames('ostree:docker.io/x/y:1@/repo'), [
      'docker.io/x/y:1',
      'ostree:docker.io/x/y:1@/repo',
    ]);
    assert.deepEqual(possibleNames('docker-daemon:x/y'), ['docker-daemon:x/y']);
  });
});
