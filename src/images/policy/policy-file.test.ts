import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mutate, seededRandom } from '../../../test/support/mutate.ts';
import { ImagesError } from '../error.ts';
import { ACCEPT, policyOf, REJECT } from './policy.fixture.ts';
import { parsePolicy } from './policy-file.ts';

const KEY = { type: 'signedBy', keyType: 'GPGKeys', keyPath: '/keys/one.gpg' };
const PUB = { type: 'sigstoreSigned', keyPath: '/keys/cosign.pub' };
const only = (requirement: unknown) => policyOf({ default: [requirement] }).default[0];
const identity = (signedIdentity: unknown) => only({ ...KEY, signedIdentity });

describe('a policy', () => {
  it('says what is required in every scope', () => {
    const policy = policyOf({
      default: [REJECT],
      transports: { docker: { 'quay.io/team': [KEY, PUB], '': [ACCEPT] }, unheard: { anything: [REJECT] } },
    });
    assert.deepEqual(policy.default, [{ type: 'reject' }]);
    const signedIdentity = { type: 'matchRepoDigestOrExact' };
    assert.deepEqual(policy.transports.get('docker')?.get('quay.io/team'), [
      { type: 'signedBy', keys: [{ path: '/keys/one.gpg' }], signedIdentity },
      { type: 'sigstoreSigned', keys: [{ path: '/keys/cosign.pub' }], signedIdentity },
    ]);
    assert.deepEqual(policy.transports.get('docker')?.get(''), [{ type: 'insecureAcceptAnything' }]);
  });

  it('takes keys from a file, from several, or from the policy itself', () => {
    const keysOf = (requirement: object) => (only(requirement) as { readonly keys?: unknown }).keys;
    const { keyPath: _, ...base } = KEY;
    assert.deepEqual(keysOf({ ...base, keyPaths: ['/a', '/b'] }), [{ path: '/a' }, { path: '/b' }]);
    assert.deepEqual(keysOf({ ...base, keyData: 'YWI=' }), [{ data: Buffer.from('ab') }]);
    assert.deepEqual(keysOf({ type: 'sigstoreSigned', keyDatas: ['YQ==', 'Yg=='] }), [
      { data: Buffer.from('a') },
      { data: Buffer.from('b') },
    ]);
  });

  it('knows requirements that cannot be evaluated here, and what makes them so', () => {
    for (const [requirement, what] of [
      [{ type: 'signedBaseLayer', baseLayerIdentity: { type: 'matchExact' } }, 'signedBaseLayer'],
      [{ ...KEY, keyType: 'X509Certificates' }, 'signedBy with keyType X509Certificates'],
      [{ type: 'sigstoreSigned', fulcio: {}, rekorPublicKeyPath: '/r' }, 'sigstoreSigned with fulcio'],
      [{ ...PUB, rekorPublicKeyPath: '/r' }, 'sigstoreSigned with rekorPublicKeyPath'],
    ] as const) {
      assert.deepEqual(only(requirement), { type: 'notEvaluable', what });
    }
  });

  for (const [what, value] of [
    ['no default', { transports: {} }],
    ['an unknown member', { default: [REJECT], defaults: [ACCEPT] }],
    ['an empty list of requirements', { default: [] }],
    ['an empty list in a scope', { default: [REJECT], transports: { docker: { '': [] } } }],
    ['requirements that are no list', { default: REJECT }],
    ['transports of null', { default: [REJECT], transports: null }],
    ['transports that are a list', { default: [REJECT], transports: [] }],
    ['an unknown type', { default: [{ type: 'acceptEverything' }] }],
    ['no type', { default: [{}] }],
    ['a type that is no text', { default: [{ type: 1 }] }],
    ['a member too many', { default: [{ ...REJECT, keyPath: '/a' }] }],
    ['two sources of keys', { default: [{ ...KEY, keyData: 'YQ==' }] }],
    ['no source of keys', { default: [{ type: 'signedBy', keyType: 'GPGKeys' }] }],
    ['an empty path', { default: [{ ...KEY, keyPath: '' }] }],
    ['an empty list of paths', { default: [{ type: 'signedBy', keyType: 'GPGKeys', keyPaths: [] }] }],
    ['an unknown type of keys', { default: [{ ...KEY, keyType: 'PGP' }] }],
    ['no type of keys', { default: [{ type: 'signedBy', keyPath: '/a' }] }],
    ['key data that is not base64', { default: [{ type: 'sigstoreSigned', keyData: '%' }] }],
    ['a relative path as scope', { default: [REJECT], transports: { dir: { 'a/b': [ACCEPT] } } }],
    ['the root as scope', { default: [REJECT], transports: { oci: { '/': [ACCEPT] } } }],
    ['a longer path than needed', { default: [REJECT], transports: { oci: { '/a/../b': [ACCEPT] } } }],
    ['a scope without store', { default: [REJECT], transports: { 'containers-storage': { 'a:1': [ACCEPT] } } }],
    ['a scope of docker-archive', { default: [REJECT], transports: { 'docker-archive': { '/a': [ACCEPT] } } }],
    ['an unknown identity', { default: [{ ...KEY, signedIdentity: { type: 'matchAll' } }] }],
    ['an identity of null', { default: [{ ...KEY, signedIdentity: null }] }],
    [
      'an identity with a member too many',
      { default: [{ ...KEY, signedIdentity: { type: 'matchExact', prefix: 'a' } }] },
    ],
    [
      'an exact reference without tag',
      { default: [{ ...KEY, signedIdentity: { type: 'exactReference', dockerReference: 'a' } }] },
    ],
    [
      'a repository that is none',
      { default: [{ ...KEY, signedIdentity: { type: 'exactRepository', dockerRepository: 'A' } }] },
    ],
    [
      'a prefix with a tag',
      { default: [{ ...KEY, signedIdentity: { type: 'remapIdentity', prefix: 'q.io/a:1', signedPrefix: 'b.io' } }] },
    ],
    [
      'a prefix that ends in a slash',
      { default: [{ ...KEY, signedIdentity: { type: 'remapIdentity', prefix: 'q.io/team/', signedPrefix: 'b.io' } }] },
    ],
    ['a list', []],
    ['null', null],
  ] as const) {
    it(`with ${what} is refused as a whole`, () => {
      assert.throws(() => policyOf(value), { name: 'ImagesError', code: 'BAD_POLICY' });
    });
  }

  for (const [what, text] of [
    ['a member that comes twice', '{"default":[{"type":"reject"}],"default":[{"type":"insecureAcceptAnything"}]}'],
    [
      'one that comes twice in different spelling',
      '{"default":[{"type":"reject","ty\\u0070e":"insecureAcceptAnything"}]}',
    ],
    ['a comment', '{"default":[{"type":"reject"}]} // no'],
    ['a byte order mark', '\ufeff{"default":[{"type":"reject"}]}'],
    ['nothing', ''],
    ['brackets without end', '['.repeat(100_000)],
    ['many levels', `{"default":${'['.repeat(50)}${']'.repeat(50)}}`],
  ] as const) {
    it(`with ${what} is refused as a whole, too`, () => {
      assert.throws(() => parsePolicy(Buffer.from(text), 'p'), { name: 'ImagesError', code: 'BAD_POLICY' });
    });
  }

  it('takes the prefixes that a mirror needs', () => {
    for (const [prefix, signedPrefix] of [
      ['private-mirror:5000/vendor-mirror', 'vendor.example.com'],
      ['localhost', 'docker.io/library/busybox'],
      ['docker.io/library', 'v.io'],
      ['mirror:5000', 'vendor.example.com/a/b'],
    ] as const) {
      assert.deepEqual(identity({ type: 'remapIdentity', prefix, signedPrefix }), {
        type: 'signedBy',
        keys: [{ path: '/keys/one.gpg' }],
        signedIdentity: { type: 'remapIdentity', prefix, signedPrefix },
      });
    }
  });

  it('damaged in any way is read or refused, and never says less than the list that it had', () => {
    const text = JSON.stringify({ default: [KEY], transports: { docker: { '*.example.com': [PUB] } } });
    const random = seededRandom(3);
    for (let i = 0; i < 3000; i++) {
      try {
        const policy = parsePolicy(mutate(Buffer.from(text), random), 'p');
        assert.equal(policy.default.length, 1);
        assert.notEqual(policy.default[0].type, 'insecureAcceptAnything');
      } catch (error) {
        assert.ok(error instanceof ImagesError, String(error));
        assert.equal(error.code, 'BAD_POLICY');
      }
    }
  });
});
