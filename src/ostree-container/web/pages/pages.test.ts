import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { signedRepository } from '../../../ostree/signatures/signatures.fixture.ts';
import { get, madeRepository, serve } from '../web.fixture.ts';
import { html } from './html.ts';

const MARKUP = `<script>alert("1")</script>'&amp; <img src=x onerror=y> \u202egnp.exe`;

async function textOf(port: number, target: string, headers = {}): Promise<string> {
  const { status, body } = await get(port, target, headers);
  assert.equal(status, 200, target);
  return body.toString();
}

describe('html', () => {
  it('escapes whatever is put in, but what it made itself', () => {
    const inner = html`<b>${'<i>'}</b>`;
    assert.equal(
      html`${inner}${['&', inner]}${undefined}${3}${`"'`}`.markup,
      '<b>&lt;i&gt;</b>&amp;<b>&lt;i&gt;</b>3&quot;&#39;',
    );
  });
  it('shows what is invisible and what turns the direction of writing', () => {
    assert.equal(html`${'a\u202eb\u200bc\nd'}`.markup, 'a\\u{202e}b\\u{200b}c\nd');
  });
});

describe('the page for people', () => {
  it('shows foreign text as text: subject, body, names of files', async (t) => {
    const name = '<b>"x".html';
    const { repository, commit } = await madeRepository(t, {
      subject: MARKUP,
      body: MARKUP,
      files: { [`usr/${name}`]: 'x' },
    });
    const { port } = await serve(t, repository);
    for (const target of ['/', '/repo/', `/commit/${commit}`, `/browse/${commit}/usr/`]) {
      const text = await textOf(port, target);
      assert.doesNotMatch(text, /<script|<img|<b>|\u202e/, target);
      assert.match(
        text,
        target.includes('browse') ? /&lt;b&gt;&quot;x&quot;\.html/ : /&lt;script&gt;alert\(&quot;1&quot;\)/,
        target,
      );
    }
  });

  it('may run and load nothing', async (t) => {
    const { repository } = await madeRepository(t);
    const { port } = await serve(t, repository);
    const { headers } = await get(port, '/');
    assert.equal(headers.get('content-security-policy'), "default-src 'none'; style-src 'unsafe-inline'");
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('content-type'), 'text/html; charset=utf-8');
  });

  it('has the words to pull from where it was asked, and never a Host that is none', async (t) => {
    const { repository } = await madeRepository(t);
    const { port } = await serve(t, repository);
    for (const [host, shown] of [
      ['repo.example.com:8443', 'repo.example.com:8443'],
      ['[::1]:80', '[::1]:80'],
      ['"><script>x</script>', 'HOST'],
      ['a b', 'HOST'],
      ["x'; rm -rf / #", 'HOST'],
      ['$(reboot)', 'HOST'],
      ['', 'HOST'],
    ] as const) {
      const text = await textOf(port, '/', { Host: host });
      assert.ok(text.includes(`origin http://${shown}/repo/\n`), host);
      assert.doesNotMatch(text, /<script|rm -rf|reboot/);
    }
    assert.match(
      await textOf(port, '/', { Host: 'x.org', 'X-Forwarded-Proto': 'https' }),
      /origin https:\/\/x\.org\/repo\//,
    );
  });

  it('breaks the words to pull so that they fit a phone', async (t) => {
    const { repository } = await madeRepository(t);
    const { port } = await serve(t, repository);
    const text = await textOf(port, '/', { Host: 'example.org' });
    const lines = [...text.matchAll(/<pre>([^<]*)<\/pre>/g)].flatMap(([, words = '']) => words.split('\n'));
    assert.ok(lines.length > 10);
    for (const line of lines) assert.ok(line.length <= 40, line);
  });

  it('shows a large folder page by page', async (t) => {
    const files = Object.fromEntries(Array.from({ length: 450 }, (_, i) => [`d/f${String(i).padStart(3, '0')}`, 'x']));
    const { repository, commit } = await madeRepository(t, { files });
    const { port } = await serve(t, repository);
    const shown = async (page: string) =>
      (await textOf(port, `/browse/${commit}/d/${page}`)).match(/href="f\d+"/g)?.length;
    assert.deepEqual([await shown(''), await shown('?page=2'), await shown('?page=3')], [200, 200, 50]);
    assert.equal((await get(port, `/browse/${commit}/d/?page=4`)).status, 404);
  });

  it('gives files as downloads, byte by byte, under any name', async (t) => {
    const name = 'ü "q" #%2e\n<b>.html';
    const content = Buffer.alloc(3 * 2 ** 20, 'tako ');
    const { repository, commit } = await madeRepository(t, { files: { [name]: content, empty: '' } });
    const { port } = await serve(t, repository);
    const target = `/browse/${commit}/${encodeURIComponent(name)}`;
    assert.ok((await textOf(port, `/browse/${commit}/`)).includes(`href="${encodeURIComponent(name)}"`));
    const { status, headers, body } = await get(port, target, { Range: 'bytes=5-' });
    assert.equal(status, 200);
    assert.ok(body.equals(content));
    assert.equal(headers.get('content-type'), 'application/octet-stream');
    const disposition = headers.get('content-disposition') ?? '';
    assert.match(disposition, /^attachment; filename="[A-Za-z0-9 ._+-]*"; filename\*=UTF-8''/);
    assert.equal(decodeURIComponent(disposition.split("''")[1] ?? ''), name);
    assert.equal((await get(port, target, { 'If-None-Match': headers.get('etag') ?? '' })).status, 304);
    assert.equal((await get(port, `/browse/${commit}/empty`)).body.length, 0);
  });
});

describe('what the page says of signatures', () => {
  const tagOf = async (t: TestContext, keyring?: string): Promise<(ref: string) => string> => {
    const { port } = await serve(t, signedRepository(t, ['gpg-verify=true'], keyring));
    const text = await textOf(port, '/');
    return (ref) => {
      const card = text.split('<article').find((each) => each.includes(`<h3>${ref}</h3>`)) ?? '';
      return /class="tag ([a-z]*)">([^<]*)</.exec(card)?.slice(1).join(': ') ?? 'none';
    };
  };

  it('is no more than it knows when it has no keys', async (t) => {
    const tag = await tagOf(t);
    assert.equal(tag('gpg-rsa'), ': signed by 8F3C3388DE8D8F0E, not verified');
    assert.equal(tag('unsigned'), 'plain: not signed');
  });

  it('is who signed when the repository has the key, and that a forged one is bad', async (t) => {
    const tag = await tagOf(t, 'gpg-0.pub.gpg');
    assert.match(tag('gpg-rsa'), /^good: signed by .*8F3C3388DE8D8F0E/);
    assert.match(tag('forged'), /^bad: bad signature/);
    assert.match(tag('gpg-untrusted'), /^: signed by [0-9A-F]{16}, not verified$/);
  });

  it('is told in full on the page of the commit, with the options to verify it', async (t) => {
    const repository = signedRepository(t, ['gpg-verify=true'], 'gpg-0.pub.gpg');
    const { port } = await serve(t, repository);
    const [line = ''] =
      /href="\/commit\/[0-9a-f]{64}"/.exec((await textOf(port, '/')).split('<h3>gpg-rsa</h3>')[1] ?? '') ?? [];
    const text = await textOf(port, line.slice(6, -1));
    assert.match(text, /gpg signature by 831636F2EFD2C9A679AEEB1A8F3C3388DE8D8F0E .*: good, made /);
    assert.match(text, /--gpg-import=KEY\.asc/);
    const raw = await textOf(port, `/commit/51f74840c6e8bfa17dc25ab2057175e2d6e07b743635e61d57ae7f9410f47d9d`);
    assert.match(raw, /--sign-verify=ed25519=inline:PUBLICKEY/);
  });
});
