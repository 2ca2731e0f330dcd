import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { parseNamed } from '../../oci/index.ts';
import { parseImageName } from '../image-name.ts';
import { scopesOf } from './scopes.ts';

const inRegistry = (text: string) => scopesOf(parseImageName(`docker://${text}`), parseNamed(text), undefined);
const DIGEST = `sha256:${'0'.repeat(64)}`;

describe('the scopes of an image', () => {
  it('in a registry go from its tag to the domains above its host', () => {
    assert.deepEqual(inRegistry('busybox:1'), [
      'docker.io/library/busybox:1',
      'docker.io/library/busybox',
      'docker.io/library',
      'docker.io',
      '*.io',
    ]);
    assert.deepEqual(inRegistry(`a.b.example.com:5000/x@${DIGEST}`), [
      `a.b.example.com:5000/x@${DIGEST}`,
      'a.b.example.com:5000/x',
      'a.b.example.com:5000',
      '*.b.example.com',
      '*.example.com',
      '*.com',
    ]);
    assert.deepEqual(inRegistry(`q.io/x:1@${DIGEST}`).slice(0, 3), [`q.io/x@${DIGEST}`, 'q.io/x:1', 'q.io/x']);
    assert.deepEqual(inRegistry('localhost/x:1'), ['localhost/x:1', 'localhost/x', 'localhost']);
  });

  it('on the disk are its real path and the folders above, without the root', (t) => {
    const dir = scratch(t);
    mkdirSync(join(dir, 'real/deep'), { recursive: true });
    symlinkSync('real', join(dir, 'link'));
    for (const text of [`oci:${dir}/link/deep:tag`, `dir:${dir}/real/../real/deep`]) {
      const scopes = scopesOf(parseImageName(text), undefined, undefined);
      assert.deepEqual(scopes.slice(0, 3), [`${dir}/real/deep`, `${dir}/real`, dir]);
      assert.equal(dirname(scopes.at(-1) ?? ''), '/');
      assert.ok(!scopes.includes('/'));
    }
    const absent = scopesOf(parseImageName(`oci-archive:${dir}/link/none/a.tar`), undefined, undefined);
    assert.deepEqual(absent.slice(0, 2), [`${dir}/real/none/a.tar`, `${dir}/real/none`]);
  });

  it('in a docker-archive are none', () => {
    assert.deepEqual(
      scopesOf(parseImageName('docker-archive:/a.tar:busybox:1'), parseNamed('busybox:1'), undefined),
      [],
    );
  });

  it('in the storage of podman name driver and root before the image', () => {
    const name = parseImageName('containers-storage:[overlay@/store+/run]busybox:1');
    const place = { driver: 'overlay', root: '/store', named: parseNamed('busybox:1'), id: undefined };
    const expected = [
      '[overlay@/store]docker.io/library/busybox:1',
      '[overlay@/store]docker.io/library/busybox',
      '[overlay@/store]docker.io/library',
      '[overlay@/store]docker.io',
      '[overlay@/store]',
      '[/store]',
    ];
    assert.deepEqual(scopesOf(name, undefined, place), expected);
    const id = '0'.repeat(64);
    assert.deepEqual(scopesOf(name, undefined, { ...place, id }), [
      `[overlay@/store]docker.io/library/busybox:1@${id}`,
      ...expected,
    ]);
    assert.deepEqual(scopesOf(name, undefined, { ...place, named: undefined, id }), [
      `[overlay@/store]@${id}`,
      '[overlay@/store]',
      '[/store]',
    ]);
  });
});
