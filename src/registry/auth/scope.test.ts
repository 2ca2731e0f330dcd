import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { covers, formatScopes, mergeScopes, parseScopes, repositoryScope } from './scope.ts';

describe('scopes', () => {
  it('are merged by resource, and written the same way whatever their order', () => {
    const merged = mergeScopes(
      repositoryScope('b', 'push', 'pull'),
      repositoryScope('a', 'pull'),
      repositoryScope('b', 'delete'),
    );
    assert.deepEqual(formatScopes(merged), ['repository:a:pull', 'repository:b:delete,pull,push']);
  });

  it('of a challenge are read, ports and classes included, and nonsense is left out', () => {
    const text = 'repository:host:5000/a/b:pull,push registry:catalog:* repository(plugin):x:pull nonsense a:b: :';
    assert.deepEqual(formatScopes(parseScopes(text)), [
      'registry:catalog:*',
      'repository(plugin):x:pull',
      'repository:host:5000/a/b:pull,push',
    ]);
    assert.deepEqual(formatScopes(parseScopes(undefined)), []);
    assert.deepEqual(formatScopes(parseScopes(`repository:${'x'.repeat(3000)}:pull`)), []);
  });

  it('cover less than themselves, not more', () => {
    const held = mergeScopes(repositoryScope('a', 'pull', 'push'), parseScopes('repository:b:*'));
    assert.ok(covers(held, repositoryScope('a', 'pull')));
    assert.ok(covers(held, repositoryScope('b', 'delete')));
    assert.ok(covers(held, new Map()));
    assert.ok(!covers(held, repositoryScope('a', 'delete')));
    assert.ok(!covers(held, repositoryScope('c', 'pull')));
    assert.ok(!covers(held, mergeScopes(repositoryScope('a', 'pull'), repositoryScope('c', 'pull'))));
  });
});
