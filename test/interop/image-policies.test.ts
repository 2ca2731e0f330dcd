/** Policies are refused by this project where skopeo refuses them, and read where it reads them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parsePolicy } from '../../src/images/policy/index.ts';
import { needs } from '../support/needs.ts';
import { makeImage } from '../support/oci-image.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';

const ACCEPT = { type: 'insecureAcceptAnything' };
const REJECT = { type: 'reject' };
const KEY = { type: 'signedBy', keyType: 'GPGKeys', keyPath: '/k' };
const DATA = { type: 'signedBy', keyType: 'GPGKeys' };
const PUB = { type: 'sigstoreSigned', keyPath: '/k' };

const required = (requirement: unknown): object => scopes('docker', { 'x.io': [requirement] });
const scopes = (transport: string, value: unknown): object => ({
  default: [ACCEPT],
  transports: { [transport]: value },
});
const scope = (transport: string, text: string): object => scopes(transport, { [text]: [ACCEPT] });
const identity = (signedIdentity: unknown): object => required({ ...KEY, signedIdentity });
const remap = (prefix: string): object => identity({ type: 'remapIdentity', prefix, signedPrefix: 'v.io' });

const POLICIES: readonly object[] = [
  {},
  { default: [] },
  { default: null },
  { default: [ACCEPT], transports: null },
  { default: [ACCEPT], more: 1 },
  scopes('docker', null),
  scopes('docker', { '': null }),
  ...[ACCEPT, REJECT, KEY, PUB].map(required),
  ...[ACCEPT, REJECT, KEY, PUB].map((each) => required({ ...each, more: 1 })),
  ...['x', 'signedByGPGKeys', 'X509Certificates'].map((keyType) => required({ ...KEY, keyType })),
  ...['', null, 1].map((keyPath) => required({ ...KEY, keyPath })),
  ...['YQ==', 'YQ', '%', 'YQ==\n'].map((keyData) => required({ ...DATA, keyData })),
  required({ ...KEY, keyData: 'YQ==' }),
  required(DATA),
  required({ ...DATA, keyPaths: ['/a', '/b'] }),
  required({ ...PUB, keyData: 'YQ==' }),
  required({ type: 'sigstoreSigned' }),
  required({ type: 'signedBaseLayer' }),
  ...['matchExact', 'x'].map((type) => required({ type: 'signedBaseLayer', baseLayerIdentity: { type } })),
  ...['matchExact', 'matchRepository', 'matchRepoDigestOrExact', 'x'].map((type) => identity({ type })),
  identity(null),
  identity({ type: 'matchExact', more: 1 }),
  ...['a', 'a:1', 'A:1'].map((dockerReference) => identity({ type: 'exactReference', dockerReference })),
  ...['a', 'a:1', 'A'].map((dockerRepository) => identity({ type: 'exactRepository', dockerRepository })),
  ...['q.io', 'q', 'q.io:5000', 'q.io/a/b', 'a/b', 'docker.io/library', 'q.io/a:1', 'q.io/', 'q.io//a'].map(remap),
  ...['Q.io/A', 'Q.io/a', '', '*.q.io', 'q.io/a@sha256:00'].map(remap),
  ...['/a', '/', '/a/', '/a:t', 'a', '/a/../b', '/a:'].map((text) => scope('oci', text)),
  ...['/a', '/', '/a/', 'a'].map((text) => scope('dir', text)),
  ...['/a', '/', 'a'].map((text) => scope('oci-archive', text)),
  ...['[a@/b]x', '[/b]', 'x'].map((text) => scope('containers-storage', text)),
  ...['docker-archive', 'tarball', 'unheard-of', 'docker-daemon'].map((transport) => scope(transport, '/a')),
];

describe('a policy', { skip: needs('skopeo') }, () => {
  const dir = makeScratch();
  after(() => removeTree(dir));
  before(() => makeImage(join(dir, 'layout'), { tag: '1' }));

  it('is read by us where skopeo reads it, and nowhere else', () => {
    let refused = 0;
    for (const [i, policy] of POLICIES.entries()) {
      const text = JSON.stringify(policy);
      const path = join(dir, 'policy.json');
      writeFileSync(path, text);
      const args = ['--policy', path, 'copy', '--quiet', `oci:${dir}/layout:1`, `dir:${dir}/out-${i}`];
      const ran = spawnSync('skopeo', args, { encoding: 'utf8' });
      const isInvalid = ran.stderr.includes('invalid policy');
      assert.equal(isInvalid, ran.status !== 0, `${text}: ${ran.stderr}`);
      if (isInvalid) {
        refused++;
        assert.throws(() => parsePolicy(Buffer.from(text), path), { code: 'BAD_POLICY' }, text);
      } else {
        assert.doesNotThrow(() => parsePolicy(Buffer.from(text), path), text);
      }
    }
    assert.ok(refused > 20 && refused < POLICIES.length - 20, `${refused} of ${POLICIES.length}`);
  });
});
