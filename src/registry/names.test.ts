import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { baseUrl } from './names.ts';

describe('the address of a registry', () => {
  it('is its name, but for Docker Hub', () => {
    assert.equal(baseUrl('quay.io', 'https').href, 'https://quay.io/');
    assert.equal(baseUrl('[::1]:5000', 'http').href, 'http://[::1]:5000/');
    assert.equal(baseUrl('docker.io', 'https').href, 'https://registry-1.docker.io/');
    assert.equal(baseUrl('index.docker.io', 'https').href, 'https://registry-1.docker.io/');
  });

  for (const host of ['', 'a/b', 'a@b', 'a:b', 'a:99999', 'a?b', 'a b', 'a\n', 'http://a']) {
    it(`is not ${JSON.stringify(host)}`, () => {
      assert.throws(() => baseUrl(host, 'https'), { code: 'REGISTRY_NAME' });
    });
  }
});
