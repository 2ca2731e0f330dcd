import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { unitArgument } from './service.ts';

describe('the name of a service for systemctl', () => {
  it('is that of the container, as people write it', () => {
    assert.deepEqual(['etcd', 'etcd.0', 'my.app'].map(unitArgument), ['etcd', 'etcd.0', 'my.app']);
  });

  it('has its type where it would be taken for a unit of another type', () => {
    assert.deepEqual(['a.timer', 'b.service'].map(unitArgument), ['a.timer.service', 'b.service.service']);
  });
});
