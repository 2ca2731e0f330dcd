/** Archives of Docker, images in directories and the storage of podman, both ways against skopeo and podman. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { copyImage } from '../../src/images/copy/copy.ts';
import { parseImageName } from '../../src/images/image-name.ts';
import { openImages } from '../../src/images/images.ts';
import { digestOf, hostPlatform, MEDIA, parseConfig } from '../../src/oci/index.ts';
import { needs } from '../support/needs.ts';
import { type Finished, run } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { writeLayout } from './layered-image.ts';

const signal = new AbortController().signal;
const NAME = 'localhost/some/app:v1';

async function ok(program: string, ...args: readonly string[]): Promise<Finished> {
  const done = await run(program, args);
  assert.equal(done.status, 0, `${program} ${args.join(' ')}: ${done.stderr}`);
  return done;
}

const skopeoCopy = (from: string, to: string, ...options: readonly string[]) =>
  ok('skopeo', '--insecure-policy', 'copy', '--quiet', ...options, from, to);

/** Ours, as a program would do it. */
async function copy(from: string, to: string, all = false): Promise<void> {
  const env = { HOME: '/nonexistent' };
  const http = { userAgent: 'tako/test', env };
  const images = openImages({ http, env, uid: process.getuid?.() ?? 0, onNote: () => undefined });
  const source = await images.source(parseImageName(from), signal);
  try {
    const destination = await images.destination(parseImageName(to), signal);
    try {
      await copyImage(source, destination, {
        all,
        platform: hostPlatform(),
        preserveDigests: false,
        removeSignatures: false,
        admit: async () => undefined,
        onProgress: () => undefined,
        signal,
      });
    } finally {
      await destination.close();
    }
  } finally {
    await source.close();
    await images.close();
  }
}

/** Two layers with what makes tars hard to make again; the image lies in `LAYOUT:image`. */
async function makeLayout(dir: string): Promise<string> {
  const [one, two] = [join(dir, 'one'), join(dir, 'two')];
  mkdirSync(join(one, 'usr/share'), { recursive: true });
  mkdirSync(join(two, 'usr/share'), { recursive: true });
  writeFileSync(join(one, 'usr/big'), randomBytes(3_000_000));
  writeFileSync(join(one, 'usr/empty'), '');
  for (let i = 0; i < 200; i++) writeFileSync(join(one, 'usr/share', `file-${i}`), `content ${i}\n`.repeat(i));
  writeFileSync(join(one, `usr/${'long'.repeat(50)}`), 'a name for pax');
  writeFileSync(Buffer.concat([Buffer.from(`${one}/usr/latin-`), Buffer.from([0xe9])]), 'not UTF-8');
  symlinkSync('usr/share', join(one, 'link'));
  writeFileSync(join(two, 'usr/share/file-7'), 'another one');
  writeFileSync(join(two, 'usr/share/.wh.file-8'), '');
  const tars = [join(dir, 'one.tar'), join(dir, 'two.tar')] as const;
  await ok('ln', join(one, 'usr/big'), join(one, 'usr/hard'));
  await ok('tar', '-C', one, '--format=pax', '-cf', tars[0], '.');
  await ok('tar', '-C', two, '-cf', tars[1], 'usr');
  const layout = join(dir, 'layout');
  writeLayout(layout, tars);
  return layout;
}

async function setting(t: TestContext) {
  const dir = scratch(t);
  return { dir, layout: await makeLayout(dir), file: (name: string) => join(dir, name) };
}

interface Facts {
  readonly config: string;
  readonly diffIds: readonly string[];
  readonly layers: readonly string[];
  readonly manifest: string;
}

/** What skopeo sees. */
async function factsOf(name: string): Promise<Facts> {
  const raw = (await ok('skopeo', 'inspect', '--raw', name)).bytes;
  const config = (await ok('skopeo', 'inspect', '--raw', '--config', name)).bytes;
  const { layers } = JSON.parse(raw.toString()) as { layers: { digest: string }[] };
  return {
    config: digestOf(config),
    diffIds: parseConfig(config).rootfs.diff_ids,
    layers: layers.map(({ digest }) => digest),
    manifest: digestOf(raw),
  };
}

const kept = ({ config, diffIds }: Facts) => ({ config, diffIds });

describe('an archive of Docker', { skip: needs('skopeo', 'podman', 'tar') }, () => {
  it('that we write is byte for byte what skopeo writes', async (t) => {
    const { layout, file } = await setting(t);
    await skopeoCopy(`oci:${layout}:image`, `docker-archive:${file('theirs.tar')}:${NAME}`);
    await copy(`oci:${layout}:image`, `docker-archive:${file('ours.tar')}:${NAME}`);
    assert.equal(digestOf(readFileSync(file('ours.tar'))), digestOf(readFileSync(file('theirs.tar'))));
    assert.deepEqual(
      readdirSync(file('.')).filter((name) => name.includes('partial')),
      [],
    );
  });

  it('that we write is loaded by podman under its name', async (t) => {
    const { layout, file } = await setting(t);
    await copy(`oci:${layout}:image`, `docker-archive:${file('a.tar')}:${NAME}`);
    const podman = ['--root', file('root'), '--runroot', file('run'), '--storage-driver', 'vfs'];
    await ok('podman', ...podman, 'load', '-i', file('a.tar'));
    const id = (await ok('podman', ...podman, 'image', 'inspect', '--format', '{{.Id}}', NAME)).stdout.trim();
    assert.equal(`sha256:${id}`, (await factsOf(`oci:${layout}:image`)).config);
  });

  it('of skopeo is read with its configuration and diff ids, by name, by number and alone', async (t) => {
    const { layout, file } = await setting(t);
    await skopeoCopy(`oci:${layout}:image`, `docker-archive:${file('a.tar')}:${NAME}`);
    const expected = kept(await factsOf(`oci:${layout}:image`));
    for (const [i, selector] of ['', `:${NAME}`, ':@0'].entries()) {
      await copy(`docker-archive:${file('a.tar')}${selector}`, `dir:${file(`out-${i}`)}`);
      assert.deepEqual(kept(await factsOf(`dir:${file(`out-${i}`)}`)), expected);
    }
  });

  it('of podman with several images gives each of them, and needs to be told which', async (t) => {
    const { layout, file } = await setting(t);
    const podman = ['--root', file('root'), '--runroot', file('run'), '--storage-driver', 'vfs'];
    const store = `[vfs@${file('root')}+${file('run')}]`;
    await skopeoCopy(`oci:${layout}:image`, `containers-storage:${store}${NAME}`);
    await ok('podman', ...podman, 'import', '-q', file('two.tar'), 'localhost/second:2');
    await ok('podman', ...podman, 'save', '-m', '-o', file('many.tar'), NAME, 'localhost/second:2');
    await copy(`docker-archive:${file('many.tar')}:${NAME}`, `dir:${file('first')}`);
    assert.deepEqual(kept(await factsOf(`dir:${file('first')}`)), kept(await factsOf(`oci:${layout}:image`)));
    await copy(`docker-archive:${file('many.tar')}:localhost/second:2`, `dir:${file('second')}`);
    assert.equal((await factsOf(`dir:${file('second')}`)).diffIds.length, 1);
    await assert.rejects(copy(`docker-archive:${file('many.tar')}`, `dir:${file('none')}`), { code: 'TAG_AMBIGUOUS' });
  });
});

describe('an image in a directory', { skip: needs('skopeo', 'tar') }, () => {
  const contents = (dir: string) =>
    Object.fromEntries(readdirSync(dir).map((name) => [name, digestOf(readFileSync(join(dir, name)))]));

  it('that we write is byte for byte what skopeo writes, and replaces another one', async (t) => {
    const { layout, file } = await setting(t);
    await skopeoCopy(`oci:${layout}:image`, `dir:${file('theirs')}`);
    await copy(`oci:${layout}:image`, `dir:${file('ours')}`);
    assert.deepEqual(contents(file('ours')), contents(file('theirs')));
    writeFileSync(join(file('ours'), 'manifest.json'), '{}');
    writeFileSync(join(file('ours'), 'f'.repeat(64)), 'of another image');
    await copy(`oci:${layout}:image`, `dir:${file('ours')}`);
    assert.deepEqual(contents(file('ours')), contents(file('theirs')));
    assert.deepEqual(
      readdirSync(file('.')).filter((name) => name.includes('partial')),
      [],
    );
  });

  it('with an index and its images goes both ways with all digests', async (t) => {
    const { layout, file } = await setting(t);
    makeIndex(layout);
    await skopeoCopy(`oci:${layout}:index`, `dir:${file('theirs')}`, '--all');
    await copy(`oci:${layout}:index`, `dir:${file('ours')}`, true);
    assert.deepEqual(contents(file('ours')), contents(file('theirs')));
    await copy(`dir:${file('theirs')}`, `oci:${file('back')}:index`, true);
    const raw = (await ok('skopeo', 'inspect', '--raw', `oci:${file('back')}:index`)).bytes;
    assert.equal(digestOf(raw), digestOf(readFileSync(join(file('theirs'), 'manifest.json'))));
    await skopeoCopy(`oci:${file('back')}:index`, `dir:${file('again')}`, '--all');
    assert.deepEqual(contents(file('again')), contents(file('theirs')));
  });
});

/** `LAYOUT:index`, an index of the image and of the same image for another machine. */
function makeIndex(layout: string): void {
  const path = join(layout, 'index.json');
  const index = JSON.parse(readFileSync(path, 'utf8')) as { manifests: object[] };
  const [first] = index.manifests;
  const image = { ...first, annotations: undefined };
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA.ociIndex,
      manifests: [{ ...image, platform: { architecture: hostPlatform().architecture, os: 'linux' } }],
    }),
  );
  const digest = digestOf(bytes);
  writeFileSync(join(layout, 'blobs/sha256', digest.slice(7)), bytes);
  const annotations = { 'org.opencontainers.image.ref.name': 'index' };
  index.manifests.push({ mediaType: MEDIA.ociIndex, digest, size: bytes.length, annotations });
  writeFileSync(path, JSON.stringify(index));
}

describe('the storage of podman', { skip: needs('root', 'mount', 'skopeo', 'podman', 'tar') }, () => {
  for (const driver of ['overlay', 'vfs'] as const) {
    it(`with the driver ${driver} gives images with their configurations, layers and diff ids`, async (t) => {
      const { layout, file } = await setting(t);
      const store = `[${driver}@${file('root')}+${file('run')}]`;
      await skopeoCopy(`oci:${layout}:image`, `containers-storage:${store}${NAME}`);
      const id = (await factsOf(`oci:${layout}:image`)).config.slice(7);
      await skopeoCopy(`containers-storage:${store}${NAME}`, `dir:${file('theirs')}`);
      const expected = await factsOf(`dir:${file('theirs')}`);
      for (const [i, image] of [NAME, `@${id}`, `@${id.slice(0, 12)}`, `${NAME}@${id}`].entries()) {
        await copy(`containers-storage:${store}${image}`, `dir:${file(`out-${i}`)}`);
        const found = await factsOf(`dir:${file(`out-${i}`)}`);
        assert.deepEqual({ ...found, manifest: '' }, { ...expected, manifest: '' });
      }
      await copy(`containers-storage:${store}${NAME}`, `docker-archive:${file('ours.tar')}:${NAME}`);
      await skopeoCopy(`containers-storage:${store}${NAME}`, `docker-archive:${file('theirs.tar')}:${NAME}`);
      assert.equal(digestOf(readFileSync(file('ours.tar'))), digestOf(readFileSync(file('theirs.tar'))));
      await copy(`containers-storage:${store}${NAME}`, `oci:${file('packed')}:v1`);
      assert.deepEqual(kept(await factsOf(`oci:${file('packed')}:v1`)), kept(expected));
    });

    it(`with the driver ${driver} gives what podman has built`, async (t) => {
      const { file } = await setting(t);
      const podman = ['--root', file('root'), '--runroot', file('run'), '--storage-driver', driver];
      writeFileSync(file('Containerfile'), 'FROM scratch\nCOPY one /\nCOPY two /\nENV X=1\n');
      const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
      await ok(
        'podman',
        ...podman,
        'build',
        '-q',
        '--isolation',
        'chroot',
        ...limits,
        '-t',
        NAME,
        '--layers',
        file('.'),
      );
      const store = `[${driver}@${file('root')}+${file('run')}]`;
      await copy(`containers-storage:${store}${NAME}`, `dir:${file('ours')}`);
      await skopeoCopy(`containers-storage:${store}${NAME}`, `dir:${file('theirs')}`);
      const [ours, theirs] = [await factsOf(`dir:${file('ours')}`), await factsOf(`dir:${file('theirs')}`)];
      assert.deepEqual(ours, theirs);
      await assert.rejects(copy(`containers-storage:${store}localhost/no`, `dir:${file('none')}`), {
        code: 'IMAGE_MISSING',
      });
    });
  }
});
