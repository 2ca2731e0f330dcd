import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { check, DEPLOYMENT, places } from './preflight.fixture.ts';

describe('a tmpfiles fragment', () => {
  for (const line of [
    'd /var/lib/kvd 0700 0 0 - -',
    'D /run/kvd/x 0700 - - -',
    'd- /etc/kvd',
    'v /var/lib/kvd',
    'q /var/lib/kvd',
    'Q /var/lib/kvd',
    'e /var/lib/kvd - - - 10d',
    'd %t/kvd',
    'd "/run/kv d"',
    'd /run/kvd/',
    '# R /etc',
  ]) {
    it(`may hold ${JSON.stringify(line)}`, async (t) => {
      assert.deepEqual((await check(t, { fragment: Buffer.from(line) })).notes, []);
    });
  }

  for (const line of [
    'R /var/lib/kvd',
    'r /run/kvd/*',
    'C /etc/kvd - - - - /x',
    'w /run/kvd - - - - text',
    'L /run/kvd - - - - /x',
    'f /run/kvd',
    'z /run/kvd 0777',
    'Z /run/kvd 0777',
    'a /run/kvd - - - - u:x:rwx',
    'd! /run/kvd',
    'd= /run/kvd',
    'D!- /run/kvd',
    'd /srv/kvd',
    'd /run',
    'd /run/',
    'd /',
    'd /run/../srv',
    'd /run/kvd/..',
    'd /run//kvd',
    'd /runx/kvd',
    'd %h/kvd',
    'd /run/%q/kvd',
    'd /run/%',
    'd "/run/\\x2e\\x2e/srv"',
    'd run/kvd',
  ]) {
    it(`may hold ${JSON.stringify(line)} only when it is allowed`, async (t) => {
      const fragment = Buffer.from(`d /run/kvd\n${line}\n`);
      await assert.rejects(check(t, { fragment }), {
        code: 'NOT_ALLOWED_ON_HOST',
        message: /line 2 of its tmpfiles fragment/,
      });
      await check(t, { fragment, permissions: ['tmpfiles'] });
    });
  }

  it('may act below a directory that the user chose, and not below one that the image did', async (t) => {
    const fragment = Buffer.from('d /srv/state/kvd\n');
    const values = new Map([
      ['NAME', 'kvd'],
      ['DESTDIR', DEPLOYMENT],
      ['STATE_DIRECTORY', '/srv/state'],
    ]);
    await check(t, { fragment, values, setValues: new Map([['STATE_DIRECTORY', '/srv/state']]) });
    await assert.rejects(check(t, { fragment, values }), { code: 'NOT_ALLOWED_ON_HOST' });
  });

  it('may not act everywhere because somebody sets a directory to /', async (t) => {
    const setValues = new Map([['STATE_DIRECTORY', '/']]);
    await assert.rejects(check(t, { fragment: Buffer.from('d /usr/bin'), setValues }), { code: 'NOT_ALLOWED_ON_HOST' });
  });

  it('that acts on a directory of somebody else is told, and on one of its own is not', async (t) => {
    const root = scratch(t);
    for (const dir of ['etc/ssh', 'etc/kvd-extra']) mkdirSync(join(root, dir), { recursive: true });
    const fragment = Buffer.from('d /etc/ssh 0777\nd /etc/kvd-extra\n');
    const { notes } = await check(t, { fragment, places: places(root) });
    assert.deepEqual(notes, ['line 1 of the tmpfiles fragment acts on "/etc/ssh", which is there already']);
  });

  it('with a line that systemd would not take is told', async (t) => {
    const { notes } = await check(t, { fragment: Buffer.from('d "/run/kvd\n') });
    assert.deepEqual(notes, ['line 1 of the tmpfiles fragment: systemd would not take it']);
  });

  it('of a user may act below the directories of that user alone', async (t) => {
    const home = places(scratch(t), {
      scope: 'user',
      uid: 1000,
      directories: { run: '/run/user/1000', state: '/home/joe/.data', conf: '/home/joe/.config' },
    });
    await check(t, { places: home, fragment: Buffer.from('d %t/kvd\nd /home/joe/.data/kvd\n') });
    for (const line of ['d /run/kvd', 'd %S/kvd', 'd /home/joe/x']) {
      await assert.rejects(
        check(t, { places: home, fragment: Buffer.from(line) }),
        { code: 'NOT_ALLOWED_ON_HOST' },
        line,
      );
    }
  });
});
