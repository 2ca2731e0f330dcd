/** Signatures made by the programs `ostree` and `gpg`, judged by us, and the other way around. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import {
  decodeDetached,
  encodeDetached,
  GPG_SIGNATURES,
  signaturesOf,
  withSignature,
} from '../../src/ostree/objects/detached.ts';
import { openRepository } from '../../src/ostree/repository/repository.ts';
import { remotePolicy } from '../../src/ostree/signatures/remote-policy.ts';
import { objectsOf } from '../../src/ostree/storage/object-reader.ts';
import { type GpgHome, gpgHome } from '../../src/trust/openpgp/gpg.fixture.ts';
import { needs } from '../support/needs.ts';
import { unpackVector, VECTORS, vectorManifest } from '../support/ostree-vectors.ts';
import { CHECKOUT, must, run, runNode } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

const peers = { skip: needs('ostree', 'gpg') };
const MAIN = join(CHECKOUT, 'dist', 'src', 'cli', 'ostree-container', 'main.js');
const REFS = vectorManifest().signed.refs;
const keyFile = (name: string): string => join(VECTORS, 'keys', name);

const ostree = (repository: string, ...words: readonly string[]) =>
  must('ostree', [...words.slice(0, 1), `--repo=${repository}`, ...words.slice(1)]);

async function ours(...words: readonly string[]) {
  const ended = await runNode(MAIN, ['repo', ...words]);
  assert.equal(ended.status, 0, ended.stderr);
  return ended;
}

/** A repository with one commit on `main`. */
async function committed(t: TestContext): Promise<{ readonly repository: string; readonly commit: string }> {
  const folder = scratch(t);
  const repository = join(folder, 'repo');
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  writeFileSync(join(tree, 'file'), 'content');
  await must('ostree', ['init', `--repo=${repository}`, '--mode=archive']);
  const { stdout } = await ostree(repository, 'commit', '--branch=main', '--no-xattrs', `--tree=dir=${tree}`);
  return { repository, commit: stdout.trim() };
}

/** In a home of GnuPG the program ostree looks for `*.gpg` only, and not into the keybox. */
function exportKeyring(home: GpgHome): void {
  writeFileSync(join(home.dir, 'exported.gpg'), home.publicKeys());
}

interface Client {
  readonly path: string;
  /** Does the program ostree pull it? */
  theirs(ref: string): Promise<boolean>;
  /** Does our policy of the same remote accept the commit? */
  ours(commit: string): Promise<boolean>;
}

/** A repository with the remote `origin`, which has this keyring. */
async function client(
  t: TestContext,
  origin: string,
  keyring: Uint8Array,
  settings: readonly string[] = [],
): Promise<Client> {
  const path = join(scratch(t), 'client');
  await must('ostree', ['init', `--repo=${path}`, '--mode=archive']);
  const options = settings.map((setting) => `--set=${setting}`);
  await must('ostree', [
    'remote',
    'add',
    `--repo=${path}`,
    '--set=gpg-verify=true',
    ...options,
    'origin',
    `file://${origin}`,
  ]);
  writeFileSync(join(path, 'origin.trustedkeys.gpg'), keyring);
  return {
    path,
    async theirs(ref) {
      return (await run('ostree', ['pull', `--repo=${path}`, 'origin', ref])).status === 0;
    },
    async ours(commit) {
      const [configured, held] = [openRepository(path), openRepository(origin)];
      try {
        const { commits } = await remotePolicy(configured, 'origin');
        const reader = objectsOf(held);
        await commits.verify(reader.metadata(commit, 'commit'), reader.detached(commit), commit);
        return true;
      } catch (error) {
        assert.ok(
          error instanceof Error && 'code' in error && String(error.code).startsWith('SIGNATURE_'),
          String(error),
        );
        return false;
      } finally {
        configured.close();
        held.close();
      }
    },
  };
}

describe('the signed vectors', peers, () => {
  for (const [what, names] of [
    ['the first key', ['gpg-0']],
    ['the second key', ['gpg-1']],
    ['both keys that are to be trusted', ['gpg-0', 'gpg-1']],
    ['the key that is not to be trusted', ['gpg-2']],
  ] as const) {
    it(`with ${what} are accepted and refused as the program ostree does it`, async (t) => {
      const origin = unpackVector(t, 'signed');
      const keyring = Buffer.concat(names.map((name) => readFileSync(keyFile(`${name}.pub.gpg`))));
      const { theirs, ours: verdict } = await client(t, origin, keyring);
      for (const [ref, commit] of Object.entries(REFS)) assert.equal(await verdict(commit), await theirs(ref), ref);
    });
  }
  it('are pulled in this wise with the first key: gpg-rsa, gpg-two and both, nothing else', async (t) => {
    const { ours: verdict } = await client(t, unpackVector(t, 'signed'), readFileSync(keyFile('gpg-0.pub.gpg')));
    const accepted: string[] = [];
    for (const [ref, commit] of Object.entries(REFS)) if (await verdict(commit)) accepted.push(ref);
    assert.deepEqual(accepted.sort(), ['both', 'gpg-rsa', 'gpg-two']);
  });
});

describe('our own pull', peers, () => {
  it('with both kinds of signatures asked for takes the commit that has both, and refuses the others with status 3', async (t) => {
    const ed25519 = readFileSync(keyFile('ed25519-0.public'), 'latin1').trim();
    const settings = ['sign-verify=ed25519', `verification-ed25519-key=${ed25519}`];
    const keyring = readFileSync(keyFile('gpg-0.pub.gpg'));
    const { path } = await client(t, unpackVector(t, 'signed'), keyring, settings);
    const found: Record<string, unknown> = {};
    for (const ref of ['both', 'gpg-rsa', 'ed25519-one', 'forged', 'unsigned']) {
      const { status, stdout } = await runNode(MAIN, ['repo', 'pull', `--repo=${path}`, '--json', 'origin', ref]);
      found[ref] = status === 0 ? status : [status, JSON.parse(stdout).code];
    }
    assert.deepEqual(found, {
      both: 0,
      'gpg-rsa': [3, 'SIGNATURE_MISSING'],
      'ed25519-one': [3, 'SIGNATURE_MISSING'],
      forged: [3, 'SIGNATURE_INVALID'],
      unsigned: [3, 'SIGNATURE_MISSING'],
    });
  });
});

describe('a commit', peers, () => {
  it('signed by "ostree gpg-sign" and by "ostree commit --gpg-sign" is accepted by us', async (t) => {
    const home = gpgHome(t);
    const id = home.makeKey('One <one@example.com>', 'ed25519');
    const { repository, commit } = await committed(t);
    await ostree(repository, 'gpg-sign', `--gpg-homedir=${home.dir}`, commit, id);
    const words = [`--gpg-homedir=${home.dir}`, `--gpg-sign=${id}`, '--branch=second', '--tree=ref=main'];
    const second = (await ostree(repository, 'commit', ...words)).stdout.trim();
    const { ours: verdict } = await client(t, repository, home.publicKeys(id));
    assert.deepEqual([await verdict(commit), await verdict(second)], [true, true]);
  });
  for (const algorithm of ['ed25519', 'rsa2048', 'nistp256'] as const) {
    it(`signed by us with a ${algorithm} key, by gpg and without it, is accepted by "ostree show" and "ostree pull"`, async (t) => {
      const home = gpgHome(t);
      const id = home.makeKey('One <one@example.com>', algorithm);
      const secret = join(scratch(t), 'secret');
      writeFileSync(secret, home.secretKeys(id));
      exportKeyring(home);
      for (const words of [['one@example.com', `--gpg-homedir=${home.dir}`], [`--gpg-key-file=${secret}`]]) {
        const { repository, commit } = await committed(t);
        await ours('gpg-sign', `--repo=${repository}`, 'main', ...words);
        const shown = await ostree(repository, 'show', `--gpg-homedir=${home.dir}`, 'main');
        assert.match(shown.stdout, /Found 1 signature:[\s\S]*Good signature from "One <one@example.com>"/);
        const { theirs, ours: verdict } = await client(t, repository, home.publicKeys(id));
        assert.deepEqual([await theirs('main'), await verdict(commit)], [true, true]);
      }
    });
  }
  it('signed by us while it is made is accepted by "ostree pull", with both kinds of signatures in it', async (t) => {
    const home = gpgHome(t);
    const id = home.makeKey('One <one@example.com>', 'ed25519');
    const { repository } = await committed(t);
    const keys = [`--gpg-homedir=${home.dir}`, `--gpg-sign=${id}`, `--sign-from-file=${keyFile('ed25519-0.secret')}`];
    await ours('commit', `--repo=${repository}`, '--branch=second', '--tree=ref=main', ...keys);
    const { theirs } = await client(t, repository, home.publicKeys(id));
    assert.equal(await theirs('second'), true);
    await ours('sign', `--repo=${repository}`, '--verify', `--keys-file=${keyFile('ed25519-0.public')}`, 'second');
  });
  it('signed by both sides keeps both signatures, and either side deletes that of the other', async (t) => {
    const home = gpgHome(t);
    const [a, b] = [home.makeKey('A <a@example.com>', 'ed25519'), home.makeKey('B <b@example.com>', 'ed25519')];
    const { repository, commit } = await committed(t);
    // The program ostree deletes only what keys of the repository's own keyrings made.
    writeFileSync(join(repository, 'some.trustedkeys.gpg'), home.publicKeys());
    const at = `--gpg-homedir=${home.dir}`;
    const count = (): number => {
      const held = openRepository(repository);
      const found = signaturesOf(objectsOf(held).detached(commit), GPG_SIGNATURES).length;
      held.close();
      return found;
    };
    await ostree(repository, 'gpg-sign', at, 'main', a);
    await ours('gpg-sign', `--repo=${repository}`, at, 'main', b);
    assert.equal(count(), 2);
    await ostree(repository, 'gpg-sign', '--delete', at, 'main', b);
    assert.equal(count(), 1);
    await ours('gpg-sign', `--repo=${repository}`, '--delete', at, 'main', 'a@example.com');
    assert.equal(count(), 0);
    assert.match((await ostree(repository, 'show', 'main')).stdout, /^commit /);
  });
});

describe('a summary', peers, () => {
  const summaryVerdict = async (path: string, origin: string): Promise<string> => {
    const configured = openRepository(path);
    try {
      const { summary } = await remotePolicy(configured, 'origin');
      const signatures = decodeDetached(readFileSync(join(origin, 'summary.sig')), 'summary.sig');
      return (await summary.verify(readFileSync(join(origin, 'summary')), signatures, 'summary'))
        .map((r) => r.status)
        .join();
    } finally {
      configured.close();
    }
  };

  it('signed by "ostree summary" is accepted by us, and refused when another one lies beside its signature', async (t) => {
    const home = gpgHome(t);
    const id = home.makeKey('One <one@example.com>', 'rsa2048');
    const { repository } = await committed(t);
    await ostree(repository, 'summary', '--update', `--gpg-homedir=${home.dir}`, `--gpg-sign=${id}`);
    const { path } = await client(t, repository, home.publicKeys(id), ['gpg-verify-summary=true']);
    assert.equal(await summaryVerdict(path, repository), 'good');
    copyFileSync(join(unpackVector(t, 'signed'), 'summary'), join(repository, 'summary'));
    await assert.rejects(summaryVerdict(path, repository), { code: 'SIGNATURE_INVALID' });
  });
  it('signed by us is accepted by "ostree pull"', async (t) => {
    const home = gpgHome(t);
    const id = home.makeKey('One <one@example.com>', 'ed25519');
    const { repository, commit } = await committed(t);
    const at = `--gpg-homedir=${home.dir}`;
    await ours('gpg-sign', `--repo=${repository}`, at, commit, id);
    await ours('summary', `--repo=${repository}`, '--update', at, `--gpg-sign=${id}`);
    const { path, theirs } = await client(t, repository, home.publicKeys(id), ['gpg-verify-summary=true']);
    assert.equal(await theirs('main'), true);
    assert.equal(await summaryVerdict(path, repository), 'good');
    const { theirs: stranger } = await client(t, repository, readFileSync(keyFile('gpg-0.pub.gpg')), [
      'gpg-verify-summary=true',
    ]);
    assert.equal(await stranger('main'), false);
  });
});

/** How a signature over the commit comes about, and the keyring in which the key then is. */
interface Situation {
  readonly what: string;
  readonly make: (
    home: GpgHome,
    commit: Uint8Array,
  ) => { readonly signature: Uint8Array; readonly keyring: Uint8Array };
  readonly theirs: boolean;
  readonly ours: boolean;
}

const PAST = '20200101T000000';
const FUTURE = '20400101T000000';

const SITUATIONS: readonly Situation[] = [
  {
    what: 'by a key that has expired since',
    make(home, commit) {
      const id = home.makeKey('Old <old@example.com>', 'ed25519', '1y', PAST);
      const signature = home.sign(commit, id, [], PAST);
      return { signature, keyring: home.publicKeys(id) };
    },
    theirs: false,
    ours: false,
  },
  {
    what: 'by a key that has expired and was prolonged',
    make(home, commit) {
      const id = home.makeKey('Old <old@example.com>', 'ed25519', '1y', PAST);
      const signature = home.sign(commit, id, [], PAST);
      home.gpg(['--batch', '--quick-set-expire', id, '20y']);
      return { signature, keyring: home.publicKeys(id) };
    },
    theirs: true,
    ours: true,
  },
  {
    what: 'by a key that has been revoked since',
    make(home, commit) {
      const id = home.makeKey('Gone <gone@example.com>', 'ed25519');
      const signature = home.sign(commit, id);
      home.revoke(id);
      return { signature, keyring: home.publicKeys(id) };
    },
    theirs: false,
    ours: false,
  },
  {
    what: 'that has expired',
    make(home, commit) {
      const id = home.makeKey('One <one@example.com>', 'ed25519', 'never', PAST);
      const signature = home.sign(commit, id, ['--default-sig-expire', '1y'], PAST);
      return { signature, keyring: home.publicKeys(id) };
    },
    theirs: false,
    ours: false,
  },
  {
    what: 'by a signing subkey',
    make(home, commit) {
      const id = home.makeKey('One <one@example.com>', 'ed25519');
      const subkey = home.addSubkey(id, 'rsa2048');
      return { signature: home.sign(commit, `${subkey}!`), keyring: home.publicKeys(id) };
    },
    theirs: true,
    ours: true,
  },
  {
    what: 'by a signing subkey that has expired since',
    make(home, commit) {
      const id = home.makeKey('One <one@example.com>', 'ed25519', 'never', PAST);
      const subkey = home.addSubkey(id, 'ed25519', '1y', PAST);
      return { signature: home.sign(commit, `${subkey}!`, [], PAST), keyring: home.publicKeys(id) };
    },
    theirs: false,
    ours: false,
  },
  {
    what: 'over other bytes',
    make(home) {
      const id = home.makeKey('One <one@example.com>', 'ed25519');
      return { signature: home.sign(Buffer.from('other'), id), keyring: home.publicKeys(id) };
    },
    theirs: false,
    ours: false,
  },
  {
    what: 'with a SHA-1 digest',
    make(home, commit) {
      const id = home.makeKey('One <one@example.com>', 'rsa2048');
      return { signature: home.sign(commit, id, ['--digest-algo', 'SHA1']), keyring: home.publicKeys(id) };
    },
    theirs: true,
    ours: false,
  },
  {
    what: 'by an RSA key of 1024 bits',
    make(home, commit) {
      const id = home.makeKey('One <one@example.com>', 'rsa1024');
      return { signature: home.sign(commit, id), keyring: home.publicKeys(id) };
    },
    theirs: true,
    ours: false,
  },
  {
    what: 'over text',
    make(home, commit) {
      const id = home.makeKey('One <one@example.com>', 'rsa2048');
      return { signature: home.sign(commit, id, ['--textmode']), keyring: home.publicKeys(id) };
    },
    theirs: true,
    ours: false,
  },
  {
    what: 'that was made in the future',
    make(home, commit) {
      const id = home.makeKey('One <one@example.com>', 'ed25519');
      return { signature: home.sign(commit, id, [], FUTURE), keyring: home.publicKeys(id) };
    },
    theirs: true,
    ours: false,
  },
];

describe('a commit with a signature', peers, () => {
  for (const { what, make, theirs, ours: expected } of SITUATIONS) {
    const who = (accepts: boolean): string => (accepts ? 'accepted' : 'refused');
    it(`${what} is ${who(expected)} by us, and ${who(theirs)} by the program ostree`, async (t) => {
      const { repository, commit } = await committed(t);
      const object = join(repository, 'objects', commit.slice(0, 2), commit.slice(2));
      const { signature, keyring } = make(gpgHome(t), readFileSync(`${object}.commit`));
      writeFileSync(`${object}.commitmeta`, encodeDetached(withSignature([], GPG_SIGNATURES, signature)));
      const side = await client(t, repository, keyring);
      assert.deepEqual(
        { theirs: await side.theirs('main'), ours: await side.ours(commit) },
        { theirs, ours: expected },
      );
    });
  }
});
