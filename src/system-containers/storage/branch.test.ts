import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { blobBranch, imageBranch, unescapeName } from './branch.ts';

describe('the branch of an image', () => {
  for (const [name, branch] of [
    ['docker.io/gscrivano/etcd:latest', 'ociimage/docker.io_2Fgscrivano_2Fetcd_3Alatest'],
    ['host:5000/a_b/c@sha256:00', 'ociimage/host_3A5000_2Fa_5Fb_2Fc_40sha256_3A00'],
  ] as const) {
    it(`of ${name} is ${branch}`, () => {
      assert.equal(imageBranch(name), branch);
      assert.equal(unescapeName(branch.slice('ociimage/'.length)), name);
    });
  }

  it('gives its name back, whatever that is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 60 }), (name) => {
        assert.equal(unescapeName(imageBranch(name).slice('ociimage/'.length)), name);
      }),
    );
  });

  it('that nobody has escaped so is left as it is', () => {
    assert.equal(unescapeName('a_b_C3_A9_zz_'), 'a_b_C3_A9_zz_');
    assert.equal(unescapeName('a_2fb'), 'a/b');
  });

  it('is refused when no file can be called so', () => {
    assert.throws(() => imageBranch(`docker.io/${'a/'.repeat(60)}b:latest`), {
      code: 'IMAGE_NAME_MISSING',
      hint: /--name/,
    });
  });
});

describe('the branch of a layer', () => {
  it('is the hex of its digest', () => {
    assert.equal(blobBranch(`sha256:${'ab'.repeat(32)}`), `ociimage/${'ab'.repeat(32)}`);
  });
});
