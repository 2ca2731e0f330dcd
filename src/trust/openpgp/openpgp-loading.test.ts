import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { scratch } from '../../../test/support/scratch.ts';

describe('the door of the domain', () => {
  it('opens without the OpenPGP library, which is asked for by the first call', async (test) => {
    const here = fileURLToPath(import.meta.url);
    const source = dirname(dirname(dirname(here)));
    const dir = scratch(test); // far from any node_modules
    for (const part of ['base', 'linux', 'trust']) cpSync(join(source, part), join(dir, part), { recursive: true });
    writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
    const door = await import(pathToFileURL(join(dir, 'trust', `index${extname(here)}`)).href);
    assert.equal(door.generateSecretKey().publicKey.raw.length, 32);
    assert.equal(typeof door.gpgProgramSigner({ keyId: 'x', signal: new AbortController().signal }).sign, 'function');
    await assert.rejects(door.openKeyring([]), { code: 'ERR_MODULE_NOT_FOUND' });
  });
});
