import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../test/support/scratch.ts';
import { findRuntime } from './find-runtime.ts';

/** A folder with programs of these names. */
function programs(t: Parameters<typeof scratch>[0], ...names: readonly string[]): string {
  const root = scratch(t);
  for (const name of names) writeFileSync(join(root, name), '#!/bin/sh\n', { mode: 0o755 });
  return root;
}

describe('the runtime', () => {
  it('is the named one, before that of the environment, before that of the settings', (t) => {
    const dir = programs(t, 'a', 'b', 'c');
    const [a, b, c] = [join(dir, 'a'), join(dir, 'b'), join(dir, 'c')];
    assert.equal(findRuntime({ named: a, env: { RUNTIME: b }, settings: c }), a);
    assert.equal(findRuntime({ env: { RUNTIME: b }, settings: c }), b);
    assert.equal(findRuntime({ env: { RUNTIME: '' }, settings: c }), c);
  });

  it('may be named by a word that is in PATH', (t) => {
    const dir = programs(t, 'youki');
    assert.equal(findRuntime({ named: 'youki', env: { PATH: `/nowhere:${dir}` } }), join(dir, 'youki'));
  });

  it('that is named and absent is an error, though others are there', (t) => {
    const dir = programs(t, 'crun', 'runc');
    for (const request of [
      { named: '/nowhere/runc', env: { PATH: dir } },
      { named: 'youki', env: { PATH: dir } },
      { env: { RUNTIME: `${dir}/no` } },
    ]) {
      assert.throws(() => findRuntime(request), { name: 'RuntimeError', code: 'RUNTIME_MISSING' });
    }
  });

  it('that is a folder, or may not be executed, is absent', (t) => {
    const dir = scratch(t);
    mkdirSync(join(dir, 'folder'));
    writeFileSync(join(dir, 'text'), '');
    for (const name of ['folder', 'text']) {
      assert.throws(() => findRuntime({ named: join(dir, name), env: {} }), { code: 'RUNTIME_MISSING' });
    }
  });

  it('that nobody named is runc in its usual place, else crun, else runc in PATH', (t) => {
    const [both, one] = [programs(t, 'runc', 'crun'), programs(t, 'runc')];
    assert.equal(findRuntime({ env: { PATH: both } }, join(one, 'runc')), join(one, 'runc'));
    assert.equal(findRuntime({ env: { PATH: both } }, '/nowhere/runc'), join(both, 'crun'));
    assert.equal(findRuntime({ env: { PATH: one } }, '/nowhere/runc'), join(one, 'runc'));
    assert.throws(() => findRuntime({ env: { PATH: '/nowhere' } }, '/nowhere/runc'), { code: 'RUNTIME_MISSING' });
  });

  it('has a path that can stand in a unit as it is', (t) => {
    const dir = programs(t, 'my runc', '50%');
    for (const name of ['my runc', '50%']) {
      assert.throws(() => findRuntime({ named: join(dir, name), env: {} }), { code: 'BAD_CONTAINER_PATH' });
    }
  });
});
