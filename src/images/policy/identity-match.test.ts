import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseNamed } from '../../oci/index.ts';
import { type IdentityMatch, matchIdentity } from './identity-match.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;
const OTHER = `sha256:${'1'.repeat(64)}`;
const exactReference: IdentityMatch = { type: 'exactReference', reference: parseNamed('v.io/a:1') };
const exactRepository: IdentityMatch = { type: 'exactRepository', repository: parseNamed('v.io/a') };
const remap: IdentityMatch = { type: 'remapIdentity', prefix: 'm.io/mirror', signedPrefix: 'v.io' };

describe('the name in a signature', () => {
  for (const [match, image, signed, isAccepted] of [
    ['matchExact', 'a:1', 'a:1', true],
    ['matchExact', 'a:1', 'a:2', false],
    ['matchExact', 'a:1', 'docker.io/library/a:1', true],
    ['matchExact', `a@${DIGEST}`, `a@${DIGEST}`, true],
    ['matchExact', `a@${DIGEST}`, 'a:1', false],
    ['matchExact', 'a:1', 'a', false],
    ['matchExact', 'a', 'a', false],
    ['matchRepoDigestOrExact', 'a:1', 'a:1', true],
    ['matchRepoDigestOrExact', 'a:1', 'a:2', false],
    ['matchRepoDigestOrExact', 'a:1', 'a', false],
    ['matchRepoDigestOrExact', 'a:1', 'b:1', false],
    ['matchRepoDigestOrExact', `a@${DIGEST}`, 'a:1', true],
    ['matchRepoDigestOrExact', `a@${DIGEST}`, 'b:1', false],
    ['matchRepoDigestOrExact', `a:1@${DIGEST}`, 'a:1', true],
    ['matchRepoDigestOrExact', `a:1@${DIGEST}`, 'a:2', false],
    ['matchRepoDigestOrExact', `a:1@${DIGEST}`, `a:1@${OTHER}`, false],
    ['matchRepoDigestOrExact', 'a', 'a:1', false],
    ['matchRepository', 'a:1', 'a:2', true],
    ['matchRepository', 'a:1', 'a', true],
    ['matchRepository', 'a:1', 'x.io/a:1', false],
    [exactReference, 'm.io/x:9', 'v.io/a:1', true],
    [exactReference, 'm.io/x:9', 'v.io/a:2', false],
    [exactReference, 'v.io/a:1', 'm.io/x:9', false],
    [exactReference, undefined, 'v.io/a:1', true],
    [exactRepository, undefined, 'v.io/a:7', true],
    [exactRepository, 'm.io/x:9', 'v.io/b:7', false],
    [remap, 'm.io/mirror/app/x:1', 'v.io/app/x:1', true],
    [remap, 'm.io/mirror/app/x:1', 'm.io/mirror/app/x:1', false],
    [remap, 'm.io/mirror/app/x:1', 'v.io/app/x:2', false],
    [remap, `m.io/mirror/app/x@${DIGEST}`, 'v.io/app/x:2', true],
    [remap, 'm.io/mirrored/x:1', 'm.io/mirrored/x:1', true],
    [remap, 'm.io/mirrored/x:1', 'v.io/ed/x:1', false],
    [{ type: 'remapIdentity', prefix: 'docker.io/library', signedPrefix: 'v.io/os' }, 'a:1', 'v.io/os/a:1', true],
    ['matchExact', undefined, 'a:1', false],
    ['matchRepoDigestOrExact', undefined, 'a:1', false],
    ['matchRepository', undefined, 'a:1', false],
    [remap, undefined, 'v.io/a:1', false],
  ] as const) {
    const rule: IdentityMatch = typeof match === 'string' ? { type: match } : match;
    it(`${signed} is ${isAccepted ? 'accepted' : 'refused'} for ${image ?? 'an image without name'} by ${rule.type}`, () => {
      const why = matchIdentity(rule, image === undefined ? undefined : parseNamed(image), parseNamed(signed));
      assert.equal(why === undefined, isAccepted, why);
    });
  }

  it('is refused with the reason when the remapped name is none', () => {
    const rule: IdentityMatch = { type: 'remapIdentity', prefix: 'm.io/mirror/x', signedPrefix: 'v.io' };
    assert.match(
      matchIdentity(rule, parseNamed('m.io/mirror/x:1'), parseNamed('docker.io/library/v.io:1')) ?? '',
      /not a full one/,
    );
  });
});
