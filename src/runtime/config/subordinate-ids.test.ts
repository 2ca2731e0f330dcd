import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { readSubordinateIds } from './subordinate-ids.ts';

const JOE = { name: 'joe', uid: 1000 };

describe('subordinate ids', () => {
  it('are those of the name and of the number, each file its own', (t) => {
    const etc = scratch(t);
    writeFileSync(join(etc, 'subuid'), 'ann:100000:65536\njoe:165536:65536\n1000:300000:10\njoel:1:1\n');
    writeFileSync(join(etc, 'subgid'), 'joe:500000:100');
    assert.deepEqual(readSubordinateIds(JOE, etc, etc), {
      uids: [
        { first: 165536, count: 65536 },
        { first: 300000, count: 10 },
      ],
      gids: [{ first: 500000, count: 100 }],
      hasNewuidmap: false,
    });
  });

  it('are none without the files, and lines of another form belong to nobody', (t) => {
    const etc = scratch(t);
    assert.deepEqual(readSubordinateIds(JOE, etc, etc).uids, []);
    writeFileSync(join(etc, 'subuid'), 'joe\njoe:x:1\njoe:1\njoe:0:5\njoe:5:0\njoe:1:2:3\n:7:7\n');
    assert.deepEqual(readSubordinateIds(JOE, etc, etc).uids, []);
    assert.deepEqual(readSubordinateIds({ name: '', uid: 5 }, etc, etc).uids, []);
  });

  it('can be used when both programs are there', (t) => {
    const etc = scratch(t);
    writeFileSync(join(etc, 'newuidmap'), '', { mode: 0o755 });
    assert.equal(readSubordinateIds(JOE, etc, etc).hasNewuidmap, false);
    writeFileSync(join(etc, 'newgidmap'), '', { mode: 0o755 });
    assert.equal(readSubordinateIds(JOE, etc, etc).hasNewuidmap, true);
  });
});
