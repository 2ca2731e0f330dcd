import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { needs } from './needs.ts';

describe('needs', () => {
  const { CI } = process.env;
  afterEach(() => {
    if (CI === undefined) delete process.env['CI'];
    else process.env['CI'] = CI;
  });

  it('lets a test run when every peer is there', () => {
    assert.equal(needs('sh', 'cat'), false);
  });
  it('skips by the names of all that is missing', () => {
    delete process.env['CI'];
    assert.equal(needs('sh', 'no-such-peer', 'nor-this'), 'needs no-such-peer, nor-this');
  });
  it('fails instead of skipping in CI', () => {
    process.env['CI'] = 'true';
    assert.throws(() => needs('no-such-peer'), /no-such-peer/);
    assert.equal(needs('sh'), false);
  });
});
