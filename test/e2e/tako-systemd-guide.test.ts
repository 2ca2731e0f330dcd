/**
 * docs/guide.md does what it says: its blocks are run in their order, on a booted Debian, in one shell; what it shows as
 * output is compared with what was printed. Then its timer brings one more update.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { blockFaults, blocksOf, missingLines, printedBy, scriptOf } from '../support/guide.ts';
import { AGENT, bootMachine, copyRoot } from '../support/machine.ts';
import { needs } from '../support/needs.ts';
import { freePort } from '../support/nginx.ts';
import { CHECKOUT } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';

const GUIDE = join(CHECKOUT, 'docs', 'guide.md');
/** What the guide has installed by then. */
const PACKAGES = ['nginx-light', 'squashfs-tools'];
/** The guide's port, for which the test takes a free one: the machine has the host's network. */
const PORT = /\b8080\b/g;

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
  // Loop devices are those of the whole computer: others may have some.
  const root = () => sh('losetup --list --noheadings --output BACK-FILE | grep ^/var/lib/images/app/ || :');
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
    assert.deepEqual(blockFaults(blocks), []);
    assert.ok(blocks.filter(({ language }) => language === 'sh').length >= 10);
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
        const printed = printedBy(command, log);
        assert.deepEqual(missingLines(block.text, printed), [], printed);
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
