import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf } from './digest.ts';
import { MEDIA } from './media-types.ts';
import { canRun, choosePlatform, formatPlatform, hostPlatform, parsePlatform } from './platform.ts';

/** An index whose entries are named by their platforms; `-` has none. */
const index = (...platforms: readonly string[]) => ({
  manifests: platforms.map((text) => ({
    mediaType: MEDIA.ociManifest as string,
    digest: digestOf(Buffer.from(text)),
    size: 1,
    ...(text !== '-' && { platform: parsePlatform(text) }),
  })),
});
const chosen = (wanted: string, ...platforms: readonly string[]) => {
  const found = choosePlatform(index(...platforms), parsePlatform(wanted));
  return platforms.find((text) => digestOf(Buffer.from(text)) === found?.digest);
};

describe('a platform', () => {
  it('comes back as it was written', () => {
    for (const text of ['linux/amd64', 'linux/arm/v7', 'windows/amd64']) {
      assert.equal(formatPlatform(parsePlatform(text)), text);
    }
  });

  for (const text of ['', 'linux', 'linux/', '/amd64', 'linux/arm/v7/x', 'linux/ARM', 'linux/a b', 'linux/arm/']) {
    it(`is not ${JSON.stringify(text)}`, () => {
      assert.throws(() => parsePlatform(text), { name: 'OciError', code: 'BAD_REFERENCE' });
    });
  }

  it('of this machine is known', () => {
    const { os, architecture } = hostPlatform();
    assert.equal(os, 'linux');
    assert.ok(!['x64', 'ia32', 'ppc64'].includes(architecture));
  });
});

describe('the image for a platform', () => {
  for (const [wanted, platforms, expected] of [
    ['linux/amd64', ['linux/arm64', 'linux/amd64'], 'linux/amd64'],
    ['linux/amd64', ['windows/amd64', 'linux/amd64'], 'linux/amd64'],
    ['linux/amd64', ['linux/arm64', 'windows/amd64'], undefined],
    ['linux/amd64', ['linux/amd64/v2', 'linux/amd64/v1'], 'linux/amd64/v1'],
    ['linux/amd64', ['linux/amd64/v2'], undefined],
    ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4'], 'linux/amd64/v2'],
    ['linux/arm/v7', ['linux/arm/v8', 'linux/arm/v5', 'linux/arm/v6'], 'linux/arm/v6'],
    ['linux/arm/v7', ['linux/arm/v8', 'linux/arm'], 'linux/arm'],
    ['linux/arm/v5', ['linux/arm/v6', 'linux/arm/v7'], undefined],
    ['linux/arm', ['linux/arm/v5', 'linux/arm/v7'], 'linux/arm/v7'],
    ['linux/arm64', ['linux/arm64/v8'], 'linux/arm64/v8'],
    ['linux/arm64/v8', ['linux/arm64'], 'linux/arm64'],
    ['linux/arm64', ['linux/arm64/v9'], undefined],
    ['linux/riscv64/x1', ['linux/riscv64', 'linux/riscv64/x1'], 'linux/riscv64/x1'],
    ['linux/amd64', ['-', 'linux/amd64'], 'linux/amd64'],
    ['linux/amd64', ['linux/arm64', '-'], '-'],
    ['linux/amd64', [], undefined],
  ] as const) {
    it(`${wanted} among [${platforms.join(', ')}] is ${expected ?? 'none'}`, () => {
      assert.equal(chosen(wanted, ...platforms), expected);
    });
  }

  it('is the first of several equal ones', () => {
    const twice = { manifests: [...index('linux/amd64').manifests, ...index('-').manifests] };
    const other = { ...twice.manifests[1], platform: parsePlatform('linux/amd64') };
    const { manifests } = { manifests: [...twice.manifests.slice(0, 1), other as (typeof twice.manifests)[0]] };
    assert.equal(choosePlatform({ manifests }, parsePlatform('linux/amd64')), manifests[0]);
  });

  it('is no artifact and nothing of an unknown type', () => {
    const [plain] = index('-').manifests;
    assert.ok(plain !== undefined);
    const wanted = parsePlatform('linux/amd64');
    assert.equal(choosePlatform({ manifests: [{ ...plain, mediaType: 'application/x' }] }, wanted), undefined);
    assert.equal(choosePlatform({ manifests: [{ ...plain, artifactType: 'application/x' }] }, wanted), undefined);
  });

  it('may be made for a lesser machine', () => {
    const [v7, v6] = [parsePlatform('linux/arm/v7'), parsePlatform('linux/arm/v6')];
    assert.deepEqual([canRun(v7, v6), canRun(v6, v7)], [true, false]);
  });
});
