import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { array, bytes, type Vardict, variantOf } from '../../gvariant/index.ts';
import { generateSecretKey } from '../../trust/index.ts';
import { decodeDetached, ED25519_SIGNATURES, GPG_SIGNATURES } from '../objects/detached.ts';
import type { Repository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { explicitPolicy, type PolicyOptions, remotePolicy } from './remote-policy.ts';
import { keyPath, keyText, REFS, signedRepository, writeList } from './signatures.fixture.ts';
import type { Verifier } from './verifier.ts';

const ED25519_KEY = `verification-ed25519-key=${keyText('ed25519-0.public')}`;

/** The code with which each of these refs is refused, undefined where it is accepted. */
async function verdicts(repository: Repository, verifier: Verifier, refs = Object.keys(REFS)) {
  const found: Record<string, string | undefined> = {};
  for (const ref of refs) found[ref] = await verdict(repository, verifier, REFS[ref] ?? '');
  return found;
}

async function verdict(repository: Repository, verifier: Verifier, commit: string): Promise<string | undefined> {
  const reader = objectsOf(repository);
  try {
    await verifier.verify(reader.metadata(commit, 'commit'), reader.detached(commit), `commit ${commit}`);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && 'subject' in error);
    assert.equal(error.subject, `commit ${commit}`);
    return String(error.code);
  }
}

async function policyFor(t: TestContext, settings: readonly string[], keyring?: string, options: PolicyOptions = {}) {
  const repository = signedRepository(t, settings, keyring);
  // No lists of this machine.
  const keyFolders = options.keyFolders ?? [scratch(t)];
  return { repository, policy: await remotePolicy(repository, 'origin', { ...options, keyFolders }) };
}

const GPG_0 = {
  both: undefined,
  'ed25519-one': 'SIGNATURE_MISSING',
  'ed25519-other': 'SIGNATURE_MISSING',
  forged: 'SIGNATURE_INVALID',
  'gpg-ed25519': 'SIGNATURE_INVALID',
  'gpg-rsa': undefined,
  'gpg-two': undefined,
  'gpg-untrusted': 'SIGNATURE_INVALID',
  unsigned: 'SIGNATURE_MISSING',
};
const ED25519_0 = {
  both: undefined,
  'ed25519-one': undefined,
  'ed25519-other': 'SIGNATURE_INVALID',
  forged: 'SIGNATURE_INVALID',
  'gpg-ed25519': 'SIGNATURE_MISSING',
  'gpg-rsa': 'SIGNATURE_MISSING',
  'gpg-two': 'SIGNATURE_MISSING',
  'gpg-untrusted': 'SIGNATURE_MISSING',
  unsigned: 'SIGNATURE_MISSING',
};

describe('the policy of a remote', () => {
  it('asks for an OpenPGP signature of every commit when nothing else is said, and for none of the summary', async (t) => {
    const { repository, policy } = await policyFor(t, [], 'gpg-0.pub.gpg');
    assert.deepEqual([policy.commits.isRequired, policy.summary.isRequired], [true, false]);
    assert.deepEqual(await verdicts(repository, policy.commits), GPG_0);
    assert.deepEqual(await policy.summary.verify(new Uint8Array(), [], 'summary'), []);
  });
  it('takes the other key for what it signed, and for nothing else', async (t) => {
    const { repository, policy } = await policyFor(t, [], 'gpg-1.pub.gpg');
    const refs = ['gpg-rsa', 'gpg-ed25519', 'gpg-two', 'both'];
    assert.deepEqual(await verdicts(repository, policy.commits, refs), {
      'gpg-rsa': 'SIGNATURE_INVALID',
      'gpg-ed25519': undefined,
      'gpg-two': 'SIGNATURE_INVALID',
      both: 'SIGNATURE_INVALID',
    });
  });
  it('with gpg-verify=false and nothing else accepts everything', async (t) => {
    const { repository, policy } = await policyFor(t, ['gpg-verify=false']);
    assert.equal(policy.commits.isRequired, false);
    assert.equal(await verdict(repository, policy.commits, REFS['forged'] ?? ''), undefined);
  });
  for (const setting of ['true', '1', 'ed25519', 'ed25519;spki;']) {
    it(`with sign-verify=${setting} asks for ed25519 signatures by the key of the remote`, async (t) => {
      const { repository, policy } = await policyFor(t, ['gpg-verify=false', `sign-verify=${setting}`, ED25519_KEY]);
      assert.deepEqual(await verdicts(repository, policy.commits), ED25519_0);
    });
  }
  it('with both kinds asks for both', async (t) => {
    const { repository, policy } = await policyFor(t, ['sign-verify=true', ED25519_KEY], 'gpg-0.pub.gpg');
    const found = await verdicts(repository, policy.commits);
    assert.deepEqual(
      Object.keys(found).filter((ref) => found[ref] === undefined),
      ['both'],
    );
  });
  it('refuses a kind of signatures that it does not know', async (t) => {
    const failure = policyFor(t, ['sign-verify=ed25519;dummy']);
    await assert.rejects(failure, { code: 'CONFIG_MALFORMED', subject: 'dummy' });
  });
  it('for the summary holds its signatures against its own bytes', async (t) => {
    const settings = ['gpg-verify-summary=true', 'sign-verify-summary=ed25519', ED25519_KEY];
    const { repository, policy } = await policyFor(t, settings, 'gpg-0.pub.gpg');
    const summary = readFileSync(join(repository.path, 'summary'));
    const signatures = decodeDetached(readFileSync(join(repository.path, 'summary.sig')), 'summary.sig');
    const reports = await policy.summary.verify(summary, signatures, 'summary');
    assert.deepEqual(
      reports.map(({ kind, status }) => `${kind} ${status}`),
      ['gpg good', 'ed25519 good'],
    );
    const changed = Buffer.from(summary);
    changed.writeUInt8(changed.readUInt8(0) ^ 1, 0);
    await assert.rejects(policy.summary.verify(changed, signatures, 'summary'), { code: 'SIGNATURE_INVALID' });
  });
  it('refuses a remote that there is none of', async (t) => {
    await assert.rejects(remotePolicy(signedRepository(t, []), 'other'), { code: 'REMOTE_UNKNOWN' });
  });
});

describe('the keys of a remote', () => {
  it('are in gpgkeypath too: files and folders, binary and armored, between semicolons or commas', async (t) => {
    const folder = scratch(t);
    writeFileSync(join(folder, 'one.asc'), readFileSync(keyPath('gpg-1.pub.asc')));
    writeFileSync(join(folder, '.hidden.gpg'), readFileSync(keyPath('gpg-2.pub.gpg')));
    for (const separator of [';', ',']) {
      const path = [keyPath('gpg-0.pub.gpg'), folder].join(separator);
      const { repository, policy } = await policyFor(t, [`gpgkeypath=${path}`]);
      assert.deepEqual(await verdicts(repository, policy.commits), { ...GPG_0, 'gpg-ed25519': undefined });
    }
  });
  it('of gpgkeypath must be there', async (t) => {
    await assert.rejects(policyFor(t, ['gpgkeypath=/nonexistent/key.gpg']), { code: 'ENOENT' });
  });
  it('are those of the system only while the remote has no keyring of its own', async (t) => {
    const folder = scratch(t);
    writeFileSync(join(folder, 'vendor.gpg'), readFileSync(keyPath('gpg-0.pub.gpg')));
    writeFileSync(join(folder, 'trustdb.gpg'), readFileSync(keyPath('gpg-1.pub.gpg')));
    writeFileSync(join(folder, 'vendor.asc'), readFileSync(keyPath('gpg-1.pub.asc')));
    const before = process.env['OSTREE_GPG_HOME'];
    process.env['OSTREE_GPG_HOME'] = folder;
    t.after(() => {
      if (before === undefined) delete process.env['OSTREE_GPG_HOME'];
      else process.env['OSTREE_GPG_HOME'] = before;
    });
    const without = await policyFor(t, []);
    assert.deepEqual(await verdicts(without.repository, without.policy.commits), GPG_0);
    const having = await policyFor(t, [], 'gpg-2.pub.gpg');
    assert.equal(await verdict(having.repository, having.policy.commits, REFS['gpg-rsa'] ?? ''), 'SIGNATURE_INVALID');
  });
  it('of ed25519 come from a file, one a line, beside the one in the configuration', async (t) => {
    const folder = scratch(t);
    writeList(folder, 'keys', ['', keyText('ed25519-1.public'), '  ']);
    const settings = ['gpg-verify=false', 'sign-verify=true', `verification-ed25519-file=${folder}/keys`];
    const file = await policyFor(t, settings);
    const both = await policyFor(t, [...settings, ED25519_KEY]);
    const refs = ['ed25519-one', 'ed25519-other'];
    assert.deepEqual(await verdicts(file.repository, file.policy.commits, refs), {
      'ed25519-one': 'SIGNATURE_INVALID',
      'ed25519-other': undefined,
    });
    assert.deepEqual(await verdicts(both.repository, both.policy.commits, refs), {
      'ed25519-one': undefined,
      'ed25519-other': undefined,
    });
  });
  it('of ed25519 are the lists of the system when the remote names none, less what is revoked', async (t) => {
    const folder = scratch(t);
    mkdirSync(join(folder, 'trusted.ed25519.d'));
    writeList(folder, 'trusted.ed25519', [keyText('ed25519-0.public')]);
    writeList(folder, 'trusted.ed25519.d/more', [keyText('ed25519-1.public')]);
    const settings = ['gpg-verify=false', 'sign-verify=true'];
    const refs = ['ed25519-one', 'ed25519-other'];
    const before = await policyFor(t, settings, undefined, { keyFolders: [folder] });
    assert.deepEqual(await verdicts(before.repository, before.policy.commits, refs), {
      'ed25519-one': undefined,
      'ed25519-other': undefined,
    });
    writeList(folder, 'revoked.ed25519', [keyText('ed25519-1.public')]);
    const after = await policyFor(t, settings, undefined, { keyFolders: ['/nonexistent', folder] });
    assert.deepEqual(await verdicts(after.repository, after.policy.commits, refs), {
      'ed25519-one': undefined,
      'ed25519-other': 'SIGNATURE_INVALID',
    });
  });
  it('that the system revokes are revoked even where the remote names them itself', async (t) => {
    const folder = scratch(t);
    writeList(folder, 'revoked.ed25519', [keyText('ed25519-0.public')]);
    const settings = ['gpg-verify=false', 'sign-verify=true', ED25519_KEY];
    const { repository, policy } = await policyFor(t, settings, undefined, { keyFolders: [folder] });
    const commit = REFS['ed25519-one'] ?? '';
    const reader = objectsOf(repository);
    const failure = policy.commits.verify(reader.metadata(commit, 'commit'), reader.detached(commit), 'it');
    await assert.rejects(failure, (error: Error & { code?: string }) => {
      assert.match(error.message, /revoked key: key is revoked/);
      return error.code === 'SIGNATURE_INVALID';
    });
  });
  it('in a list of revoked ones that cannot be read let nothing pass', async (t) => {
    const folder = scratch(t);
    writeList(folder, 'revoked.ed25519', ['not a key']);
    const settings = ['gpg-verify=false', 'sign-verify=true', ED25519_KEY];
    const failure = policyFor(t, settings, undefined, { keyFolders: [folder] });
    await assert.rejects(failure, { code: 'CONFIG_MALFORMED', subject: `${folder}/revoked.ed25519 line 1` });
  });
});

describe('a policy from the command line', () => {
  it('asks for what it says with the keys of a remote, whatever the remote itself asks for', async (t) => {
    const repository = signedRepository(t, ['gpg-verify=false'], 'gpg-0.pub.gpg');
    const policy = await explicitPolicy(repository, { gpgVerify: true }, { remote: 'origin' });
    assert.deepEqual(await verdicts(repository, policy.commits), GPG_0);
    assert.equal(policy.summary.isRequired, false);
  });
  it('without a remote uses the keys of the system', async (t) => {
    const repository = signedRepository(t, [], 'gpg-0.pub.gpg');
    const folder = scratch(t);
    writeList(folder, 'trusted.ed25519', [keyText('ed25519-0.public')]);
    const policy = await explicitPolicy(repository, { signVerify: { kind: 'any' } }, { keyFolders: [folder] });
    assert.deepEqual(await verdicts(repository, policy.commits), ED25519_0);
  });
});

describe('a refusal', () => {
  const refusalOf = async (verifier: Verifier, data: Uint8Array, signatures: Vardict) => {
    let refusal: (Error & { code?: string; hint?: string }) | undefined;
    await verifier.verify(data, signatures, 'commit it').catch((error: Error) => {
      refusal = error;
    });
    return refusal ?? assert.fail('accepted');
  };
  const signed = (key: string, ...signatures: readonly Uint8Array[]): Vardict => [
    [key, variantOf(array(bytes), signatures)],
  ];

  it('names the key that is unknown, and how to add it', async (t) => {
    const { repository, policy } = await policyFor(t, [], 'gpg-0.pub.gpg');
    const commit = REFS['gpg-untrusted'] ?? '';
    const reader = objectsOf(repository);
    const refusal = await refusalOf(policy.commits, reader.metadata(commit, 'commit'), reader.detached(commit));
    assert.match(refusal.message, /gpg-verify of remote origin: gpg signature by 1FA97BBC6F76DEC9: unknown key/);
    assert.match(refusal.hint ?? '', /remote gpg-import origin/);
  });
  it('says so when there is no key at all', async (t) => {
    const { repository, policy } = await policyFor(t, []);
    const commit = REFS['gpg-rsa'] ?? '';
    const reader = objectsOf(repository);
    const refusal = await refusalOf(policy.commits, reader.metadata(commit, 'commit'), reader.detached(commit));
    assert.match(refusal.message, /there is no key to check it with/);
  });
  it('names a signature of a wrong length, and one good signature beside it is enough', async (t) => {
    const secret = generateSecretKey();
    const text = Buffer.from(secret.publicKey.raw).toString('base64');
    const settings = ['gpg-verify=false', 'sign-verify=true', `verification-ed25519-key=${text}`];
    const { policy } = await policyFor(t, settings);
    const data = Buffer.from('data');
    const short = new Uint8Array(63);
    const refusal = await refusalOf(policy.commits, data, signed(ED25519_SIGNATURES, short));
    assert.match(refusal.message, /bad: expected 64 bytes, found 63/);
    const reports = await policy.commits.verify(data, signed(ED25519_SIGNATURES, short, secret.sign(data)), 'it');
    assert.deepEqual(
      reports.map(({ status, key }) => [status, key]),
      [
        ['bad', undefined],
        ['good', text],
      ],
    );
  });
  it('of a thousand signatures tells a few, and looks at no more than some hundred', async (t) => {
    const { policy } = await policyFor(t, [], 'gpg-0.pub.gpg');
    const many = Array.from({ length: 1000 }, () => Buffer.from([1, 2, 3]));
    const refusal = await refusalOf(policy.commits, Buffer.from('data'), signed(GPG_SIGNATURES, ...many));
    assert.equal(refusal.code, 'SIGNATURE_INVALID');
    assert.match(refusal.message, /257 signatures, none good/);
    assert.ok(refusal.message.length < 2000, `${refusal.message.length}`);
  });
  it('of an entry that holds no array of signatures is that there is none', async (t) => {
    const { policy } = await policyFor(t, [], 'gpg-0.pub.gpg');
    const odd: Vardict = [[GPG_SIGNATURES, variantOf(bytes, Buffer.from('x'))]];
    assert.equal((await refusalOf(policy.commits, Buffer.from('data'), odd)).code, 'SIGNATURE_MISSING');
  });
});
