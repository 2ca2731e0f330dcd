import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { makeImage } from '../../../test/support/oci-image.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { copyImage, openImages, parseImageName } from '../../images/index.ts';
import { hostPlatform } from '../../oci/index.ts';
import { SIGNAL } from '../storage/storage.fixture.ts';
import { readReference } from './index.ts';

const read = (text: string, name?: string) => readReference(text, { name, signal: SIGNAL });
const nameOf = async (text: string, name?: string) => (await read(text, name)).storedName;

/** A layout as another kind of file. */
async function copied(t: TestContext, from: string, to: string): Promise<string> {
  const images = openImages({ http: { userAgent: 'test' }, onNote: () => undefined, env: {}, uid: 0 });
  t.after(() => void images.close());
  const source = await images.source(parseImageName(from), SIGNAL);
  const destination = await images.destination(parseImageName(to), SIGNAL);
  try {
    await copyImage(source, destination, {
      all: false,
      platform: hostPlatform(),
      preserveDigests: false,
      removeSignatures: false,
      admit: async () => undefined,
      onProgress: () => undefined,
      signal: SIGNAL,
    });
  } finally {
    await source.close();
    await destination.close();
  }
  return to;
}

describe('a reference', () => {
  for (const [written, location, storedName] of [
    ['busybox', 'docker.io/library/busybox', 'docker.io/library/busybox:latest'],
    ['docker://quay.io/a/b:1', 'quay.io/a/b:1', 'quay.io/a/b:1'],
    ['localhost:5000/a', 'localhost:5000/a', 'localhost:5000/a:latest'],
  ] as const) {
    it(`${written} is ${storedName} in a registry, whatever this machine searches`, async () => {
      const name = { transport: 'docker', location, selector: undefined, isBare: false };
      assert.deepEqual(await read(written), { source: { kind: 'image', name }, storedName });
    });
  }

  it('into another repository names that, or the one of the system', async () => {
    assert.deepEqual(await read('ostree:busybox:1@/srv/repo'), {
      source: { kind: 'repository', path: '/srv/repo', name: 'docker.io/library/busybox:1' },
      storedName: 'docker.io/library/busybox:1',
    });
    const { source } = await read('ostree:quay.io/a/b');
    assert.deepEqual(source, { kind: 'repository', path: '/ostree/repo', name: 'quay.io/a/b:latest' });
  });

  it('to a layout is called as its tag says, when that is a whole name, or like its directory', async (t) => {
    const directory = join(scratch(t), 'App');
    await makeImage(directory, { tag: 'quay.io/a/b:2' });
    assert.equal(await nameOf(`oci:${directory}`), 'quay.io/a/b:2');
    const other = join(scratch(t), 'kvd');
    await makeImage(other, { tag: '1.0' });
    assert.equal(await nameOf(`oci:${other}`), 'localhost/kvd:1.0');
    await makeImage(other, { tag: '2.0', config: { author: 'x' } });
    assert.equal(await nameOf(`oci:${other}:2.0`), 'localhost/kvd:2.0');
    assert.equal(await nameOf(`oci:${other}:2.0`, 'kvd'), 'docker.io/library/kvd:latest');
  });

  it('to an archive is called as that says, normalised', async (t) => {
    const directory = join(scratch(t), 'app');
    await makeImage(directory, { tag: 'v1' });
    const tagged = await copied(t, `oci:${directory}:v1`, `docker-archive:${join(scratch(t), 'x.tar')}:busybox:1`);
    assert.equal(await nameOf(tagged.replace(/:busybox:1$/, '')), 'docker.io/library/busybox:1');
    const plain = await copied(t, `oci:${directory}:v1`, `docker-archive:${join(scratch(t), 'y.tar')}`);
    await assert.rejects(nameOf(plain), { code: 'IMAGE_NAME_MISSING', hint: /--name/ });
    assert.equal(await nameOf(plain, 'localhost/y'), 'localhost/y:latest');
    const oci = await copied(t, `oci:${directory}:v1`, `oci-archive:${join(scratch(t), 'z.tar')}:3`);
    assert.equal(await nameOf(oci.replace(/:3$/, '')), 'localhost/z:3');
  });

  for (const [written, hint] of [
    ['docker-daemon:busybox:latest', /docker save/],
    ['docker:busybox:latest', /docker-archive/],
    ['dockertar:/x.tar', /docker-archive/],
    ['http:busybox', /--insecure/],
    ['oci:busybox', /docker:\/\//],
  ] as const) {
    it(`${written} is told what to write instead`, () => assert.rejects(read(written), { hint }));
  }
});
