import assert from 'node:assert/strict';
import { verify, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { needs } from './needs.ts';
import { startTokenServer } from './token-server.ts';

interface Answer {
  readonly token: string;
  readonly expires_in: number;
  readonly refresh_token?: string;
}

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

describe('the token server', { skip: needs('openssl') }, () => {
  it('signs what the user may do with a repository, and nothing more', async (t) => {
    const server = await startTokenServer({ accounts: { joe: 'secret' }, expiresIn: 60 });
    t.after(() => server.close());
    const ask = async (authorization?: string) => {
      const scope = 'scope=repository:a/b:pull,push&scope=repository:c:pull';
      const headers = authorization === undefined ? {} : { authorization };
      return fetch(`${server.realm}?service=${server.service}&${scope}`, { headers });
    };
    const { token, expires_in } = (await (await ask()).json()) as Answer;
    assert.equal(expires_in, 60);
    const { access, aud, iss, exp, iat } = claimsOf(token);
    assert.deepEqual([aud, iss, exp - iat], [server.service, server.issuer, 60]);
    assert.deepEqual(access, [
      { type: 'repository', name: 'a/b', actions: ['pull'] },
      { type: 'repository', name: 'c', actions: ['pull'] },
    ]);
    const [head, body, signature = ''] = token.split('.');
    const key = new X509Certificate(readFileSync(server.certificate)).publicKey;
    const data = Buffer.from(`${head}.${body}`);
    assert.ok(verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')));
    const basic = (password: string) => `Basic ${Buffer.from(`joe:${password}`).toString('base64')}`;
    const known = (await (await ask(basic('secret'))).json()) as Answer;
    assert.deepEqual(claimsOf(known.token).access[0].actions, ['pull', 'push']);
    assert.equal((await ask(basic('guessed'))).status, 401);
    assert.deepEqual(
      server.requests.map(({ status }) => status),
      [200, 200, 401],
    );
  });

  it('changes a password for a refresh token, and that for tokens', async (t) => {
    const server = await startTokenServer({ accounts: { joe: 'secret' }, refreshToken: 'lasting' });
    t.after(() => server.close());
    const ask = (words: Record<string, string>) =>
      fetch(server.realm, { method: 'POST', body: new URLSearchParams({ scope: 'repository:a:push', ...words }) });
    const first = await ask({ grant_type: 'password', username: 'joe', password: 'secret' });
    assert.equal(((await first.json()) as Answer).refresh_token, 'lasting');
    const again = await ask({ grant_type: 'refresh_token', refresh_token: 'lasting' });
    assert.deepEqual(claimsOf(((await again.json()) as Answer).token).access[0].actions, ['push']);
    assert.equal((await ask({ grant_type: 'refresh_token', refresh_token: 'guessed' })).status, 401);
  });
});
