import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import vm from 'node:vm';
import { withDeadline } from './deadline.ts';

/** A module with one function `f`, which is a loop that jumps to its own beginning. */
const ENDLESS = '0061736d010000000104016000000302010007050101660000' + '0a0901070003400c000b0b';
/** What the types of Node leave out. */
const LOAD = 'bytes => new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.f';

describe('work with a deadline', () => {
  it('gives what it gives, and throws what it throws', () => {
    const error = new Error('own');
    const fail = (): never => {
      throw error;
    };
    assert.equal(
      withDeadline(() => 42, 1000),
      42,
    );
    assert.throws(() => withDeadline(fail, 1000), error);
  });

  it('is stopped in JavaScript', () => {
    const endless = (): void => {
      for (;;) Math.random();
    };
    assert.throws(() => withDeadline(endless, 20), { code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' });
  });

  it('is stopped in WebAssembly', () => {
    const endless = vm.runInThisContext(LOAD)(Buffer.from(ENDLESS, 'hex')) as () => void;
    assert.throws(() => withDeadline(endless, 20), { code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' });
  });
});
