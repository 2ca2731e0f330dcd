/** Copies between every pair of places, read with skopeo: what keeps digests keeps them, the rest keeps what unpacks. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as zlib from 'node:zlib';
import {
  copied,
  PLAIN_DESTINATION,
  PLAIN_SOURCE,
  runCopy,
  runImage,
  skopeoCopy,
  skopeoRaw,
} from '../e2e/image-program.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { needs } from '../support/needs.ts';
import { type MadeImage, makeImage, makeIndex } from '../support/oci-image.ts';
import { must, run } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';

const TLS = [PLAIN_SOURCE, PLAIN_DESTINATION];
const EXACT = ['docker', 'oci', 'oci-archive', 'dir'] as const;
const ALL = [...EXACT, 'docker-archive'] as const;
type Place = (typeof ALL)[number];

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

describe('copies', { skip: needs('skopeo', 'docker-registry') }, () => {
  let folder: string;
  let registry: DockerRegistry;
  let image: MadeImage;
  let docker: MadeImage;
  let index: Awaited<ReturnType<typeof makeIndex>>;
  let layout: string;
  let count = 0;

  before(async () => {
    folder = makeScratch();
    registry = await startDockerRegistry({ delete: true });
    layout = `oci:${join(folder, 'layout')}`;
    image = await makeImage(join(folder, 'layout'), { tag: 'v1' });
    index = await makeIndex(
      join(folder, 'layout'),
      [
        { platform: { os: 'linux', architecture: 'amd64' } },
        { platform: { os: 'linux', architecture: 'arm64', variant: 'v8' }, packing: 'none' },
      ],
      'many',
    );
    docker = await makeImage(join(folder, 'layout'), { tag: 'docker', docker: true });
  });
  after(async () => {
    await registry.stop();
    removeTree(folder);
  });

  const nameIn = (place: Place, name: string): string => {
    const path = join(folder, name);
    const names: Readonly<Record<Place, string>> = {
      docker: `docker://${registry.host}/test/${name}:v1`,
      oci: `oci:${path}:v1`,
      'oci-archive': `oci-archive:${path}.tar:v1`,
      dir: `dir:${path}`,
      'docker-archive': `docker-archive:${path}.docker.tar:example.com/test:v1`,
    };
    return names[place];
  };
  const configOf = async (name: string): Promise<string> => sha256(await skopeoRaw(name, '--config'));

  for (const source of EXACT) {
    for (const destination of EXACT) {
      it(`from ${source}: to ${destination}: keep the digest, also back through skopeo`, async () => {
        const name = `${source}-${destination}`;
        const [from, to] = [nameIn(source, `from-${name}`), nameIn(destination, `to-${name}`)];
        await skopeoCopy('--preserve-digests', `${layout}:v1`, from);
        assert.equal(await copied([from, to, ...TLS]), image.raw.digest);
        assert.deepEqual(await skopeoRaw(to), Buffer.from(image.raw.bytes));
        await skopeoCopy('--preserve-digests', to, `dir:${join(folder, `seen-${name}`)}`); // every blob is read
      });
    }
  }

  /** What unpacks is the same; whether layers come packed, too. How they are packed is each program's own. */
  async function sameImage(ours: string, theirs: string): Promise<void> {
    assert.equal(await configOf(ours), image.configDescriptor.digest);
    assert.equal(await configOf(theirs), image.configDescriptor.digest);
    const [a, b] = [await skopeoRaw(ours), await skopeoRaw(theirs)].map((raw) => JSON.parse(raw.toString()));
    assert.deepEqual([a.mediaType, a.config], [b.mediaType, b.config], `${ours} and ${theirs}`);
    const each = (key: string) => [a, b].map(({ layers }) => layers.map((layer: Record<string, string>) => layer[key]));
    const isPlain = ours.startsWith('dir:'); // where skopeo says that they are packed, and they are not
    const [own, other] = each(isPlain ? 'digest' : 'mediaType');
    assert.deepEqual(own, other, `${ours} and ${theirs}`);
    // It checks every diff id when it unpacks, so that the archive has exactly the tars.
    const seen = nameIn('docker-archive', `unpacked-${count++}`);
    await skopeoCopy(ours, seen);
    const tars = JSON.parse((await skopeoRaw(seen)).toString()).layers.map(({ digest }: { digest: string }) => digest);
    assert.deepEqual(tars, image.diffIds);
  }

  let storage: Promise<unknown> | undefined;
  /** The name of the image in a storage of podman, brought there by skopeo. */
  async function stored(): Promise<string> {
    const name = `containers-storage:[vfs@${join(folder, 'storage')}+${join(folder, 'run')}]localhost/test:v1`;
    storage ??= must('skopeo', ['--insecure-policy', 'copy', '-q', `${layout}:v1`, name]);
    await storage;
    return name;
  }

  for (const place of ALL) {
    it(`from ${place}: to docker-archive: have the bytes of skopeo's own copy`, async () => {
      const from = nameIn(place, `for-archive-${place}`);
      await skopeoCopy(`${layout}:v1`, from);
      const [ours, theirs] = [nameIn('docker-archive', `ours-${place}`), nameIn('docker-archive', `theirs-${place}`)];
      await copied([from, ours, ...TLS]);
      await skopeoCopy(from, theirs);
      assert.deepEqual(await skopeoRaw(ours), await skopeoRaw(theirs));
      const archive = (who: string) => readFileSync(join(folder, `${who}-${place}.docker.tar`));
      const names = (tar: Buffer) => must('tar', ['-tf', '-'], { input: tar }).then(({ stdout }) => stdout);
      assert.equal(await names(archive('ours')), await names(archive('theirs')));
    });

    it(`from docker-archive: to ${place}: are packed as skopeo's own copy, and unpack to the same`, async () => {
      const from = nameIn('docker-archive', `packed-for-${place}`);
      await skopeoCopy(`${layout}:v1`, from);
      const [ours, theirs] = [nameIn(place, `archived-${place}`), nameIn(place, `archived-theirs-${place}`)];
      await copied([from, ours, ...TLS]);
      await skopeoCopy(from, theirs);
      await sameImage(ours, theirs);
    });
  }

  it('to docker-archive: that have to keep the digest are refused, as by skopeo', async () => {
    for (const place of EXACT) {
      const [from, to] = [nameIn(place, `kept-${place}`), nameIn('docker-archive', `not-kept-${place}`)];
      await skopeoCopy(`${layout}:v1`, from);
      const ended = await runCopy([from, to, ...TLS, '--preserve-digests', '--json']);
      assert.deepEqual([ended.status, JSON.parse(ended.stdout).code], [3, 'DIGEST_WOULD_CHANGE'], place);
      assert.equal(existsSync(join(folder, `not-kept-${place}.docker.tar`)), false);
      const theirs = ['--insecure-policy', 'copy', '-q', '--src-tls-verify=false', '--preserve-digests', from, to];
      assert.notEqual((await run('skopeo', theirs)).status, 0, place);
    }
  });

  for (const place of EXACT) {
    it(`to docker-archive: from ${place}: and back keep the configuration and the diff ids`, async () => {
      const [from, archive, to] = [
        nameIn(place, `whole-${place}`),
        nameIn('docker-archive', `packed-${place}`),
        nameIn(place, `back-${place}`),
      ];
      await copied([`${layout}:v1`, from, ...TLS]);
      await copied([from, archive, ...TLS]);
      assert.equal(await configOf(archive), image.configDescriptor.digest);
      await copied([archive, to, ...TLS]);
      assert.equal(await configOf(to), image.configDescriptor.digest);
      await skopeoCopy(to, `oci:${join(folder, `seen-back-${place}`)}:v1`); // skopeo checks diff ids when it packs
    });
  }

  it('of an index keep it whole, and read it as skopeo does', async () => {
    for (const place of EXACT) {
      const [to, seen] = [nameIn(place, `index-${place}`), `dir:${join(folder, `seen-index-${place}`)}`];
      assert.equal(await copied(['--all', `${layout}:many`, to, ...TLS]), index.raw.digest);
      assert.deepEqual(await skopeoRaw(to), Buffer.from(index.raw.bytes));
      await skopeoCopy('--all', '--preserve-digests', to, seen);
      assert.equal(await copied(['--all', seen, nameIn('oci', `again-${place}`)]), index.raw.digest);
    }
  });

  it('choose the image of a platform as skopeo does', async () => {
    const to = nameIn('dir', 'chosen');
    const arm = index.members[1]?.raw;
    assert.equal(await copied(['--platform=linux/arm64', `${layout}:many`, to]), arm?.digest);
    const theirs = `dir:${join(folder, 'chosen-by-skopeo')}`;
    await must('skopeo', ['--insecure-policy', '--override-arch=arm64', 'copy', '-q', `${layout}:many`, theirs]);
    assert.deepEqual(await skopeoRaw(theirs), Buffer.from(arm?.bytes ?? []));
  });

  it('of Docker schema 2 into a registry and back keep the digest; in a layout they are OCI, as with skopeo', async () => {
    const [pushed, seen] = [nameIn('docker', 'docker-v2'), nameIn('dir', 'docker-v2')];
    const { digest } = docker.raw;
    assert.equal(await copied([`${layout}:docker`, pushed, ...TLS, '--format=v2s2']), digest);
    assert.equal(await copied([pushed, seen, ...TLS]), digest);
    const [ours, theirs] = [nameIn('oci', 'ours'), nameIn('oci', 'theirs')];
    await copied([pushed, ours, ...TLS]);
    await skopeoCopy(pushed, theirs);
    const [a, b] = [await skopeoRaw(ours), await skopeoRaw(theirs)].map((raw) => JSON.parse(raw.toString()));
    assert.deepEqual(a.layers, b.layers);
    assert.deepEqual(a.config, b.config);
  });

  for (const packing of ['zstd', 'gzip', 'none'] as const) {
    it(`with --dest-compress-format ${packing} unpack to the same diff ids`, async () => {
      const to = nameIn('oci', `packed-as-${packing}`);
      const ended = await runCopy([`${layout}:v1`, to, `--dest-compress-format=${packing}`, '--json']);
      if (packing === 'zstd' && !('createZstdCompress' in zlib)) {
        assert.deepEqual([ended.status, JSON.parse(ended.stdout).code], [1, 'LAYER_UNSUPPORTED']);
        return;
      }
      assert.equal(ended.status, 0, ended.stderr);
      assert.equal(await configOf(to), image.configDescriptor.digest);
      await skopeoCopy(to, nameIn('docker-archive', `unpacked-from-${packing}`));
    });
  }

  it('from containers-storage: keep the configuration and the diff ids', {
    skip: needs('podman', 'root'),
  }, async () => {
    const name = await stored();
    for (const place of ALL) {
      const [ours, theirs] = [nameIn(place, `stored-${place}`), nameIn(place, `stored-theirs-${place}`)];
      await copied([name, ours, ...TLS]);
      await skopeoCopy(name, theirs);
      await sameImage(ours, theirs);
    }
  });

  for (const [title, scope, isAccepted] of [
    ['its whole name', '[vfs@ROOT]localhost/test:v1', true],
    ['its namespace', '[vfs@ROOT]localhost', true],
    ['the storage', '[vfs@ROOT]', true],
    ['the storage of any driver', '[ROOT]', true],
    ['another driver', '[overlay@ROOT]', false],
    ['another tag', '[vfs@ROOT]localhost/test:v2', false],
  ] as const) {
    it(`from containers-storage: are ${isAccepted ? 'accepted' : 'refused'} by a policy about ${title}, as by skopeo`, {
      skip: needs('podman', 'root'),
    }, async () => {
      const name = await stored();
      const policy = join(folder, 'policy.json');
      const scopes = { [scope.replace('ROOT', join(folder, 'storage'))]: [{ type: 'insecureAcceptAnything' }] };
      const transports = { 'containers-storage': scopes };
      writeFileSync(policy, JSON.stringify({ default: [{ type: 'reject' }], transports }));
      const to = (who: string) => `dir:${join(folder, who)}`;
      const theirs = await run('skopeo', ['--policy', policy, 'copy', '-q', name, to('policy-theirs')]);
      const ours = await runImage(['copy', `--policy=${policy}`, name, to('policy-ours')]);
      assert.deepEqual([theirs.status === 0, ours.status], isAccepted ? [true, 0] : [false, 3], theirs.stderr);
    });
  }

  it('into a registry are pulled by podman with their digest, and what it pushes is copied with its digest', {
    skip: needs('podman', 'root'),
  }, async () => {
    const store = ['--root', join(folder, 'podman'), '--runroot', join(folder, 'podman-run'), '--storage-driver=vfs'];
    const podman = (...words: string[]) => must('podman', [...store, ...words]);
    const [pushed, again] = [`${registry.host}/test/for-podman:v1`, `${registry.host}/test/of-podman:v1`];
    await copied([`${layout}:v1`, `docker://${pushed}`, ...TLS]);
    await podman('pull', '-q', '--tls-verify=false', pushed);
    const seen = await podman('image', 'inspect', '--format', '{{.Digest}} {{.Id}}', pushed);
    const id = image.configDescriptor.digest.slice('sha256:'.length);
    assert.equal(seen.stdout.trim(), `${image.raw.digest} ${id}`);
    const digestFile = join(folder, 'podman-digest');
    await podman('push', '-q', '--tls-verify=false', `--digestfile=${digestFile}`, pushed, again);
    const to = nameIn('oci', 'from-podman');
    assert.equal(
      await copied([`docker://${again}`, to, ...TLS, '--preserve-digests']),
      readFileSync(digestFile, 'utf8'),
    );
    assert.equal(await configOf(to), image.configDescriptor.digest);
  });

  it('to a place that only podman writes are refused by name', async () => {
    const ended = await runCopy([`${layout}:v1`, 'containers-storage:localhost/x:v1', '--json']);
    assert.deepEqual([ended.status, JSON.parse(ended.stdout).code], [1, 'TRANSPORT_READ_ONLY']);
    assert.match((await runCopy([`${layout}:v1`, 'docker-daemon:x:v1'])).stderr, /docker save/);
  });

  it('in a registry are listed, described and deleted as skopeo sees it', async () => {
    const name = `docker://${registry.host}/test/listed`;
    for (const tag of ['a', 'b']) await copied([`${layout}:v1`, `${name}:${tag}`, ...TLS]);
    await copied(['--all', `${layout}:many`, `${name}:many`, ...TLS]);
    const tags = await runImage(['list-tags', '--tls-verify=false', name, '--json']);
    assert.deepEqual(JSON.parse(tags.stdout).tags.sort(), ['a', 'b', 'many']);
    const raw = await runImage(['inspect', '--raw', '--tls-verify=false', `${name}:many`]);
    assert.deepEqual(raw.bytes, await skopeoRaw(`${name}:many`));
    const seen = JSON.parse((await runImage(['inspect', '--json', '--tls-verify=false', `${name}:a`])).stdout);
    const theirs = JSON.parse((await must('skopeo', ['inspect', '--tls-verify=false', `${name}:a`])).stdout);
    assert.deepEqual([seen.digest, seen.tags.sort()], [theirs.Digest, theirs.RepoTags.sort()]);
    assert.deepEqual(
      seen.image.layers.map(({ digest }: { digest: string }) => digest),
      theirs.Layers,
    );
    assert.deepEqual([seen.image.created, seen.image.env], [theirs.Created, theirs.Env]);
    const gone = await runImage(['delete', '--tls-verify=false', `${name}:a`]);
    assert.equal(gone.stdout.trim(), image.raw.digest);
    const after = await runImage(['list-tags', '--tls-verify=false', name]);
    assert.equal(after.stdout, 'many\n', 'both tags of the manifest');
  });
});
