import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../test/support/needs.ts';
import { scratch } from '../../test/support/scratch.ts';
import { verifyUnit } from './analyze.ts';
import { fakePrograms, usePath } from './fake-programs.fixture.ts';

const never = new AbortController().signal;

describe('systemd-analyze', () => {
  const skip = needs('systemd-analyze');
  const problems = async (t: Parameters<typeof scratch>[0], text: string) => {
    const file = join(scratch(t), 'kvd.service');
    writeFileSync(file, text);
    return await verifyUnit(file, { user: false }, never);
  };

  it('has nothing against a good unit', { skip }, async (t) => {
    assert.deepEqual(await problems(t, '[Service]\nExecStart=/bin/true\n'), []);
  });

  it('tells what is wrong, line by line and without folders', { skip }, async (t) => {
    const found = await problems(t, '[Service]\nExecStart=/nowhere/kvd\nFoo=bar\n');
    assert.equal(found?.length, 2);
    assert.ok(
      found?.every(({ text, isFatal }) => /^kvd\.service:/.test(text) && !isFatal),
      JSON.stringify(found),
    );
  });

  it('knows a unit that could not be loaded', { skip }, async (t) => {
    const found = await problems(t, '[Service]\nExecStop=/bin/true\n');
    assert.ok(
      found?.some(({ isFatal }) => isFatal),
      JSON.stringify(found),
    );
  });

  it("does not speak of other units, and of nothing that is not the unit's own", async (t) => {
    fakePrograms(t, {
      'systemd-analyze': 'echo "/x/other.service:3: Unknown key" >&2; printf "%s:1: bad \\033[2J\\n" "$4" >&2; exit 1',
    });
    const file = join(scratch(t), 'kvd.service');
    writeFileSync(file, '');
    assert.deepEqual(await verifyUnit(file, { user: true }, never), [
      { text: 'kvd.service:1: bad \\u{1b}[2J', isFatal: false },
    ]);
  });

  it('that is not there, or cannot work, knows nothing', async (t) => {
    fakePrograms(t, { 'systemd-analyze': 'echo "Failed to initialize manager: No such device" >&2; exit 1' });
    assert.equal(await verifyUnit('/x/kvd.service', { user: true }, never), undefined);
    usePath(t, scratch(t));
    assert.equal(await verifyUnit('/x/kvd.service', { user: true }, never), undefined);
  });
});
