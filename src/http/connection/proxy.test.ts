import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { proxyFor } from './proxy.ts';

const HTTP = new URL('http://www.example.com/x');
const HTTPS = new URL('https://www.example.com/x');
const chosen = (url: URL, env: NodeJS.ProcessEnv) => proxyFor(url, env)?.url.href;

describe('the proxy of a URL', () => {
  it('is none without variables, or with empty ones', () => {
    assert.equal(proxyFor(HTTP, {}), undefined);
    assert.equal(proxyFor(HTTP, { http_proxy: '', HTTP_PROXY: '' }), undefined);
  });

  for (const [title, url, env, expected] of [
    ['http_proxy for http', HTTP, { http_proxy: 'http://p:1' }, 'http://p:1/'],
    ['http_proxy before HTTP_PROXY', HTTP, { http_proxy: 'http://p:1', HTTP_PROXY: 'http://q:1' }, 'http://p:1/'],
    ['HTTP_PROXY for http', HTTP, { HTTP_PROXY: 'http://p:1' }, 'http://p:1/'],
    ['nothing of HTTP_PROXY in a CGI program', HTTP, { HTTP_PROXY: 'http://p:1', REQUEST_METHOD: 'GET' }, undefined],
    ['https_proxy for https', HTTPS, { https_proxy: 'http://p:1' }, 'http://p:1/'],
    ['HTTPS_PROXY for https', HTTPS, { HTTPS_PROXY: 'https://p:1' }, 'https://p:1/'],
    ['nothing of http_proxy for https', HTTPS, { http_proxy: 'http://p:1' }, undefined],
    ['ALL_PROXY for the rest', HTTPS, { ALL_PROXY: 'http://p:1' }, 'http://p:1/'],
    ['a proxy without a scheme as http', HTTP, { http_proxy: 'proxy.test:3128' }, 'http://proxy.test:3128/'],
  ] as const) {
    it(`is taken from ${title}`, () => {
      assert.equal(chosen(url, env), expected);
    });
  }

  for (const [list, url, isExempt] of [
    ['*', 'http://any.test/', true],
    ['example.com', 'http://example.com/', true],
    ['example.com', 'http://www.example.com/', true],
    ['example.com', 'http://badexample.com/', false],
    ['.example.com', 'http://www.example.com/', true],
    ['*.example.com', 'http://www.example.com/', true],
    ['a.test, EXAMPLE.com', 'http://www.example.com/', true],
    ['example.com:8080', 'http://example.com:8080/', true],
    ['example.com:8080', 'http://example.com/', false],
    ['example.com:443', 'https://example.com/', true],
    ['127.0.0.1', 'http://127.0.0.1:8000/', true],
    ['0.0.1', 'http://127.0.0.1/', false],
    ['10.0.0.0/8', 'http://10.1.2.3/', true],
    ['10.0.0.0/8', 'http://11.1.2.3/', false],
    ['10.0.0.0/99', 'http://10.1.2.3/', false],
    ['10.0.0.0/8', 'http://ten.test/', false],
    ['::1', 'http://[::1]/', true],
    ['[::1]:80', 'http://[::1]/', true],
    ['fd00::/8', 'http://[fd12::1]/', true],
    ['', 'http://example.com/', false],
  ] as const) {
    it(`is ${isExempt ? 'none' : 'used'} for ${url} with NO_PROXY=${list}`, () => {
      for (const name of ['no_proxy', 'NO_PROXY']) {
        const env = { ALL_PROXY: 'http://p:1', [name]: list };
        assert.equal(chosen(new URL(url), env), isExempt ? undefined : 'http://p:1/');
      }
    });
  }

  it('gets the credentials of its variable, percent-decoded', () => {
    const proxy = proxyFor(HTTP, { http_proxy: 'http://us%40er:p%3Ass@p:1' });
    assert.equal(proxy?.authorization, `Basic ${Buffer.from('us@er:p:ss').toString('base64')}`);
    assert.equal(proxy?.url.href, 'http://p:1/');
  });

  for (const value of ['socks5://secret@p:1', 'http://', '::', 'ftp://p']) {
    it(`is refused when it is ${value}, without telling a password`, () => {
      assert.throws(
        () => proxyFor(HTTP, { http_proxy: value }),
        (error: { code?: string; message?: string }) =>
          error.code === 'HTTP_BAD_PROXY' && !error.message?.includes('secret'),
      );
    });
  }
});
