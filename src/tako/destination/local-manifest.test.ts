import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { generateSecretKey } from '../manifest/key.ts';
import { digest, key, VECTOR } from '../manifest/manifest.fixture.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { type Destination, openDestination } from './destination.ts';
import { fetchedBefore, readLocalManifest } from './local-manifest.ts';

const STRANGER = generateSecretKey().publicKey;

function place(t: TestContext, manifest?: string | Uint8Array): { root: string; destination: Destination } {
  const root = scratch(t);
  fs.mkdirSync(join(root, 'store'));
  if (manifest !== undefined) fs.writeFileSync(join(root, 'manifest'), manifest);
  const destination = openDestination(root, 'refuse');
  t.after(() => destination.close());
  return { root, destination };
}
function read(destination: Destination, keys = [key]): { manifest: Manifest | undefined; warnings: string[] } {
  const warnings: string[] = [];
  return { manifest: readLocalManifest(destination, keys, (text) => warnings.push(text)), warnings };
}

describe('the local manifest', () => {
  it('is none when there is none', (t) => {
    assert.deepEqual(read(place(t).destination), { manifest: undefined, warnings: [] });
  });

  it('is verified under any of the keys', (t) => {
    const { destination } = place(t, VECTOR);
    assert.equal(read(destination).manifest?.entries.length, 3);
    assert.equal(read(destination, [STRANGER, key]).manifest?.key, key);
  });

  it('of another key is refused, saying that it is the local file, with a hint about two keys', (t) => {
    const { root, destination } = place(t, VECTOR);
    assert.throws(() => read(destination, [STRANGER]), {
      name: 'TakoError',
      code: 'INVALID_SIGNATURE',
      message: /^local manifest /,
      subject: join(root, 'manifest'),
      hint: /PublicKey=/,
    });
  });

  it('of another key gives the hint of a caller that knows better', (t) => {
    const { destination } = place(t, VECTOR);
    assert.throws(() => readLocalManifest(destination, [STRANGER], () => undefined, 'mine'), { hint: 'mine' });
  });

  for (const [what, bytes, code] of [
    ['cut off', VECTOR.subarray(0, 100), 'INVALID_MANIFEST'],
    ['one byte short', VECTOR.subarray(0, -1), 'INVALID_MANIFEST'],
    ['no manifest', '<html>', 'INVALID_MANIFEST'],
    ['zeros, as after a power cut', '\0'.repeat(327), 'INVALID_MANIFEST'],
    ['without base64 at its end', `${VECTOR.subarray(0, -89)}!${'A'.repeat(85)}==\n`, 'INVALID_SIGNATURE_DATA'],
  ] as const) {
    it(`that is ${what} is refused, saying that it is the local file`, (t) => {
      const { destination } = place(t, bytes);
      assert.throws(() => read(destination), { code, message: /^local /, hint: /damaged/ });
    });
  }

  it('without a byte counts as none while no image needs it, with a warning', (t) => {
    const { root, destination } = place(t, '');
    fs.writeFileSync(join(root, 'store', `.${digest('a')}.part`), '');
    const { manifest, warnings } = read(destination);
    assert.deepEqual([manifest, warnings.length], [undefined, 1]);
  });

  it('without a byte is damaged when an image needs it', (t) => {
    const { root, destination } = place(t, '');
    fs.writeFileSync(join(root, 'store', digest('a')), '');
    assert.throws(() => read(destination), { code: 'INVALID_MANIFEST' });
  });
});

describe('a command that needs a manifest', () => {
  it('says what to do when nothing was fetched yet', (t) => {
    const { root, destination } = place(t);
    assert.throws(() => fetchedBefore(undefined, destination), {
      code: 'NO_MANIFEST',
      subject: root,
      hint: /tako fetch/,
    });
  });

  it('gets the one that is there', (t) => {
    const { destination } = place(t, VECTOR);
    const { manifest } = read(destination);
    assert.equal(fetchedBefore(manifest, destination), manifest);
  });
});
