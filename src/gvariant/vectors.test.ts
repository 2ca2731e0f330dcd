import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeScratch, removeTree } from '../../test/support/scratch.ts';
import { parseType } from './index.ts';

/** The folder of package.json: this file runs from `src/` and from `dist/src/`. */
function root(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** What libostree wrote: which files, their type, and at least how many of them there are. */
const KINDS: readonly (readonly [what: string, name: RegExp, signature: string, count: number])[] = [
  ['commits', /\.commit$/, '(a{sv}aya(say)sstayay)', 5],
  ['directories', /\.dirtree$/, '(a(say)a(sayay))', 5],
  ['metadata of directories', /\.dirmeta$/, '(uuua(ayay))', 2],
  ['detached metadata', /\.commitmeta$/, 'a{sv}', 1],
  ['summaries', /\/summary$/, '(a(s(taya{sv}))a{sv})', 2],
  ['delta superblocks', /\/superblock$/, '(a{sv}tayay(a{sv}aya(say)sstayay)aya(uayttay)a(yaytt))', 1],
  ['delta indexes', /\.index$/, 'a{sv}', 1],
];

describe('files that libostree wrote', () => {
  let folder = '';
  let files: readonly string[] = [];
  before(() => {
    folder = makeScratch();
    for (const name of ['archive', 'delta', 'signed']) {
      execFileSync('tar', ['-xzf', join(root(), `test/fixtures/ostree/${name}.tar.gz`), '-C', folder]);
    }
    files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  });
  after(() => removeTree(folder));

  for (const [what, name, signature, count] of KINDS) {
    it(`are read and written to the same bytes: ${what}`, () => {
      const type = parseType(signature);
      const found = files.filter((file) => name.test(file));
      assert.ok(found.length >= count, `${found.length} files`);
      for (const file of found) {
        const bytes = readFileSync(file);
        assert.ok(bytes.equals(type.encode(type.decode(bytes))), file);
      }
    });
  }
});
