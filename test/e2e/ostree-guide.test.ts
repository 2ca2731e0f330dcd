/**
 * docs/ostree-container/guide.md does what it says: its blocks are run in their order, in one shell, against a real web
 * server; what it shows as output is compared with what was printed. Nothing of libostree is in reach.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { blockFaults, blocksOf, missingLines, printedBy, scriptOf } from '../support/guide.ts';
import { needs } from '../support/needs.ts';
import { freePort } from '../support/nginx.ts';
import { CHECKOUT, type Finished, OSTREE_CONTAINER, run } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';

const GUIDE = join(CHECKOUT, 'docs', 'ostree-container', 'guide.md');
/** The guide's port, for which the test takes a free one. */
const PORT = /\b8080\b/g;

/** The web server of the guide ends, also when the guide stops half way. */
const PROLOGUE = `exec 2>&1
server=
trap '[ -z "$server" ] || kill $server 2>/dev/null || :' EXIT
`;

describe('the guide to repositories', () => {
  const blocks = blocksOf(readFileSync(GUIDE, 'utf8'));

  it('has only blocks that a test knows what to do with', () => {
    assert.deepEqual(blockFaults(blocks), []);
    assert.ok(blocks.filter(({ language }) => language === 'sh').length >= 10);
  });

  describe('run from top to bottom', { skip: needs('root', 'openssl', 'python3', 'tar', 'xz') }, () => {
    const dir = makeScratch();
    after(() => removeTree(dir));
    let ended: Finished | undefined;
    before(async () => {
      const bin = join(dir, 'bin');
      const home = join(dir, 'home');
      mkdirSync(bin);
      mkdirSync(home);
      writeFileSync(
        join(bin, 'ostree-container'),
        `#!/bin/sh\nexec "${process.execPath}" "${OSTREE_CONTAINER}" "$@"\n`,
      );
      writeFileSync(join(bin, 'ostree'), '#!/bin/sh\necho "ostree was called: $*" >&2\nexit 1\n');
      for (const name of ['ostree-container', 'ostree']) chmodSync(join(bin, name), 0o755);
      const script = PROLOGUE + scriptOf(blocks).replace(PORT, String(await freePort()));
      const path = `${bin}:${process.env['PATH'] ?? '/usr/bin:/bin'}`;
      ended = await run('sh', ['-e'], { input: script, env: { HOME: home, PATH: path }, timeoutMs: 300_000 });
    });

    it('every command succeeds', () => {
      const log = ended?.stdout ?? '';
      assert.equal(ended?.status, 0, log.slice(log.lastIndexOf('@@ line')));
    });

    for (const [i, block] of blocks.entries()) {
      const command = blocks[i - 1];
      if (block.language !== 'text' || command === undefined) continue;
      it(`line ${block.line}: prints what is shown`, () => {
        const printed = printedBy(command, ended?.stdout ?? '');
        assert.deepEqual(missingLines(block.text, printed), [], printed);
      });
    }

    it('the host has the second version alone, whole and without libostree', () => {
      const text = readFileSync(join(dir, 'home/ostree-guide/host/2/usr/share/doc/app/README'), 'utf8');
      assert.equal(text, 'Read me.\n');
      assert.doesNotMatch(ended?.stdout ?? '', /ostree was called/);
    });
  });
});
