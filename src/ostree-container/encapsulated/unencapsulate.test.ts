import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseImageName } from '../../images/index.ts';
import {
  type Checksum,
  type decodeDetached,
  fsck,
  HEAD,
  isPartial,
  type Repository,
  readRef,
} from '../../ostree/index.ts';
import { commitTree, type MadeTree, newRepository, SIGNAL } from '../stream/stream.fixture.ts';
import {
  contentsOf,
  endsWith,
  isUntouched,
  piecesOf,
  tampered,
  withDamage,
  withEntry,
} from '../stream/tampering.fixture.ts';
import { componentsOf, objectAt, workshop } from './encapsulated.fixture.ts';

const TREE: MadeTree = {
  usr: {
    inside: {
      bin: { inside: { a: { content: 'a'.repeat(3000) }, b: { content: 'b', mode: 0o4755, uid: 3 } } },
      etc: { inside: { conf: { content: 'conf', xattrs: [['user.x', 'y']] } } },
      lib: { inside: { d: { content: 'd' }, same: { content: 'd' }, link: { target: 'd' } } },
      one: { inside: { content: { content: 'one' } } },
      two: { inside: { content: { content: 'two' } } },
    },
  },
};

async function made(t: TestContext) {
  const repository = newRepository(t);
  const commit = await commitTree(repository, TREE);
  const shop = workshop(t, commit);
  await shop.encapsulate(repository, 'image', { components: parts(repository, commit) });
  return { repository, commit, shop, target: newRepository(t) };
}

/** A layer for each of `one` and `two`, and one for the rest. */
function parts(repository: Repository, commit: Checksum) {
  const at = (path: string): Checksum => objectAt(repository, commit, `/usr/${path}`);
  const rest = ['bin/a', 'bin/b', 'etc/conf', 'lib/d', 'lib/link'].map(at);
  return componentsOf({ one: [at('one/content')], rest, two: [at('two/content')] });
}

async function isSound(repository: Repository): Promise<boolean> {
  const { findings } = await fsck(repository, { signal: SIGNAL, threads: 0 });
  return findings.length === 0;
}

describe('a commit out of an image', () => {
  for (const mode of ['archive', 'bare-user'] as const) {
    it(`is the commit that went in, whole, in a repository of mode ${mode}`, async (t) => {
      const { commit, shop } = await made(t);
      const target = newRepository(t, mode);
      const { layers, ...result } = await shop.unencapsulate(target, 'image', { ref: 'os/main' });
      assert.equal(result.commit, commit);
      assert.equal(readRef(target, HEAD, 'os/main'), commit);
      assert.equal(isPartial(target, commit), false);
      assert.ok(layers.length > 3);
      assert.ok(await isSound(target));
    });
  }

  it('is fetched once: the second time no layer is read', async (t) => {
    const { commit, shop, target } = await made(t);
    await shop.unencapsulate(target, 'image');
    const before = shop.read.length;
    const { fetchedBytes, layers } = await shop.unencapsulate(target, 'image', { ref: 'again' });
    assert.deepEqual([shop.read.length - before, fetchedBytes, layers.every(({ isThere }) => isThere)], [0, 0, true]);
    assert.equal(readRef(target, HEAD, 'again'), commit);
  });

  it('of a newer image needs the first layer and those that changed', async (t) => {
    const { repository, shop, target } = await made(t);
    await shop.unencapsulate(target, 'image');
    const usr = (TREE as { usr: { inside: MadeTree } }).usr.inside;
    const two = { inside: { content: { content: 'other' } } };
    const commit = await commitTree(repository, { usr: { inside: { ...usr, two } } });
    const next = workshop(t, commit);
    const layers = await next.encapsulate(repository, 'next', {
      components: parts(repository, commit),
      priorBuild: parseImageName(shop.layout('image')),
    });
    const result = await next.unencapsulate(target, 'next');
    assert.equal(result.commit, commit);
    assert.equal(next.read.length, 2);
    assert.ok(layers.layers.length > 3);
    assert.ok(await isSound(target));
  });

  it('goes on after a failure with the layers that are missing', async (t) => {
    const { commit, shop, target } = await made(t);
    const { tars, labels } = shop.look('image');
    const bad = await change(tars[3], '.file', withDamage);
    await shop.make('bad', tars.with(3, bad), labels);
    await assert.rejects(shop.unencapsulate(target, 'bad'), { code: 'OBJECT_CORRUPT' });
    assert.ok(isUntouched(target));
    shop.read.length = 0;
    assert.equal((await shop.unencapsulate(target, 'image')).commit, commit);
    assert.ok(shop.read.length < tars.length, `${shop.read.length} of ${tars.length} layers`);
    assert.ok(!shop.read.includes(shop.look('image').manifest.layers[1]?.digest ?? ''));
    assert.ok(await isSound(target));
  });
});

describe('an image that is not as it should be', () => {
  type Change = (image: { tars: Buffer[]; labels: Record<string, string> }) => void | Promise<void>;
  const cases: readonly (readonly [string, string, Change])[] = [
    ['has no label of its last layer', 'NOT_ENCAPSULATED', ({ labels }) => void delete labels['ostree.final-diffid']],
    [
      'names a layer that it does not have',
      'FINAL_DIFFID_UNKNOWN',
      ({ labels }) => put(labels, 'ostree.final-diffid', 'sha256:00'),
    ],
    [
      'names a layer that it has twice',
      'FINAL_DIFFID_AMBIGUOUS',
      ({ tars }) => void tars.push(tars.at(-1) ?? Buffer.alloc(0)),
    ],
    ['has layers behind the last one', 'DERIVED_LAYERS', ({ tars }) => void tars.push(Buffer.alloc(1024))],
    ['names another commit', 'COMMIT_LABEL_MISMATCH', ({ labels }) => put(labels, 'ostree.commit', '0'.repeat(64))],
    ['lacks a component layer', 'STREAM_INCOMPLETE', ({ tars }) => void tars.splice(1, 1)],
    ['begins with a component layer', 'STREAM_NO_COMMIT', ({ tars }) => void tars.reverse()],
    [
      'has an altered commit',
      'OBJECT_CORRUPT',
      async ({ tars }) => put(tars, 0, await change(tars[0], '.commit', withDamage)),
    ],
    [
      'has an altered directory',
      'OBJECT_CORRUPT',
      async ({ tars }) => put(tars, 0, await change(tars[0], '.dirmeta', withDamage)),
    ],
    [
      'has a file with another mode',
      'OBJECT_CORRUPT',
      async ({ tars }) => put(tars, 1, await change(tars[1], '.file', (piece) => withEntry(piece, { mode: 0o600 }))),
    ],
    [
      'has an altered list of attributes',
      'XATTRS_CORRUPT',
      async ({ tars }) => put(tars, 1, await change(tars[1], '.file-xattrs', withDamage)),
    ],
    [
      'has a second commit',
      'STREAM_SECOND_COMMIT',
      async ({ tars }) => {
        const commit = (await piecesOf(tars[0] ?? Buffer.alloc(0))).find(endsWith('.commit'));
        let isFirst = true;
        const second = await tampered(tars[1] ?? Buffer.alloc(0), (piece) => {
          if (!isFirst || commit === undefined) return piece;
          isFirst = false;
          return [commit, piece];
        });
        put(tars, 1, second);
      },
    ],
    [
      'has a layer that ends early',
      'TAR_TRUNCATED',
      ({ tars }) => put(tars, 1, (tars[1] ?? Buffer.alloc(0)).subarray(0, 140_000)),
    ],
  ];
  for (const [flaw, code, alter] of cases) {
    it(`because it ${flaw}, is refused, and the repository is as it was: ${code}`, async (t) => {
      const { shop, target } = await made(t);
      const { tars, labels } = shop.look('image');
      const image = { tars: [...tars], labels: { ...labels } };
      await alter(image);
      // The label follows the last layer, unless the label is what is wrong.
      await shop.make('bad', image.tars, image.labels);
      const now = shop.look('bad').config.rootfs.diff_ids;
      if (!code.startsWith('FINAL') && code !== 'NOT_ENCAPSULATED' && code !== 'DERIVED_LAYERS') {
        await shop.make('bad', image.tars, { ...image.labels, 'ostree.final-diffid': now.at(-1) ?? '' });
      }
      const before = contentsOf(target);
      await assert.rejects(shop.unencapsulate(target, 'bad', { ref: 'os/main' }), { code });
      assert.ok(isUntouched(target));
      const others = Object.entries(contentsOf(target)).filter(([name]) => !name.startsWith('extensions/tako/'));
      assert.deepEqual(Object.fromEntries(others), before);
    });
  }

  it('is refused by its remote when the commit is not signed, before anything is written', async (t) => {
    const { shop, target } = await made(t);
    const asked: string[] = [];
    const verifier = {
      isRequired: true,
      async verify(_data: Uint8Array, signatures: ReturnType<typeof decodeDetached>) {
        asked.push(String(signatures.length));
        return [];
      },
    };
    await assert.rejects(shop.unencapsulate(target, 'image', { verifier }), { code: 'COMMITMETA_MISSING' });
    assert.deepEqual(asked, []);
    assert.ok(isUntouched(target));
  });

  it('is not looked at when it is not admitted', async (t) => {
    const { shop, target } = await made(t);
    const refusal = new Error('no');
    await assert.rejects(shop.unencapsulate(target, 'image', { admit: () => Promise.reject(refusal) }), refusal);
    assert.deepEqual(shop.read, []);
  });
});

function put<Value>(into: Value[] | Record<string, Value>, key: string | number, value: Value): void {
  Object.assign(into, { [key]: value });
}

async function change(tar: Buffer | undefined, ending: string, how: Parameters<typeof tampered>[1]): Promise<Buffer> {
  return tampered(tar ?? Buffer.alloc(0), (piece) => (endsWith(ending)(piece) ? how(piece) : piece));
}
