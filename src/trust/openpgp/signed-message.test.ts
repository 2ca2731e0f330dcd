import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import zlib from 'node:zlib';
import { mutate, seededRandom } from '../../../test/support/mutate.ts';
import { needs } from '../../../test/support/needs.ts';
import { gpgHome } from './gpg.fixture.ts';
import type { OpenPgpKeyring } from './keyring.ts';
import { gpgProgramSigner, openKeyring, openSigningKey, signMessage } from './open.ts';

const TEXT = Buffer.from('{"signed":"\0\r\n"}');
const NOW = new Date();

describe('a signed message', { skip: needs('gpg', 'gpgconf') }, () => {
  const home = gpgHome({ after });
  let key = '';
  let ring: OpenPgpKeyring;
  before(async () => {
    key = home.makeKey('signer', 'rsa2048');
    ring = await openKeyring([{ name: 'ring', bytes: home.publicKeys(key) }]);
  });
  const gpgMessage = (content: Uint8Array, ...extra: readonly string[]): Buffer =>
    home.gpg(['--batch', '--local-user', key, ...extra, '--output', '-', '--sign'], { input: content });
  const statusOf = async (message: Uint8Array): Promise<string> => {
    const { verdicts, content } = await ring.open(message, NOW);
    assert.equal(content === undefined, !verdicts.every(({ status }) => status === 'good'));
    return verdicts.map(({ status }) => status).join(' ');
  };

  for (const algorithm of ['none', 'zip', 'zlib']) {
    it(`of gpg, compressed by ${algorithm}, gives its content and who signed it`, async () => {
      const opened = await ring.open(gpgMessage(TEXT, '--compress-algo', algorithm), NOW);
      assert.deepEqual(Buffer.from(opened.content ?? []), TEXT);
      assert.deepEqual(
        opened.verdicts.map(({ status, fingerprint }) => [status, fingerprint]),
        [['good', key]],
      );
    });
  }

  it('in parts, as gpg writes what it does not know the length of, is read whole', async () => {
    const large = Buffer.alloc(100_000, 'all work and no play ');
    assert.deepEqual(Buffer.from((await ring.open(gpgMessage(large, '-z0'), NOW)).content ?? []), large);
    assert.deepEqual(Buffer.from((await ring.open(gpgMessage(large), NOW)).content ?? []), large);
  });

  it('made here is read by gpg, and by us', async () => {
    const signer = await openSigningKey({ name: 'secret', bytes: home.secretKeys(key) }, {});
    const program = gpgProgramSigner({ keyId: key, homedir: home.dir, signal: new AbortController().signal });
    for (const each of [signer, program]) {
      const message = await signMessage(TEXT, each);
      assert.deepEqual(home.gpg(['--batch', '--decrypt'], { input: message }), TEXT);
      assert.equal(await statusOf(message), 'good');
    }
  });

  it('of a key that is not in the ring gives no content', async () => {
    const stranger = home.makeKey('stranger', 'ed25519');
    const message = home.gpg(['--batch', '--local-user', stranger, '--output', '-', '--sign'], { input: TEXT });
    assert.equal(await statusOf(message), 'unknown-key');
  });

  it('with one good signature and one of a stranger gives no content', async () => {
    const other = home.makeKey('other', 'ed25519');
    const both = ['--batch', '--local-user', key, '--local-user', other, '--output', '-', '--sign'];
    const statuses = (await statusOf(home.gpg(both, { input: TEXT }))).split(' ').sort();
    assert.deepEqual(statuses, ['good', 'unknown-key']);
  });

  it('is bad when its content was changed', async () => {
    const message = gpgMessage(TEXT, '-z0');
    const at = message.indexOf('signed');
    message[at] = 'S'.charCodeAt(0);
    assert.equal(await statusOf(message), 'bad');
  });

  it('is bad when it is something else: nothing, a detached signature, unsigned, cleartext, two messages', async () => {
    const message = gpgMessage(TEXT, '-z0');
    for (const other of [
      Buffer.alloc(0),
      home.sign(TEXT, key),
      home.gpg(['--batch', '--store', '--output', '-'], { input: TEXT }),
      home.gpg(['--batch', '--local-user', key, '--output', '-', '--clear-sign'], { input: TEXT }),
      Buffer.concat([message, message]),
      Buffer.concat([message, gpgMessage(TEXT)]),
    ]) {
      assert.equal(await statusOf(other), 'bad');
    }
  });

  it('that would unpack to more than the limit is bad', async () => {
    const bomb = Buffer.concat([Buffer.from([0xa3, 1]), zlib.deflateRawSync(Buffer.alloc(64 * 2 ** 20))]);
    assert.ok(bomb.length < 100_000);
    const { verdicts } = await ring.open(bomb, NOW);
    assert.equal(verdicts[0]?.status, 'bad');
    assert.match(verdicts[0]?.reason ?? '', /compressed message/);
  });

  it('damaged in any way gives either its own content or none', async () => {
    const random = seededRandom(5);
    for (const message of [gpgMessage(TEXT, '-z0'), gpgMessage(TEXT)]) {
      for (let i = 0; i < 300; i++) {
        const { content } = await ring.open(mutate(message, random), NOW);
        if (content !== undefined) assert.deepEqual(Buffer.from(content), TEXT);
      }
    }
  });
});
