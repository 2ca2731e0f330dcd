import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { unpackVector, VECTORS } from '../../../../test/support/ostree-vectors.ts';
import { runNode } from '../../../../test/support/program.ts';
import { openRepository } from '../../../ostree/index.ts';

const MAIN = join(import.meta.dirname, '..', 'main.js');
const KEY = join(VECTORS, 'keys', 'ed25519-0.secret');

/** A repository with a remote `origin`, locked by this process until the test has ended. */
async function lockedRepository(t: TestContext, source: string, config: readonly string[] = []): Promise<string> {
  const path = unpackVector(t, 'delta');
  const repository = openRepository(path);
  repository.updateConfig((file) => {
    file.set('remote "origin"', 'url', `file://${source}`);
    file.set('remote "origin"', 'gpg-verify', 'false');
    for (const text of config) file.set('core', text.replace(/=.*/, ''), text.replace(/.*=/, ''));
  });
  const held = await repository.lock.acquire('exclusive', { signal: t.signal });
  t.after(() => {
    held.release();
    repository.close();
  });
  return path;
}

describe('--lock-timeout of a repository that another process has locked', () => {
  for (const line of [
    'pull origin test/main',
    'pull-local SOURCE test/main',
    'prune',
    'prune --dry-run',
    'fsck',
    'fsck --delete',
    'summary --update',
    'config set core.fsync false',
    'config unset core.fsync',
    'refs --create new test/main',
    'refs --delete test/main',
    'remote add other https://example.com/',
    'remote delete origin',
    'remote gpg-import origin -k GPGKEY',
    'remote add-cookie origin example.com / a b',
    'remote delete-cookie origin example.com / a',
    'commit -b new TREE',
    'sign --keys-file KEY test/main',
    'delta reindex',
    'delta generate --empty test/main',
  ]) {
    it(`ends repo ${line} with status 4`, async (t) => {
      const source = unpackVector(t, 'delta');
      const path = await lockedRepository(t, source);
      const places: Readonly<Record<string, string>> = {
        SOURCE: source,
        GPGKEY: join(VECTORS, 'keys', 'gpg-0.pub.asc'),
        TREE: join(VECTORS, 'keys'),
        KEY,
      };
      const words = line.split(' ').map((word) => places[word] ?? word);
      const { status, stderr } = await runNode(MAIN, ['repo', ...words, '--repo', path, '--lock-timeout', '20ms']);
      assert.equal(status, 4, stderr);
      assert.match(stderr, /locked by another process, waiting for it\n.*\.lock: still locked .* after 0\.02 s\n/s);
    });
  }

  it('is that of its configuration when the option is not given', async (t) => {
    const path = await lockedRepository(t, '/nowhere', ['lock-timeout-secs=0']);
    for (const words of [['prune'], ['delta', 'reindex'], ['sign', '--keys-file', KEY, 'test/main']]) {
      const { status, stderr } = await runNode(MAIN, ['repo', ...words, '--repo', path]);
      assert.equal(status, 4, stderr);
      assert.match(stderr, /\.lock: still locked by another process\n/, words.join(' '));
    }
  });

  it('is refused where nothing waits', async (t) => {
    const path = unpackVector(t, 'delta');
    for (const words of [['config', 'get', 'core.mode'], ['refs'], ['summary', '--view']]) {
      const { status, stderr } = await runNode(MAIN, ['repo', ...words, '--repo', path, '--lock-timeout', '1s']);
      assert.equal(status, 2, words.join(' '));
      assert.match(stderr, /--lock-timeout is for/);
    }
  });
});
