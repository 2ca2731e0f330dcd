/** Layouts and archives of layouts cross both ways between this project and skopeo, umoci and podman. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  choosePlatform,
  createLayout,
  type Layout,
  openLayer,
  openLayout,
  openOciArchive,
  parseConfig,
  parseManifest,
  parsePlatform,
  writeOciArchive,
} from '../../src/oci/index.ts';
import { needs, searchPath } from '../support/needs.ts';
import { addArtifact, makeImage, makeIndex, noise } from '../support/oci-image.ts';
import { scratch } from '../support/scratch.ts';

const signal = new AbortController().signal;
const LAYERS = [
  [
    { path: 'etc/file', content: 'one\n' },
    { path: 'big', content: noise(300_000) },
  ],
  [
    { path: 'etc/.wh.file', content: '' },
    { path: `${'long/'.repeat(40)}name`, content: 'x' },
  ],
];

function run(program: string, ...args: readonly string[]) {
  // No signature policy of the machine takes part, nor its mirrors.
  const words = program === 'skopeo' ? ['--insecure-policy', ...args] : args;
  const { status, stdout, stderr } = spawnSync(program, words, {
    encoding: 'utf8',
    env: { ...process.env, PATH: searchPath() },
  });
  return { status, stdout, stderr };
}

function must(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = run(program, ...args);
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function opened(t: TestContext, directory: string): Layout {
  const layout = openLayout(directory);
  t.after(() => layout.close());
  return layout;
}

/** Every layer unpacked and verified. */
async function verify(layout: Layout, tag?: string): Promise<void> {
  const reader = layout.image(tag);
  const manifest = parseManifest(await reader.readManifest(undefined, signal));
  assert.ok(manifest.kind === 'image');
  const chunks: Buffer[] = [];
  for await (const chunk of reader.readBlob(manifest.config, 0, signal)) chunks.push(Buffer.from(chunk));
  const { diff_ids: diffIds } = parseConfig(Buffer.concat(chunks)).rootfs;
  for (const [i, layer] of manifest.layers.entries()) {
    const diffId = diffIds[i];
    assert.ok(diffId !== undefined);
    for await (const _ of openLayer(layer, reader.readBlob(layer, 0, signal), { diffId, limit: 1e9, signal }));
  }
}

describe('a layout of ours and skopeo', { skip: needs('skopeo') }, () => {
  for (const packing of ['gzip', 'none'] as const) {
    it(`have the same manifest, with layers packed as ${packing}`, async (t) => {
      const folder = scratch(t);
      const ours = join(folder, 'ours');
      const image = await makeImage(ours, { tag: '1.0', packing, layers: LAYERS, annotations: { 'org.example': 'ü' } });
      assert.equal(must('skopeo', 'inspect', '--raw', `oci:${ours}:1.0`), Buffer.from(image.raw.bytes).toString());
      must('skopeo', 'copy', '--preserve-digests', `oci:${ours}:1.0`, `oci:${folder}/theirs:1.0`);
      must('skopeo', 'copy', '--preserve-digests', `oci:${ours}:1.0`, `oci-archive:${folder}/theirs.tar:1.0`);
      const theirs = opened(t, join(folder, 'theirs'));
      assert.equal(theirs.find('1.0').digest, image.raw.digest);
      await verify(theirs, '1.0');
      writeFileSync(join(folder, 'theirs.tar.gz'), gzipSync(readFileSync(join(folder, 'theirs.tar'))));
      for (const name of ['theirs.tar', 'theirs.tar.gz']) {
        const archive = await openOciArchive(join(folder, name), signal);
        t.after(() => archive.close());
        assert.equal(archive.find('1.0').digest, image.raw.digest);
        await verify(archive, '1.0');
      }
    });
  }

  it("take turns in one directory, and see each other's tags", async (t) => {
    const folder = scratch(t);
    const [here, there] = [join(folder, 'here'), join(folder, 'there')];
    const first = await makeImage(here, { tag: 'first', layers: LAYERS });
    const second = await makeImage(there, { tag: 'second' });
    must('skopeo', 'copy', '--preserve-digests', `oci:${there}:second`, `oci:${here}:second`);
    const third = await makeImage(here, { tag: 'third', layers: [] });
    const layout = opened(t, here);
    assert.deepEqual(layout.tags(), ['first', 'second', 'third']);
    for (const [tag, { raw }] of Object.entries({ first, second, third })) {
      assert.equal(must('skopeo', 'inspect', '--raw', `oci:${here}:${tag}`), Buffer.from(raw.bytes).toString());
      assert.equal(layout.find(tag).digest, raw.digest);
    }
    assert.notEqual(run('skopeo', 'inspect', `oci:${here}`).status, 0, 'skopeo, too, wants a tag then');
  });

  it('agree about an image without a tag', async (t) => {
    const folder = scratch(t);
    const image = await makeImage(join(folder, 'ours'), {});
    must('skopeo', 'copy', '--preserve-digests', `oci:${folder}/ours`, `oci:${folder}/theirs`);
    assert.equal(opened(t, join(folder, 'theirs')).find().digest, image.raw.digest);
  });

  it('copy a whole index without changing it, and choose the same member', async (t) => {
    const folder = scratch(t);
    const platforms = ['linux/amd64', 'linux/arm/v6', 'linux/arm/v7', 'linux/arm64/v8', 'linux/s390x', 'windows/amd64'];
    const samples = platforms.map((text) => ({ platform: parsePlatform(text), config: { author: text } }));
    const { raw, members } = await makeIndex(join(folder, 'ours'), samples, 'all');
    must('skopeo', 'copy', '--preserve-digests', '--all', `oci:${folder}/ours:all`, `oci:${folder}/theirs:all`);
    const layout = opened(t, join(folder, 'theirs'));
    assert.equal(layout.find('all').digest, raw.digest);
    for (const { raw: member } of members)
      assert.deepEqual(layout.readManifest(member.digest).bytes, Buffer.from(member.bytes));
    const index = parseManifest(layout.readManifest(raw.digest));
    assert.ok(index.kind === 'index');
    for (const wanted of [
      'linux/amd64',
      'linux/arm/v7',
      'linux/arm/v6',
      'linux/arm/v5',
      'linux/arm64',
      'linux/arm64/v8',
      'linux/riscv64',
      'windows/amd64',
    ]) {
      const { os, architecture, variant = '' } = parsePlatform(wanted);
      const override = [
        '--override-os',
        os,
        '--override-arch',
        architecture,
        ...(variant === '' ? [] : ['--override-variant', variant]),
      ];
      const theirs = run('skopeo', ...override, 'inspect', '--config', '--raw', `oci:${folder}/ours:all`);
      const chosen = choosePlatform(index, parsePlatform(wanted));
      const ours = members.find(({ raw: { digest } }) => digest === chosen?.digest)?.config.author;
      assert.equal(theirs.status === 0 ? JSON.parse(theirs.stdout).author : undefined, ours, wanted);
    }
  });

  it('copy an artifact about an image without changing it', async (t) => {
    const folder = scratch(t);
    const image = await makeImage(join(folder, 'ours'), { tag: 'image' });
    const layout = await createLayout(join(folder, 'ours'));
    const words = { artifactType: 'application/x-statement', subject: image.descriptor, content: Buffer.from('true') };
    const { descriptor, raw, blob } = await addArtifact(layout, words);
    layout.setTag(descriptor, 'statement');
    layout.flush();
    layout.close();
    assert.equal(must('skopeo', 'inspect', '--raw', `oci:${folder}/ours:statement`), Buffer.from(raw.bytes).toString());
    must('skopeo', 'copy', '--preserve-digests', `oci:${folder}/ours:statement`, `oci:${folder}/theirs:statement`);
    const theirs = opened(t, join(folder, 'theirs'));
    const parsed = parseManifest(theirs.readManifest(theirs.find('statement').digest));
    assert.ok(parsed.kind === 'image');
    assert.deepEqual(
      [parsed.artifactType, parsed.subject, parsed.layers],
      [words.artifactType, image.descriptor, [blob]],
    );
  });

  for (const format of ['zstd', 'zstd:chunked']) {
    it(`agree about layers that skopeo packs as ${format}`, async (t) => {
      const folder = scratch(t);
      const { diffIds } = await makeImage(join(folder, 'ours'), { tag: 'x', layers: LAYERS, packing: 'none' });
      must('skopeo', 'copy', '--dest-compress-format', format, `oci:${folder}/ours:x`, `oci:${folder}/theirs:x`);
      const layout = opened(t, join(folder, 'theirs'));
      const manifest = parseManifest(layout.readManifest(layout.find('x').digest));
      assert.ok(manifest.kind === 'image');
      assert.deepEqual(
        manifest.layers.map(({ mediaType }) => mediaType),
        diffIds.map(() => 'application/vnd.oci.image.layer.v1.tar+zstd'),
      );
      await verify(layout, 'x');
    });
  }

  it('refuse the same damage', async (t) => {
    const folder = scratch(t);
    const directory = join(folder, 'ours');
    const { layers } = await makeImage(directory, { tag: 'x', layers: LAYERS });
    const [layer] = layers;
    assert.ok(layer !== undefined);
    const path = join(directory, 'blobs', layer.digest.replace(':', '/'));
    const bytes = readFileSync(path);
    writeFileSync(path, Buffer.from(bytes).fill('x', 1000, 1010));
    assert.notEqual(run('skopeo', 'copy', '--preserve-digests', `oci:${directory}:x`, `dir:${folder}/d1`).status, 0);
    await assert.rejects(verify(opened(t, directory), 'x'), { code: 'INVALID_DIGEST' });
    writeFileSync(path, bytes);
    must('skopeo', 'copy', '--preserve-digests', `oci:${directory}:x`, `dir:${folder}/d2`);
    await verify(opened(t, directory), 'x');
    truncateSync(join(directory, 'index.json'), 40);
    assert.notEqual(run('skopeo', 'inspect', `oci:${directory}:x`).status, 0);
    assert.throws(() => openLayout(directory), { code: 'LAYOUT_MALFORMED' });
  });
});

describe('an archive of ours', { skip: needs('skopeo', 'podman') }, () => {
  it('is read by skopeo and podman, with the same digest', { skip: needs('root') }, async (t) => {
    const folder = scratch(t);
    const image = await makeImage(join(folder, 'ours'), { tag: '1.0', layers: LAYERS });
    const layout = opened(t, join(folder, 'ours'));
    const file = join(folder, 'image.tar');
    const archive = await writeOciArchive(file);
    t.after(() => archive.close());
    for (const blob of [image.configDescriptor, ...image.layers]) {
      await archive.writeBlob(blob, (from) => layout.readBlob(blob.digest, from), signal);
    }
    archive.writeManifest(image.raw);
    archive.setTag(image.descriptor, 'localhost/sample:1.0');
    await archive.finish(signal);
    const name = `oci-archive:${file}:localhost/sample:1.0`;
    assert.equal(must('skopeo', 'inspect', '--raw', name), Buffer.from(image.raw.bytes).toString());
    must('skopeo', 'copy', '--preserve-digests', name, `oci:${folder}/theirs:1.0`);
    assert.equal(opened(t, join(folder, 'theirs')).find('1.0').digest, image.raw.digest);
    const store = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
    must('podman', ...store, 'load', '-q', '-i', file);
    const found = must('podman', ...store, 'images', '--format', '{{.Repository}}:{{.Tag}} {{.Digest}}');
    assert.equal(found.trim(), `localhost/sample:1.0 ${image.raw.digest}`);
  });
});

describe('a layout of ours and umoci', { skip: needs('umoci') }, () => {
  it('is unpacked, tagged, and cleaned up without losing anything', async (t) => {
    const folder = scratch(t);
    const directory = join(folder, 'ours');
    const image = await makeImage(directory, { tag: 'one' });
    must('umoci', 'unpack', '--rootless', '--image', `${directory}:one`, join(folder, 'bundle'));
    assert.equal(readFileSync(join(folder, 'bundle/rootfs/usr/bin/same'), 'utf8'), '#!/bin/sh\necho two\n');
    must('umoci', 'tag', '--image', `${directory}:one`, 'two');
    must('umoci', 'gc', '--layout', directory);
    const layout = opened(t, directory);
    assert.deepEqual(layout.tags(), ['one', 'two']);
    await verify(layout, 'two');
    assert.equal(layout.find('two').digest, image.raw.digest);
  });

  it('is what umoci makes, too', async (t) => {
    const directory = join(scratch(t), 'theirs');
    must('umoci', 'init', '--layout', directory);
    must('umoci', 'new', '--image', `${directory}:empty`);
    const image = await makeImage(directory, { tag: 'full' });
    await verify(opened(t, directory), 'empty');
    assert.deepEqual(must('umoci', 'ls', '--layout', directory).trim().split('\n').sort(), ['empty', 'full']);
    rmSync(join(directory, '.partial'), { recursive: true });
    assert.equal(opened(t, directory).find('full').digest, image.raw.digest);
  });
});
