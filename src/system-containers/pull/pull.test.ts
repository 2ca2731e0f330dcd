import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { type FakeRegistry, startFakeRegistry } from '../../../test/support/fake-registry.ts';
import { type MadeImage, makeIndex, type SampleEntry } from '../../../test/support/oci-image.ts';
import { scratch } from '../../../test/support/scratch.ts';
import type { ProgressEvent } from '../../base/progress.ts';
import type { FoundPolicy } from '../../images/index.ts';
import { fsck, listRefs, objectsOf, type Repository } from '../../ostree/index.ts';
import { findImage, layerFacts, mergedCommit, pruneImages, type StoredImage } from '../storage/index.ts';
import { imageIn, lines, listed, newStorage, OPTIONS, pulled, pullRequest } from '../storage/storage.fixture.ts';
import { planPull, pullImage } from './index.ts';

const layer = (name: string, text = name): SampleEntry[] => [{ path: name, content: text }];
const refs = (repository: Repository): string[] => listRefs(repository).map(({ ref }) => ref);

const leftovers = (repository: Repository): string[] =>
  readdirSync(join(repository.path, 'tmp')).filter((name) => name.startsWith('tako-blob-'));

async function tree(repository: Repository, name: string): Promise<Record<string, string>> {
  const image = findImage(repository, name);
  assert.ok(image, name);
  return listed(repository, await mergedCommit(repository, image, OPTIONS));
}

function policyOf(text: string): FoundPolicy {
  const type = text as 'reject';
  return { path: 'policy.json', policy: { default: [{ type }], transports: new Map() } };
}

describe('a pull from a registry', () => {
  const registries: FakeRegistry[] = [];
  after(() => Promise.all(registries.map((each) => each.close())));

  /** @param push another image into the same repository */
  async function served(image: MadeImage & { readonly directory: string }, tag = 'v1') {
    const registry = await startFakeRegistry();
    registries.push(registry);
    const push = (made: MadeImage & { readonly directory: string }, as: string): void => {
      const blobs = join(made.directory, 'blobs/sha256');
      for (const name of readdirSync(blobs)) registry.store.addBlob('app', readFileSync(join(blobs, name)));
      registry.store.addManifest('app', made.raw.bytes, made.raw.mediaType, as);
    };
    push(image, tag);
    const fetched = (): number => registry.requestsFor('/blobs/', 'GET').length;
    return { registry, push, fetched, name: `${registry.host}/app` };
  }
  const over = { insecure: true } as const;

  it('fetches everything once, and the second time the manifest alone', async (t) => {
    const image = await imageIn(t, [layer('a'), layer('b')]);
    const { name, fetched, registry } = await served(image);
    const repository = newStorage(t);
    const first = await pulled(t, repository, `docker://${name}:v1`, over);
    assert.deepEqual([first.isNew, first.fetchedLayers, fetched()], [true, 2, 3]);
    assert.equal(first.image.name, `${name}:v1`);
    assert.equal(first.image.digest, image.raw.digest);
    const before = refs(repository);
    const again = await pulled(t, repository, `${name}:v1`, over);
    assert.deepEqual([again.isNew, again.fetchedLayers, fetched(), refs(repository)], [false, 0, 3, before]);
    assert.deepEqual(again.image, first.image);
    assert.equal(registry.requestsFor('/manifests/', 'GET').length, 2);
  });

  it('fetches of the next version what is new, under a new name or the old one', async (t) => {
    const one = await imageIn(t, [layer('base'), layer('one')]);
    const { name, push, fetched } = await served(one);
    const repository = newStorage(t);
    await pulled(t, repository, `${name}:v1`, over);
    push(await imageIn(t, [layer('base'), layer('one'), layer('two')], { config: { author: 'x' } }), 'v2');
    const start = fetched();
    const two = await pulled(t, repository, `${name}:v2`, over);
    assert.deepEqual([two.isNew, two.fetchedLayers, fetched() - start], [true, 1, 2]);
    const renamed = await pulled(t, repository, `${name}:v2`, { ...over, name: `${name}:v1` });
    assert.deepEqual([renamed.isNew, renamed.fetchedLayers, fetched() - start], [true, 0, 2]);
    assert.equal(findImage(repository, `${name}:v1`)?.digest, two.image.digest);
  });

  it('goes on after a failure with the layers that are missing, and shows nothing before it has all', async (t) => {
    const image = await imageIn(t, [layer('a'), layer('b'), layer('c')]);
    const { name, registry } = await served(image);
    const repository = newStorage(t);
    registry.fault({ path: image.layers[2]?.digest ?? '' }, { kind: 'replace', body: 'something else' });
    await assert.rejects(pulled(t, repository, `${name}:v1`, over));
    assert.deepEqual(refs(repository), []);
    registry.heal();
    await pulled(t, repository, `${name}:v1`, over);
    assert.deepEqual(await tree(repository, `${name}:v1`), { a: '644 a', b: '644 b', c: '644 c' });
  });

  it('goes on in the middle of a layer where an earlier run was ended', async (t) => {
    const content = randomBytes(300_000);
    const image = await imageIn(t, [[{ path: 'large', content }]]);
    const { name, registry } = await served(image);
    const repository = newStorage(t);
    const [layer] = image.layers;
    assert.ok(layer);
    registry.fault({ path: layer.digest }, { kind: 'stall', after: 200_000 });
    const ending = new AbortController();
    const progress = (event: ProgressEvent): void => {
      if (event.kind === 'advance' && event.done > 0) ending.abort();
    };
    await assert.rejects(pulled(t, repository, `${name}:v1`, { ...over, signal: ending.signal, progress }));
    registry.heal();
    const { fetchedBytes } = await pulled(t, repository, `${name}:v1`, over);
    assert.ok(fetchedBytes < layer.size && fetchedBytes >= layer.size - 200_000, `${fetchedBytes}`);
    assert.deepEqual(Object.keys(await tree(repository, `${name}:v1`)), ['large']);
    assert.deepEqual(leftovers(repository), []);
  });

  it('fetches a layer once that has to be read twice', async (t) => {
    const link: SampleEntry[] = [{ path: 'b', type: 'hardlink', linkTarget: 'a' }];
    const { name, fetched } = await served(await imageIn(t, [layer('a'), link]));
    const repository = newStorage(t);
    await pulled(t, repository, `${name}:v1`, over);
    assert.equal(fetched(), 3, 'two layers and the configuration');
    assert.deepEqual(await tree(repository, `${name}:v1`), { a: '644 a', b: '644 a' });
    assert.deepEqual(leftovers(repository), []);
  });

  it('keeps nothing of a layer that is another one than it should be', async (t) => {
    const image = await imageIn(t, [layer('a')]);
    const { name, registry } = await served(image);
    const repository = newStorage(t);
    registry.fault({ path: image.layers[0]?.digest ?? '' }, { kind: 'replace', body: 'something else' });
    await assert.rejects(pulled(t, repository, `${name}:v1`, over));
    assert.deepEqual(leftovers(repository), []);
  });

  it('tells what it would fetch, and changes nothing', async (t) => {
    const image = await imageIn(t, [layer('a'), layer('b')]);
    const { name, registry } = await served(image);
    const plan = await planPull(undefined, pullRequest(t, `${name}:v1`, over));
    const sizes = image.layers.map(({ size }) => size);
    assert.deepEqual(
      [plan.bytes, plan.isStored, plan.digest],
      [(sizes[0] ?? 0) + (sizes[1] ?? 0), false, image.raw.digest],
    );
    const repository = newStorage(t);
    await pulled(t, repository, `${name}:v1`, over);
    const later = await planPull(repository, pullRequest(t, `${name}:v1`, over));
    assert.deepEqual([later.bytes, later.isStored, later.layers.every(({ isThere }) => isThere)], [0, true, true]);
    assert.equal(registry.requestsFor(/blobs\/.*/, 'GET').length, 4, 'the configuration twice');
  });

  it('is refused when anybody on the way may have made the image', async (t) => {
    const image = await imageIn(t, [layer('a')]);
    const { name } = await served(image);
    const repository = newStorage(t);
    const conf = { ...pullRequest(t, `${name}:v1`, over), insecure: false };
    await assert.rejects(pullImage(repository, conf), { code: 'POLICY_REJECTED' });
    const byDigest = { ...conf, reference: `${name}@${image.raw.digest}` };
    const { verification, image: stored } = await pullImage(repository, byDigest);
    assert.deepEqual([verification.level, stored.name], ['digest', `${name}@${image.raw.digest}`]);
  });

  it('tells that nothing vouches for what was taken so, also in the repository', async (t) => {
    const { name } = await served(await imageIn(t, [layer('a')]));
    const repository = newStorage(t);
    const events: ProgressEvent[] = [];
    const progress = (event: ProgressEvent): void => void events.push(event);
    const { verification } = await pulled(t, repository, `${name}:v1`, { ...over, progress });
    assert.equal(verification.level, 'none');
    assert.deepEqual(findImage(repository, `${name}:v1`)?.verification, verification);
    assert.ok(events.some(({ kind }) => kind === 'warning'));
  });

  it('takes the newest tag within the bounds', async (t) => {
    const image = await imageIn(t, [layer('a')]);
    const { name, push } = await served(image, '1.2');
    for (const tag of ['1.10', '2.0', '1.11-beta', 'latest']) push(image, tag);
    const repository = newStorage(t);
    const version = (preReleases: boolean) => ({ ...over, tagVersion: { pattern: '1.*', preReleases } });
    assert.equal((await pulled(t, repository, name, version(false))).image.name, `${name}:1.10`);
    assert.equal((await pulled(t, repository, name, version(true))).image.name, `${name}:1.11-beta`);
    await assert.rejects(pulled(t, repository, `${name}:1.2`, version(false)), { code: 'BAD_VALUE' });
    const none = { ...over, tagVersion: { pattern: '3.*', preReleases: false } };
    await assert.rejects(pulled(t, repository, name, none), { code: 'NO_MATCHING_TAG' });
  });
});

describe('an image that is pulled', () => {
  it('is put together from its layers, whiteouts done and devices left out', async (t) => {
    const device = { major: 1, minor: 3 };
    const { name } = await imageIn(t, [
      [
        { path: 'dev', type: 'directory', mode: 0o755 },
        { path: 'dev/null', type: 'character', device },
        { path: 'etc/old', content: 'old' },
        { path: 'etc/kept', content: 'kept' },
        { path: 'opt/x', content: 'x' },
      ],
      [
        { path: 'etc/.wh.old', content: '' },
        { path: 'opt/.wh..wh..opq', content: '' },
        { path: 'opt/y', content: 'y' },
      ],
    ]);
    const repository = newStorage(t);
    const { skippedFiles } = await pulled(t, repository, name);
    assert.deepEqual(skippedFiles, ['dev/null']);
    assert.deepEqual(await tree(repository, 'localhost/app:v1'), {
      'dev/': '755',
      'etc/': '755',
      'etc/kept': '644 kept',
      'opt/': '755',
      'opt/y': '644 y',
    });
  });

  it('may have hard links to files of the layers below, which are other files over another base', async (t) => {
    const link: SampleEntry[] = [{ path: 'b', type: 'hardlink', linkTarget: 'a' }];
    const first = await imageIn(t, [layer('a', 'one'), link]);
    const second = await imageIn(t, [layer('a', 'two'), link]);
    assert.equal(first.layers[1]?.digest, second.layers[1]?.digest);
    const repository = newStorage(t);
    await pulled(t, repository, first.name, { name: 'localhost/first' });
    assert.deepEqual(await tree(repository, 'localhost/first'), { a: '644 one', b: '644 one' });
    const { fetchedLayers } = await pulled(t, repository, second.name, { name: 'localhost/second' });
    assert.equal(fetchedLayers, 2);
    assert.deepEqual(await tree(repository, 'localhost/second'), { a: '644 two', b: '644 two' });
  });

  it('is not put together with a layer whose hard links were followed over another base', async (t) => {
    const link: SampleEntry[] = [{ path: 'b', type: 'hardlink', linkTarget: 'a' }];
    const repository = newStorage(t);
    const first = await imageIn(t, [layer('a', 'one'), link]);
    await pulled(t, repository, first.name, { name: 'localhost/first' });
    await pulled(t, repository, (await imageIn(t, [layer('a', 'two'), link])).name, { name: 'localhost/second' });
    await assert.rejects(tree(repository, 'localhost/first'), { code: 'BAD_STORED_IMAGE', hint: /pull/ });
    await pulled(t, repository, first.name, { name: 'localhost/first' });
    assert.deepEqual(await tree(repository, 'localhost/first'), { a: '644 one', b: '644 one' });
  });

  it('has no more layers than anybody needs', async (t) => {
    const { name } = await imageIn(t, new Array(1001).fill(layer('a')));
    await assert.rejects(planPull(undefined, pullRequest(t, name)), { code: 'TOO_LARGE' });
  });

  it('is refused when a hard link leads nowhere', async (t) => {
    const { name } = await imageIn(t, [layer('a'), [{ path: 'b', type: 'hardlink', linkTarget: 'missing' }]]);
    const repository = newStorage(t);
    await assert.rejects(pulled(t, repository, name), { code: 'LAYER_LINK' });
    assert.equal(findImage(repository, 'localhost/app:v1'), undefined);
  });

  it('can be read by an ordinary user whatever its modes are', async (t) => {
    const { name } = await imageIn(t, [
      [
        { path: 'd', type: 'directory', mode: 0 },
        { path: 'd/x', content: 'x', mode: 0 },
      ],
    ]);
    const repository = newStorage(t, 'bare-user');
    await pulled(t, repository, name, { access: 'user' });
    assert.deepEqual(await tree(repository, 'localhost/app:v1'), { 'd/': '700', 'd/x': '600 x' });
  });

  it('is the one for the platform, of several', async (t) => {
    const directory = join(scratch(t), 'app');
    const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }));
    const { members } = await makeIndex(
      directory,
      platforms.map((platform) => ({ layers: [layer(platform.architecture)], platform })),
      'v1',
    );
    const repository = newStorage(t);
    const name = `oci:${directory}:v1`;
    for (const [i, platform] of platforms.entries()) {
      const { image } = await pulled(t, repository, name, { platform });
      assert.equal(image.digest, members[i]?.raw.digest);
    }
    const platform = { os: 'linux', architecture: 's390x' };
    await assert.rejects(pulled(t, repository, name, { platform }), { code: 'PLATFORM_MISSING', hint: /amd64/ });
  });

  it('may have no layers more than once, and each is stored with what is known of it', async (t) => {
    const twice = layer('a');
    const { name, layers, diffIds, tars } = await imageIn(t, [twice, layer('b'), twice]);
    const repository = newStorage(t);
    const { fetchedLayers } = await pulled(t, repository, name);
    assert.equal(fetchedLayers, 2);
    const [descriptor] = layers;
    assert.ok(descriptor);
    const facts = layerFacts(repository, descriptor.digest);
    assert.deepEqual(
      [facts?.size, facts?.uncompressedSize, facts?.diffId],
      [descriptor.size, tars[0]?.length, diffIds[0]],
    );
    const commit = objectsOf(repository).commit(facts?.commit ?? '');
    assert.deepEqual([commit.parent, commit.subject, commit.body], [undefined, '', '']);
  });

  it('is told of as it was of old', async (t) => {
    const { name, layers, configDescriptor } = await imageIn(t, [layer('a')]);
    const lines: string[] = [];
    const progress = (event: ProgressEvent): void => {
      if (event.kind === 'note') lines.push(event.text);
    };
    await pulled(t, newStorage(t), name, { progress });
    assert.deepEqual(
      lines.filter((line) => !line.startsWith('there is no policy.json')),
      [
        'Getting image source signatures',
        `Copying blob ${layers[0]?.digest}`,
        `Copying config ${configDescriptor.digest}`,
        'Writing manifest to image destination',
        'Storing signatures',
      ],
    );
    assert.equal(lines.length, 6);
  });
});

describe('an image that was damaged', () => {
  it('is mended by a pull, once a check has found out', async (t) => {
    const { name } = await imageIn(t, [layer('a'), layer('b')]);
    const repository = newStorage(t, 'bare-user');
    const { image } = await pulled(t, repository, name);
    await tree(repository, image.name);
    const [object] = [...commitFiles(repository, image.layers[0] ?? 'sha256:')];
    assert.ok(object);
    appendFileSync(objectsOf(repository).find(object, 'file')?.path ?? '', 'more');
    const { findings } = await fsck(repository, { delete: true, signal: OPTIONS.signal });
    assert.equal(findings.length, 1);
    const again = await pulled(t, repository, name);
    assert.deepEqual([again.isNew, again.fetchedLayers], [true, 1]);
    assert.deepEqual(await tree(repository, image.name), { a: '644 a', b: '644 b' });
    await pruneImages(lines(), repository, { ...OPTIONS, inUse: () => [] });
    assert.equal((await fsck(repository, { signal: OPTIONS.signal })).isSound, true);
  });
});

function commitFiles(repository: Repository, digest: StoredImage['digest']) {
  const reader = objectsOf(repository);
  const { rootTree } = reader.commit(layerFacts(repository, digest)?.commit ?? '');
  return reader.dirTree(rootTree).files.map(({ checksum }) => checksum);
}

describe('what vouches for an image', () => {
  const setup = async (t: TestContext) => ({ ...(await imageIn(t, [layer('a')])), repository: newStorage(t) });

  it('is the policy, where there is one', async (t) => {
    const { name, repository } = await setup(t);
    await assert.rejects(pulled(t, repository, name, { policy: policyOf('reject') }), { code: 'POLICY_REJECTED' });
    const policy = policyOf('insecureAcceptAnything');
    const { verification } = await pulled(t, repository, name, { policy });
    assert.deepEqual(verification, { level: 'transport', scope: 'default', keys: [] });
  });

  it('is a signature and nothing else, when one is required', async (t) => {
    const { name, repository } = await setup(t);
    for (const policy of [undefined, policyOf('insecureAcceptAnything')]) {
      const request = { policy, requireSignature: true };
      await assert.rejects(pulled(t, repository, name, request), { code: 'SIGNATURE_MISSING' });
    }
  });

  it('is never less than it was for what is installed', async (t) => {
    const { name, repository } = await setup(t);
    const floor = (level: 'digest' | 'signed' | 'transport') => ({ floor: { level, scope: undefined, keys: [] } });
    await assert.rejects(pulled(t, repository, name, floor('digest')), { code: 'VERIFICATION_WEAKER' });
    await assert.rejects(pulled(t, repository, name, floor('signed')), { code: 'SIGNATURE_MISSING' });
    await pulled(t, repository, name, floor('transport'));
  });

  it('is remembered when it is more than before, and not forgotten when it is less', async (t) => {
    const { name, repository, raw } = await setup(t);
    const { image } = await pulled(t, repository, name);
    assert.equal(image.verification?.level, 'transport');
    const branch = refs(repository).find((ref) => ref.includes('app')) ?? '';
    const { writeImageBranch } = await import('../storage/index.ts');
    const { withTransaction } = await import('../../ostree/index.ts');
    const set = (level: 'none' | 'signed') =>
      withTransaction(repository, OPTIONS, async (transaction) => {
        const verification = { level, scope: undefined, keys: [] };
        writeImageBranch(transaction, { name: image.name, manifest: raw, signatures: [], verification }, 1);
      });
    await set('none');
    const better = await pulled(t, repository, name);
    assert.deepEqual([better.isNew, better.image.verification?.level], [false, 'transport']);
    await set('signed');
    const kept = await pulled(t, repository, name);
    assert.deepEqual([kept.verification.level, kept.image.verification?.level], ['signed', 'signed']);
    assert.ok(branch.endsWith('_3Av1'));
  });
});

describe('an image in another repository', () => {
  it('is copied with its layers, under its name or another', async (t) => {
    const { name } = await imageIn(t, [layer('a'), layer('b')]);
    const from = newStorage(t, 'bare-user');
    const { image } = await pulled(t, from, name);
    const into = newStorage(t);
    const reference = `ostree:localhost/app:v1@${from.path}`;
    const plan = await planPull(into, pullRequest(t, reference));
    assert.deepEqual([plan.isStored, plan.layers.length], [false, 2]);
    const copied = await pulled(t, into, reference, { name: 'localhost/copy' });
    assert.deepEqual([copied.isNew, copied.fetchedLayers, copied.image.digest], [true, 2, image.digest]);
    assert.deepEqual(await tree(into, 'localhost/copy'), { a: '644 a', b: '644 b' });
    assert.equal((await pulled(t, into, reference, { name: 'localhost/copy' })).isNew, false);
  });

  it('obeys the policy for such places, and is never as good as a signed one', async (t) => {
    const { name } = await imageIn(t, [layer('a')]);
    const from = newStorage(t);
    await pulled(t, from, name);
    const into = newStorage(t);
    const reference = `ostree:localhost/app:v1@${from.path}`;
    const reject = policyOf('reject').policy.default;
    const policy = (scope: string): FoundPolicy => ({
      path: '',
      policy: {
        ...policyOf('insecureAcceptAnything').policy,
        transports: new Map([['ostree', new Map([[scope, reject]])]]),
      },
    });
    for (const scope of ['', from.path, `${from.path}:localhost/app:v1`, `${from.path}:localhost`]) {
      await assert.rejects(pulled(t, into, reference, { policy: policy(scope) }), { code: 'POLICY_REJECTED' });
    }
    await assert.rejects(pulled(t, into, reference, { requireSignature: true }), { code: 'SIGNATURE_MISSING' });
    const floor = { level: 'signed', scope: undefined, keys: [] } as const;
    await assert.rejects(pulled(t, into, reference, { floor }), { code: 'VERIFICATION_WEAKER' });
    const { verification } = await pulled(t, into, reference, { policy: policy('/other') });
    assert.deepEqual(verification, { level: 'transport', scope: 'default', keys: [] });
  });

  it('has to be there', async (t) => {
    const from = newStorage(t);
    await assert.rejects(pulled(t, newStorage(t), `ostree:x/y@${from.path}`), { code: 'IMAGE_NOT_STORED' });
  });
});
