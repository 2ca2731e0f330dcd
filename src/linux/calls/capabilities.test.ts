import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findProgram } from '../processes/find-program.ts';
import { capabilities } from './capabilities.ts';
import { systemCalls } from './ffi.ts';

describe('the capabilities', () => {
  if (systemCalls() !== undefined) {
    it('are all calls with koffi', () => {
      const { whyNoCalls, ...means } = capabilities();
      assert.equal(whyNoCalls, undefined);
      assert.deepEqual(new Set(Object.values(means)), new Set(['call']));
    });
  } else {
    it('are the declared smaller set without koffi', () => {
      const { whyNoCalls, ...means } = capabilities();
      assert.deepEqual(means, {
        flock: 'program',
        ofdLocks: undefined,
        syncfs: 'program',
        exclusiveRename: 'link',
        xattrs: undefined,
        mknod: undefined,
        nanosecondTimes: undefined,
        datagram: undefined,
      });
      assert.match(whyNoCalls ?? '', /koffi/);
    });
  }

  it('are looked up once', () => {
    assert.equal(capabilities(), capabilities());
  });
});

describe('a program', () => {
  it('is found in PATH, in its order', () => {
    assert.match(findProgram('sh') ?? '', /^\/.*\/sh$/);
    assert.equal(findProgram('sh', '/nowhere:/bin'), '/bin/sh');
  });

  it('is not found when it is absent, a directory, not executable or in a relative directory', () => {
    assert.equal(findProgram('no-such-program-anywhere'), undefined);
    assert.equal(findProgram('bin', '/usr'), undefined);
    assert.equal(findProgram('passwd', '/etc'), undefined);
    assert.equal(findProgram('sh', 'bin:.:'), undefined);
    assert.equal(findProgram('sh', ''), undefined);
  });
});
