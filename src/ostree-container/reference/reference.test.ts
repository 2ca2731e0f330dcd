import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CodedError } from '../../base/error.ts';
import { formatImageName } from '../../images/index.ts';
import {
  escapeRef,
  formatOstreeReference,
  parseContainerReference,
  parseOstreeReference,
  unescapeRef,
} from './index.ts';

describe('a reference that says whom to trust', () => {
  const forms = [
    ['ostree-remote-registry:os:quay.io/a/b:1', 'ostree-remote-image:os:docker://quay.io/a/b:1', 'remote'],
    ['ostree-remote-image:os:registry:quay.io/a/b', 'ostree-remote-image:os:docker://quay.io/a/b', 'remote'],
    ['ostree-remote-image:os:oci:/srv/x:tag', 'ostree-remote-image:os:oci:/srv/x:tag', 'remote'],
    ['ostree-image-signed:docker://quay.io/a/b', 'ostree-image-signed:docker://quay.io/a/b', 'image'],
    ['ostree-image-signed:dir:/srv/x', 'ostree-image-signed:dir:/srv/x', 'image'],
    ['ostree-unverified-registry:quay.io/a/b', 'ostree-unverified-registry:quay.io/a/b', 'unverified'],
    ['ostree-unverified-image:registry:quay.io/a/b', 'ostree-unverified-registry:quay.io/a/b', 'unverified'],
    [
      'ostree-unverified-image:oci-archive:/a.ociarchive',
      'ostree-unverified-image:oci-archive:/a.ociarchive',
      'unverified',
    ],
    [
      'ostree-unverified-image:docker-archive:/a.tar:a/b:1',
      'ostree-unverified-image:docker-archive:/a.tar:a/b:1',
      'unverified',
    ],
  ] as const;
  for (const [written, canonical, kind] of forms) {
    it(`${written} is ${canonical}`, () => {
      const reference = parseOstreeReference(written);
      assert.equal(reference.trust.kind, kind);
      assert.equal(formatOstreeReference(reference), canonical);
      assert.deepEqual(parseOstreeReference(canonical), reference);
    });
  }

  it('takes the text behind the first colon of a path as the tag', () => {
    const { image } = parseOstreeReference('ostree-unverified-image:oci:/srv/x:a:b');
    assert.equal(image.location, '/srv/x');
    assert.equal(image.selector, 'a:b');
  });

  const wrong = [
    '',
    'quay.io/a/b',
    'docker://quay.io/a/b',
    'ostree-unverified-image:',
    'ostree-unverified-image:quay.io/a/b',
    'ostree-unverified-image:docker:quay.io/a/b',
    'ostree-unverified-image:blah://quay.io/a/b',
    'ostree-unverified-image:oci:',
    'ostree-unverified-registry:',
    'ostree-unverified-registry:Quay/A',
    'ostree-remote-image:os',
    'ostree-remote-image::registry:quay.io/a/b',
    'ostree-remote-registry:os:',
    'ostree-remote-registry:../os:quay.io/a/b',
    'ostree-unverifed-image:docker://quay.io/a/b',
  ];
  for (const text of wrong) {
    it(`${JSON.stringify(text)} is refused`, () => {
      assert.throws(() => parseOstreeReference(text), { code: 'BAD_OSTREE_REFERENCE' });
    });
  }

  it('never gives anything but a value or an error with a code', () => {
    const piece = fc.constantFrom(
      'ostree-remote-image',
      'ostree-image-signed',
      ':',
      '//',
      'oci',
      'registry',
      'a',
      '\0',
      '@',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((list) => list.join('')),
        ),
        (text) => {
          try {
            const reference = parseOstreeReference(text);
            assert.deepEqual(parseOstreeReference(formatOstreeReference(reference)), reference);
          } catch (error) {
            assert.ok(error instanceof CodedError && error.code === 'BAD_OSTREE_REFERENCE', String(error));
          }
        },
      ),
    );
  });
});

describe('the name of an image with its transport', () => {
  it('is written docker:// for a registry, whichever word was used', () => {
    assert.equal(formatImageName(parseContainerReference('registry:quay.io/a/b:1')), 'docker://quay.io/a/b:1');
    assert.equal(formatImageName(parseContainerReference('docker://quay.io/a/b:1')), 'docker://quay.io/a/b:1');
  });

  it('may be in the storage of podman', () => {
    assert.equal(parseContainerReference('containers-storage:localhost/a').location, 'localhost/a');
  });

  for (const text of [
    'quay.io/a/b',
    'docker:a',
    'registry:',
    'docker-daemon:a:b',
    'ostree-image-signed:docker://a/b',
  ]) {
    it(`${text} is refused`, () => {
      assert.throws(() => parseContainerReference(text), { code: 'BAD_OSTREE_REFERENCE' });
    });
  }
});

describe('a text as part of a ref', () => {
  const pairs = [
    ['registry:quay.io/coreos/fedora:latest', 'registry_3A_quay_2E_io/coreos/fedora_3A_latest'],
    ['sha256:ab', 'sha256_3A_ab'],
    ['a//b', 'a/_2F_b'],
    ['docker://a', 'docker_3A__2F__2F_a'],
    ['/a', '_2F_a'],
    ['a/', 'a_2F_'],
    ['a-/b', 'a-_2F_b'],
    ['a_b', 'a__b'],
    ['a_/b', 'a___2F_b'],
    ['\u00e9', '_E9_'],
    ['\u{1f600}', '_1F600_'],
    ['\t', '_09_'],
  ] as const;
  for (const [text, ref] of pairs) {
    it(`${JSON.stringify(text)} is ${ref}, and back`, () => {
      assert.equal(escapeRef(text), ref);
      assert.equal(unescapeRef(ref), text);
    });
  }

  it('of any kind comes back', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), (text) => {
        fc.pre(!text.includes('\0'));
        assert.equal(unescapeRef(escapeRef(text)), text);
      }),
    );
  });

  for (const text of ['', 'a\0b']) {
    it(`${JSON.stringify(text)} has no such form`, () => {
      assert.throws(() => escapeRef(text), { code: 'BAD_ESCAPED_REF' });
    });
  }

  for (const ref of ['', '_', 'a_', '_3a_', '_3_', '_00_', '_41_', '_110000_', 'a.b', '_2F', '/a', 'a//b', '_0041_']) {
    it(`${JSON.stringify(ref)} is not made by it`, () => {
      assert.throws(() => unescapeRef(ref), { code: 'BAD_ESCAPED_REF' });
    });
  }
});
