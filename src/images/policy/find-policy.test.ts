import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { findPolicy, type PolicySearch } from './find-policy.ts';

const POLICY = '{"default":[{"type":"reject"}]}';

function host(t: TestContext, files: readonly string[]) {
  const root = scratch(t);
  for (const file of files) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), POLICY);
  }
  const search = (uid: number, named: Omit<PolicySearch, 'caller'> = {}): string | undefined =>
    findPolicy({ ...named, caller: { env: {}, uid, home: join(root, 'home'), root } })?.path.slice(root.length + 1);
  return { root, search };
}

const [OWN, SYSTEM] = ['home/.config/containers/policy.json', 'etc/containers/policy.json'];

describe('the policy file', () => {
  it('is the one that was named, else the user’s, else the system’s', (t) => {
    const { root, search } = host(t, [OWN, SYSTEM, 'a.json', 'b.json']);
    const [policyFile, settingsFile] = [join(root, 'a.json'), join(root, 'b.json')];
    assert.equal(search(1000, { policyFile, settingsFile }), 'a.json');
    assert.equal(search(1000, { settingsFile }), 'b.json');
    assert.equal(search(1000), OWN);
    assert.equal(search(0), SYSTEM);
  });

  it('of an ordinary user without one is the system’s, and there may be none', (t) => {
    assert.equal(host(t, [SYSTEM]).search(1000), SYSTEM);
    assert.equal(host(t, [OWN]).search(0), undefined);
    assert.equal(host(t, []).search(1000), undefined);
  });

  it('must exist when it was named, be well-formed, and be nobody else’s to write', (t) => {
    const { root, search } = host(t, [SYSTEM]);
    assert.throws(() => search(0, { policyFile: join(root, 'none.json') }), { code: 'BAD_POLICY' });
    assert.throws(() => search(0, { settingsFile: join(root, 'none.json') }), { code: 'BAD_POLICY' });
    chmodSync(join(root, SYSTEM), 0o666);
    assert.throws(() => search(0), { code: 'UNSAFE_OWNER' });
    chmodSync(join(root, SYSTEM), 0o644);
    writeFileSync(join(root, SYSTEM), '{}');
    assert.throws(() => search(0), { code: 'BAD_POLICY' });
  });
});
