import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { findCredentials } from './find-credentials.ts';
import { askHelper } from './helper.ts';

const SECRET = 'a-very-secret-word';

/** `docker-credential-x` of this shell text; it leaves in `asked` what it was asked. */
function helper(t: TestContext, script: string) {
  const dir = scratch(t);
  writeFileSync(join(dir, 'docker-credential-x'), `#!/bin/sh\necho "$* $(cat)" >> ${dir}/asked\n${script}\n`, {
    mode: 0o755,
  });
  const env = { PATH: `${dir}:/usr/bin:/bin`, HOME: dir, AGENT: 'here' };
  const asked = () => readFileSync(join(dir, 'asked'), 'utf8').split('\n').filter(Boolean);
  return { dir, env, asked, ask: (timeoutMs = 10_000) => askHelper('x', 'quay.io', { env, timeoutMs }) };
}

const answer = (username: string, secret = SECRET) =>
  `echo '${JSON.stringify({ ServerURL: 'quay.io', Username: username, Secret: secret })}'`;

describe('a credential helper', () => {
  it('is asked for a registry on its stdin, and answers with a login or a token', async (t) => {
    const { ask, asked } = helper(t, answer('joe'));
    assert.deepEqual(await ask(), { kind: 'basic', username: 'joe', password: SECRET });
    assert.deepEqual(asked(), ['get quay.io']);
    const token = helper(t, answer('<token>'));
    assert.deepEqual(await token.ask(), { kind: 'identity-token', token: SECRET });
  });

  it('sees the environment of the user', async (t) => {
    const { ask } = helper(t, `echo "{\\"Username\\":\\"$AGENT\\",\\"Secret\\":\\"x\\"}"`);
    assert.deepEqual(await ask(), { kind: 'basic', username: 'here', password: 'x' });
  });

  it('that has none says so', async (t) => {
    assert.equal(await helper(t, 'echo credentials not found in native keychain; exit 1').ask(), undefined);
    assert.equal(await helper(t, answer('joe', '')).ask(), undefined);
  });

  for (const [what, script] of [
    ['fails', `echo ${SECRET}; exit 3`],
    ['is killed', `echo ${SECRET}; kill -9 $$`],
    ['answers in words', `echo ${SECRET}`],
    ['answers with a list', `echo '["${SECRET}"]'`],
    ['answers with half a login', `echo '{"Secret":"${SECRET}"}'`],
    ['answers with a token of two lines', answer('<token>', `${SECRET}\nx`)],
    ['answers without end', `while :; do echo ${SECRET}${SECRET}${SECRET}${SECRET}; done | head -c 200000`],
  ] as const) {
    it(`that ${what} is an error without its words`, async (t) => {
      await assert.rejects(helper(t, script).ask(), (error: Error & { code: string; subject: string }) => {
        assert.deepEqual([error.code, error.subject], ['CREDENTIAL_HELPER', 'docker-credential-x']);
        assert.ok(!`${error.message}${error.cause}`.includes(SECRET), error.message);
        return true;
      });
    });
  }

  it('is not waited for beyond its time', async (t) => {
    const started = performance.now();
    await assert.rejects(helper(t, 'sleep 60').ask(300), { code: 'CREDENTIAL_HELPER' });
    assert.ok(performance.now() - started < 20_000);
  });

  for (const name of ['../x', 'x y', 'x;y', '', 'x/y', '$(x)', 'x\n']) {
    it(`is not run as ${JSON.stringify(name)}`, async (t) => {
      const { env } = helper(t, answer('joe'));
      await assert.rejects(askHelper(name, 'quay.io', { env }), { code: 'CREDENTIAL_HELPER', subject: name });
    });
  }

  it('is not taken from the current directory', async (t) => {
    const { dir } = helper(t, answer('joe'));
    const before = process.cwd();
    process.chdir(dir);
    t.after(() => process.chdir(before));
    await assert.rejects(askHelper('x', 'quay.io', { env: { PATH: ':.:/usr/bin' } }), { code: 'CREDENTIAL_HELPER' });
  });
});

describe('a helper in a credentials file', () => {
  async function found(t: TestContext, script: string, file: object, host: string, helpers?: readonly string[]) {
    const made = helper(t, script);
    const notes: string[] = [];
    mkdirSync(join(made.dir, '.docker'));
    writeFileSync(join(made.dir, '.docker', 'config.json'), JSON.stringify(file));
    const search = {
      env: made.env,
      uid: 1000,
      root: made.dir,
      helpers,
      onNote: (text: string) => void notes.push(text),
    };
    const result = await findCredentials(search, host, 'a/b');
    return { ...result, notes, asked: made.asked };
  }
  const entry = { auth: Buffer.from('file:pw').toString('base64') };

  it('for all registries is asked where the file has no login of its own', async (t) => {
    const file = { credsStore: 'x', auths: { 'quay.io': {}, 'ghcr.io': entry } };
    const { credentials, asked, source, lookedAt } = await found(t, answer('stored'), file, 'quay.io');
    assert.deepEqual(credentials, { kind: 'basic', username: 'stored', password: SECRET });
    assert.deepEqual(
      [asked(), source, lookedAt.at(-1)],
      [['get quay.io'], 'docker-credential-x', 'docker-credential-x'],
    );
    const own = await found(t, answer('stored'), file, 'ghcr.io');
    assert.deepEqual(own.credentials, { kind: 'basic', username: 'file', password: 'pw' });
  });

  it("is asked for Docker's own registry by the name that Docker stores it under", async (t) => {
    const { asked } = await found(t, answer('hub'), { credsStore: 'x' }, 'docker.io');
    assert.deepEqual(asked(), ['get https://index.docker.io/v1/']);
    const named = { credHelpers: { 'https://index.docker.io/v1/': 'x' } };
    assert.deepEqual((await found(t, answer('hub'), named, 'docker.io')).asked(), ['get https://index.docker.io/v1/']);
  });

  it('for all registries that is not installed is only noted; for this one it is an error', async (t) => {
    const { credentials, notes } = await found(t, '', { credsStore: 'desktop' }, 'quay.io');
    assert.deepEqual([credentials, notes.length], [undefined, 1]);
    const named = found(t, '', { credHelpers: { 'quay.io': 'desktop' } }, 'quay.io');
    await assert.rejects(named, { code: 'CREDENTIAL_HELPER', subject: 'docker-credential-desktop' });
  });

  it('of registries.conf comes before or after the files, as it stands there', async (t) => {
    const file = { auths: { 'quay.io': entry } };
    const first = await found(t, answer('first'), file, 'quay.io', ['x', 'containers-auth.json']);
    assert.equal(first.source, 'docker-credential-x');
    const second = await found(t, answer('first'), file, 'quay.io', ['containers-auth.json', 'x']);
    assert.match(second.source ?? '', /config\.json$/);
    const passed = await found(t, 'exit 1', file, 'quay.io', ['x', 'containers-auth.json']);
    assert.match(passed.source ?? '', /config\.json$/);
    await assert.rejects(found(t, 'exit 1', {}, 'quay.io', ['x']), { code: 'CREDENTIAL_HELPER' });
  });
});
