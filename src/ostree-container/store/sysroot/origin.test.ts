import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseOstreeReference } from '../../reference/index.ts';
import { formatOrigin, readOrigin } from './origin.ts';

describe('the origin of a deployment', () => {
  it('names its image, and is read as it was written', () => {
    const text = 'ostree-unverified-registry:quay.io/example/os:stable';
    const origin = formatOrigin(parseOstreeReference(text));
    assert.equal(origin, `[origin]\ncontainer-image-reference=${text}\n`);
    assert.equal(readOrigin(origin), text);
  });

  for (const [what, text, expected] of [
    ['another group has the key', '[other]\ncontainer-image-reference=a\n', undefined],
    ['it is that of a ref', '[origin]\nrefspec=os/main\n', undefined],
    ['it is empty', '', undefined],
    ['there are comments and blanks', '# x\n[origin]\n container-image-reference = a \n', 'a'],
    ['the key is there twice', '[origin]\ncontainer-image-reference=a\ncontainer-image-reference=b\n', 'b'],
  ] as const) {
    it(`is ${expected ?? 'no image'} where ${what}`, () => assert.equal(readOrigin(text), expected));
  }
});
