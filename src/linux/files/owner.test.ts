import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { assertSafeOwner, judgeOwner, shellQuote } from './owner.ts';

const ROOT = 0;
const JOE = 1000;
const OTHER = 1234;
const path = '/srv/images';
const at = (uid: number, mode: number, gid = uid) => ({ uid, gid, mode: 0o040000 | mode });

describe('an owner', () => {
  it('is safe when it is root or the caller', () => {
    assert.equal(judgeOwner(at(ROOT, 0o755), { path }, ROOT), undefined);
    assert.equal(judgeOwner(at(ROOT, 0o755), { path }, JOE), undefined);
    assert.equal(judgeOwner(at(JOE, 0o755), { path }, JOE), undefined);
  });

  it('that is anybody else is a problem, mended by chown', () => {
    assert.deepEqual(judgeOwner(at(OTHER, 0o755), { path }, ROOT), {
      problem: 'owned by user 1234',
      mend: 'chown root /srv/images',
    });
    assert.equal(judgeOwner(at(OTHER, 0o755), { path }, JOE)?.mend, 'chown 1000 /srv/images');
  });
});

describe('a mode', () => {
  it('that lets everybody write is a problem for every caller, also with the sticky bit', () => {
    for (const caller of [ROOT, JOE]) {
      for (const mode of [0o757, 0o702, 0o1757]) {
        assert.equal(judgeOwner(at(ROOT, mode), { path }, caller)?.mend, 'chmod o-w /srv/images');
      }
    }
  });

  it('that lets a group write is a problem for root alone, whatever the group', () => {
    assert.equal(judgeOwner(at(ROOT, 0o775, 50), { path }, ROOT)?.mend, 'chmod g-w /srv/images');
    assert.equal(judgeOwner(at(ROOT, 0o775, 0), { path }, ROOT)?.mend, 'chmod g-w /srv/images');
    assert.equal(judgeOwner(at(JOE, 0o775), { path }, JOE), undefined);
  });

  it('that lets others read is a problem only where reading matters', () => {
    const secret = { path, readableMatters: true };
    assert.equal(judgeOwner(at(JOE, 0o644), { path }, JOE), undefined);
    assert.equal(judgeOwner(at(JOE, 0o644), secret, JOE)?.mend, 'chmod o-r /srv/images');
    assert.equal(judgeOwner(at(JOE, 0o640), secret, JOE), undefined);
    assert.equal(judgeOwner(at(ROOT, 0o640, 50), secret, ROOT)?.mend, 'chmod g-r /srv/images');
    assert.equal(judgeOwner(at(ROOT, 0o640, 0), secret, ROOT), undefined);
    assert.equal(judgeOwner(at(ROOT, 0o600, 50), secret, ROOT), undefined);
  });

  it('and owner that are all wrong are mended by one command line', () => {
    assert.deepEqual(judgeOwner(at(OTHER, 0o777), { path, readableMatters: true }, ROOT), {
      problem: 'owned by user 1234, writable and readable by group 1234, writable and readable by everybody',
      mend: 'chown root /srv/images && chmod g-wr,o-wr /srv/images',
    });
  });

  it('is refused with the mending command as the hint', () => {
    assert.throws(() => assertSafeOwner(at(ROOT, 0o777), { path }, ROOT), {
      code: 'UNSAFE_OWNER',
      hint: 'chmod g-w,o-w /srv/images',
      subject: path,
    });
    assertSafeOwner(at(ROOT, 0o755), { path }, ROOT);
  });
});

describe('a word quoted for the shell', () => {
  for (const word of [
    '/plain',
    'with blank',
    "it's",
    '$(reboot) `x` "y" \\',
    'two\nlines\x1b[31m',
    'é\u0085ü',
    "'\n'\\",
  ]) {
    it(`comes back from the shell: ${JSON.stringify(word)}`, () => {
      const { stdout } = spawnSync('bash', ['-c', `printf %s ${shellQuote(word)}`]);
      assert.equal(stdout.toString(), word);
      assert.doesNotMatch(shellQuote(word), /\p{Cc}/u);
    });
  }

  it('is never an option', () => {
    assert.equal(shellQuote('-R'), './-R');
  });
});
