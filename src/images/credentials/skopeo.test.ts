import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startFakeRegistry } from '../../../test/support/fake-registry.ts';
import { needs } from '../../../test/support/needs.ts';
import { must, run } from '../../../test/support/program.ts';
import { auths, basic, CONFIG, DOCKER, encoded, login, RUNTIME, SECRET, user } from './credentials.fixture.ts';

describe('skopeo', { skip: needs('skopeo') }, () => {
  it('logs in for us', async (t) => {
    const registry = await startFakeRegistry({ auth: { kind: 'basic', accounts: { joe: SECRET, ann: SECRET } } });
    t.after(() => registry.close());
    const { env, find, dir } = user(t);
    mkdirSync(env.XDG_RUNTIME_DIR);
    for (const [place, name] of [
      [registry.host, 'joe'],
      [`${registry.host}/a`, 'ann'],
    ] as const) {
      const words = ['login', '--tls-verify=false', `--username=${name}`, '--password-stdin', place];
      await must('skopeo', words, { env: { ...env, TMPDIR: dir }, input: SECRET });
    }
    assert.deepEqual(await find(registry.host, 'b'), basic('joe'));
    assert.deepEqual(await find(registry.host, 'a/b'), basic('ann'));
  });

  for (const [title, files, more] of [
    ['a namespace in the session', { [RUNTIME]: auths({ 'HOST/a': login('ns'), HOST: login('host') }) }, {}],
    ['an empty entry', { [RUNTIME]: auths({ HOST: {} }), [DOCKER]: auths({ HOST: login('docker') }) }, {}],
    [
      'an entry without colon',
      { [RUNTIME]: auths({ HOST: { auth: 'YWJj' } }), [DOCKER]: auths({ HOST: login('d') }) },
      {},
    ],
    ['a URL in .dockercfg', { 'home/.dockercfg': { 'https://HOST/v1/': login('cfg') } }, {}],
    ['another namespace', { [RUNTIME]: auths({ 'HOST/c': login('c') }), [CONFIG]: auths({ HOST: login('h') }) }, {}],
    [
      '--authfile',
      { 'f.json': auths({}), [RUNTIME]: auths({ HOST: login('r') }), [CONFIG]: auths({ HOST: login('c') }) },
      { authFile: 'f.json' },
    ],
    [
      'a helper',
      {
        [RUNTIME]: { credHelpers: { HOST: 'x' }, auths: { HOST: login('passed-over') } },
        'bin/docker-credential-x': 'ANSWER',
      },
      {},
    ],
    [
      'a helper that knows nothing',
      {
        [RUNTIME]: { credHelpers: { HOST: 'x' } },
        [CONFIG]: auths({ HOST: login('c') }),
        'bin/docker-credential-x': 'NOTHING',
      },
      {},
    ],
  ] as const satisfies readonly (readonly [string, object, { readonly authFile?: string }])[]) {
    it(`sends what is found here: ${title}`, async (t) => {
      const registry = await startFakeRegistry({ auth: { kind: 'basic', accounts: {} } });
      t.after(() => registry.close());
      const { dir, write, env, find } = user(t);
      for (const [name, content] of Object.entries(files)) {
        if (typeof content !== 'string') write(name, JSON.stringify(content).replaceAll('HOST', registry.host));
        else if (content === 'ANSWER')
          write(name, `#!/bin/sh\necho '{"Username":"helped","Secret":"${SECRET}"}'\n`, 0o755);
        else write(name, '#!/bin/sh\necho credentials not found in native keychain\nexit 1\n', 0o755);
      }
      const authFile = 'authFile' in more ? join(dir, more.authFile) : undefined;
      const words = authFile === undefined ? [] : [`--authfile=${authFile}`];
      mkdirSync(env.HOME, { recursive: true });
      const options = ['inspect', '--tls-verify=false', ...words, `docker://${registry.host}/a/b:1`];
      await run('skopeo', options, { env: { ...env, TMPDIR: dir }, cwd: dir });
      const sent = registry.requests.map(({ headers }) => headers.authorization).find((value) => value !== undefined);
      const found = await find(registry.host, 'a/b', { authFile });
      assert.ok(found?.kind === 'basic');
      assert.equal(sent, `Basic ${encoded(found.username, found.password)}`);
    });
  }
});
