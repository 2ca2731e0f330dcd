import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { systemCalls } from '../calls/ffi.ts';
import { openDirectory } from './directory.ts';
import { renameExclusive } from './exclusive-rename.ts';

describe('an exclusive rename', () => {
  it('moves a file or a link itself to a free name, and never replaces', (t) => {
    const path = scratch(t);
    const directory = openDirectory(path);
    fs.writeFileSync(join(path, 'a'), 'a');
    fs.symlinkSync('nowhere', join(path, 'l'));
    const to = (name: string) => ({ directory, name });
    assert.equal(renameExclusive(to('a'), to('b')), true);
    assert.equal(renameExclusive(to('l'), to('m')), true);
    assert.deepEqual(directory.list().sort(), ['b', 'm']);
    fs.writeFileSync(join(path, 'a'), 'new');
    assert.equal(renameExclusive(to('a'), to('b')), false);
    assert.equal(renameExclusive(to('a'), to('m')), false);
    assert.deepEqual([fs.readFileSync(join(path, 'b'), 'utf8'), fs.readlinkSync(join(path, 'm'))], ['a', 'nowhere']);
    directory.close();
  });

  it('of something absent is ENOENT', (t) => {
    const directory = openDirectory(scratch(t));
    assert.throws(() => renameExclusive({ directory, name: 'x' }, { directory, name: 'y' }), { code: 'ENOENT' });
    directory.close();
  });

  it('of a directory needs renameat2: without it EPERM, and nothing has happened', (t) => {
    const directory = openDirectory(scratch(t));
    directory.makeDirectory('d', 0o755).close();
    const rename = () => renameExclusive({ directory, name: 'd' }, { directory, name: 'e' });
    if (systemCalls()?.renameat2 !== undefined) assert.equal(rename(), true);
    else assert.throws(rename, { code: 'EPERM' });
    assert.deepEqual(directory.list(), [systemCalls()?.renameat2 === undefined ? 'd' : 'e']);
    directory.close();
  });
});
