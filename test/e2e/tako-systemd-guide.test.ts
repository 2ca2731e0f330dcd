/**
 * docs/guide.md does what it says: its blocks are run in their order, on a booted Debian, in one shell; what it shows as
 * output is compared with what was printed. Then its timer brings one more update.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AGENT, bootMachine, copyRoot } from '../support/machine.ts';
import { needs } from '../support/needs.ts';
import { CHECKOUT } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';

const GUIDE = join(CHECKOUT, 'docs', 'guide.md');
/** What the guide has installed by then. */
const PACKAGES = ['nginx-light', 'squashfs-tools'];
/** The guide's port, for which the test takes a free one: the machine has the host's network. */
const PORT = /\b8080\b/g;

interface Block {
  readonly language: string;
  /** Of its first line, in the guide. */
  readonly line: number;
  readonly text: string;
}

/** All fenced blocks, in their order. */
function blocksOf(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^```(\S*)\n(.*?)^```$/gms)].map(({ 1: language = '', 2: text = '', index }) => ({
    language,
    text,
    line: markdown.slice(0, index).split('\n').length + 1,
  }));
}

/** Where a file block is to be written; undefined for all other blocks. */
function pathOf({ language, text }: Block): string | undefined {
  return language === 'ini' || language === 'nginx' ? /^# (\/\S+)\n/.exec(text)?.[1] : undefined;
}

const markerOf = ({ line }: Block): string => `@@ line ${line} of the guide`;

/** One shell script of everything that is to be run or written, with a marker before each block. */
function scriptOf(blocks: readonly Block[]): string {
  const steps = blocks.flatMap((block) => {
    const path = pathOf(block);
    const marker = `echo '${markerOf(block)}'\n`;
    if (path !== undefined) return `${marker}cat > '${path}' <<'@@ END'\n${block.text}@@ END\nchmod 644 '${path}'\n`;
    return block.language === 'sh' ? marker + block.text : [];
  });
  return steps.join('');
}

/** What each block printed, by its marker. */
function outputs(log: string): ReadonlyMap<string, string> {
  const parts = log.split(/^(@@ line \d+ of the guide)\n/m);
  return new Map(parts.flatMap((part, i) => (i % 2 === 1 ? [[part, parts[i + 1] ?? '']] : [])));
}

/** Lines of a "text" block that the output does not have, in this order. `...` is anything, sizes and digests differ. */
function missing(shown: string, printed: string): readonly string[] {
  const lines = printed.split('\n');
  return shown
    .split('\n')
    .filter((line) => line !== '' && line !== '...')
    .filter((line) => {
      const pattern = line
        .replace(/[0-9a-f]{8}\.\.\./g, '...')
        .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
        .replace(/\\\.\\\.\\\./g, '.*')
        .replace(/[0-9]+(\\\.[0-9]+)? [KMG]?i?B\b/g, '[0-9.]+ [KMG]?i?B');
      const at = lines.findIndex((each) => new RegExp(`^${pattern}$`).test(each));
      lines.splice(0, at + 1);
      return at === -1;
    });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** After the guide: the next update, and a breaking one, come while nobody looks. */
const AFTERWARDS = `
cd /root/publisher
for version in 2.0.1 3.0.0; do
  echo $version > tree/etc/version
  mksquashfs tree app-$version.squashfs -all-root -noappend -quiet -no-progress
  tako store --key-file app.key --output /srv/images/app app-$version.squashfs $version
done
# The timer has missed its hour, and is not to draw another delay.
mkdir -p /etc/systemd/system/tako@app.timer.d
printf '[Timer]\\nRandomizedDelaySec=0\\n' > /etc/systemd/system/tako@app.timer.d/now.conf
systemctl daemon-reload
systemctl stop tako@app.timer
touch -d '2 hours ago' /var/lib/systemd/timers/stamp-tako@app.timer
systemctl start tako@app.timer
`;

const SCRIPT = `
import { attempt, report, sh, waitFor } from '${AGENT}';
const { status } = await attempt('sh -e /root/guide.sh >/out/guide.txt 2>&1');
report({ status });
if (status === 0) {
  const version = () => sh('cat /proc/$(systemctl show -P MainPID app.service)/root/etc/version');
  const root = () => sh('losetup --list --noheadings --output BACK-FILE');
  report({ before: { version: await version(), mounted: await root(), image: await sh('readlink -f /var/lib/images/app/latest') } });
  await sh('sh -e /root/afterwards.sh');
  await waitFor('the timer', async () => (await attempt('systemctl is-active tako@app.service')).stdout !== 'activating\\n'
    && (await attempt('cmp /root/publisher/app-2.0.1.squashfs /var/lib/images/app/latest')).status === 0, 40_000);
  const { results } = JSON.parse(await sh('tako status --json /etc/tako/app'));
  report({ after: { version: await version(), mounted: await root(), image: await sh('readlink -f /var/lib/images/app/latest'), status: results[0],
    active: await sh('systemctl is-active app.service'), nrestarts: await sh('systemctl show -P NRestarts app.service') } });
}`;

describe('the guide', () => {
  const blocks = blocksOf(readFileSync(GUIDE, 'utf8'));

  it('has only blocks that a test knows what to do with', () => {
    const unknown = blocks.filter((block) => {
      if (block.language === 'ini' || block.language === 'nginx') return pathOf(block) === undefined;
      return !['sh', 'console', 'text'].includes(block.language);
    });
    assert.deepEqual(unknown, []);
    assert.ok(blocks.filter(({ language }) => language === 'sh').length >= 10);
    for (const [i, { language, line }] of blocks.entries()) {
      if (language === 'text') assert.equal(blocks[i - 1]?.language, 'sh', `line ${line}: output of what?`);
    }
  });

  it('tells output that was shown from output that was not', () => {
    assert.deepEqual(missing('a\n...\nb 12.5 KiB\n', 'x\na\ny\nb 3 MiB\n'), []);
    assert.deepEqual(missing('1.0 -> 1b0c41ab...\n', '1.0 -> 00ff\n'), []);
    assert.deepEqual(missing('b\na\n', 'a\nb\n'), ['a']);
    assert.deepEqual(missing('1.0\n', '1x0\n'), ['1.0']);
  });

  describe('run from top to bottom', { skip: needs('machine') }, () => {
    const dir = makeScratch();
    after(() => removeTree(dir));
    let log = '';
    let found: Readonly<Record<string, unknown>> = {};
    before(async () => {
      const port = String(await freePort());
      const systemd = (name: string): Buffer => readFileSync(join(CHECKOUT, 'systemd', name));
      const { report, out } = await bootMachine({
        root: await copyRoot(dir, PACKAGES),
        files: {
          '/usr/bin/tako': {
            content: '#!/bin/sh\nexec /usr/bin/node /t/dist/src/cli/tako/main.js "$@"\n',
            mode: 0o755,
          },
          '/etc/systemd/system/tako@.service': systemd('tako@.service'),
          '/etc/systemd/system/tako@.timer': systemd('tako@.timer'),
          '/etc/systemd/system/tako-init@.service': systemd('tako-init@.service'),
          '/root/guide.sh': scriptOf(blocks).replace(PORT, port),
          '/root/afterwards.sh': AFTERWARDS,
        },
        script: SCRIPT,
      });
      log = readFileSync(join(out, 'guide.txt'), 'utf8');
      found = report;
    });

    it('every command succeeds', () => {
      assert.equal(found['status'], 0, log.slice(log.lastIndexOf('@@ line')));
    });

    for (const [i, block] of blocks.entries()) {
      const command = blocks[i - 1];
      if (block.language !== 'text' || command === undefined) continue;
      it(`line ${block.line}: prints what is shown`, () => {
        const printed = outputs(log).get(markerOf(command)) ?? '';
        assert.deepEqual(missing(block.text, printed), [], printed);
      });
    }

    it('the service runs from the image that is linked, and the timer brings it a newer one', () => {
      const { before: first, after: last } = found as Record<string, Record<string, unknown>>;
      assert.equal(first?.['version'], '2.0.0');
      assert.equal(first?.['mounted'], first?.['image']);
      assert.deepEqual([last?.['version'], last?.['active'], last?.['nrestarts']], ['2.0.1', 'active', '0']);
      assert.equal(last?.['mounted'], last?.['image']);
      assert.notEqual(last?.['image'], first?.['image']);
    });

    it('a breaking change is seen, and not taken', () => {
      const { status } = (found['after'] ?? {}) as Record<string, unknown>;
      const { currentVersion, newestCompatibleVersion, newestPublishedVersion } = (status ?? {}) as Record<
        string,
        unknown
      >;
      assert.deepEqual([currentVersion, newestCompatibleVersion, newestPublishedVersion], ['2.0.1', '2.0.1', '3.0.0']);
    });
  });
});
