import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { readOrigin } from '../config/values.ts';
import { manifestFile, never, sha256 } from '../host.fixture.ts';
import { MANIFEST_LIMIT } from '../manifest/manifest.ts';
import { openOrigin } from './origin.ts';

const LARGE = Buffer.from(Uint32Array.from({ length: 600_001 }, (_, i) => Math.imul(i, 2654435761)).buffer);
const IMAGES = { '1.0': 'one', '2.0': LARGE };

/** A server directory, reached by a `file:` URL; no HTTP client is ever wanted. */
function place(t: TestContext, name = 'server') {
  const path = join(scratch(t), name);
  fs.mkdirSync(join(path, 'store'), { recursive: true });
  for (const content of Object.values(IMAGES)) fs.writeFileSync(join(path, 'store', sha256(content)), content);
  fs.writeFileSync(join(path, 'manifest'), manifestFile(IMAGES));
  const origin = openOrigin(readOrigin(pathToFileURL(path).href, 'app: line 1'), () => assert.fail('no network'));
  return { path, origin };
}

function sink(size: number, offset = 0) {
  const chunks: Buffer[] = [];
  return {
    size,
    offset,
    onChunk: (chunk: Uint8Array) => void chunks.push(Buffer.from(chunk)),
    onRestart: () => assert.fail('a file needs no second beginning'),
    bytes: () => Buffer.concat(chunks),
    chunks,
  };
}

describe('an origin that is a directory', () => {
  it('gives its manifest, without a tag', async (t) => {
    const { origin } = place(t);
    const answer = await origin.readManifest('"tag"', never);
    assert.deepEqual(answer, { kind: 'document', bytes: Buffer.from(manifestFile(IMAGES)), etag: undefined });
  });

  it('gives images whole, in pieces, or from where one had been left', async (t) => {
    const { origin } = place(t);
    const whole = sink(LARGE.length);
    await origin.readImage(sha256(LARGE), whole, never);
    assert.ok(whole.bytes().equals(LARGE) && whole.chunks.length > 2);
    const rest = sink(3, 1);
    await origin.readImage(sha256('one'), rest, never);
    assert.equal(rest.bytes().toString(), 'ne');
  });

  it('may have a name that a URL has to escape', async (t) => {
    const { origin } = place(t, 'ein ordner %41 #ü');
    assert.equal((await origin.readManifest(undefined, never)).kind, 'document');
  });

  it('may have its files behind links: the administrator named it', async (t) => {
    const { path, origin } = place(t);
    fs.renameSync(join(path, 'manifest'), join(path, 'other'));
    fs.symlinkSync('other', join(path, 'manifest'));
    assert.equal((await origin.readManifest(undefined, never)).kind, 'document');
  });

  it('that lacks a file, or has something else there, says so and does not wait', {
    skip: needs('mkfifo'),
  }, async (t) => {
    const { path, origin } = place(t);
    await assert.rejects(origin.readImage(sha256('none'), sink(3), never), { code: 'ORIGIN_UNREADABLE' });
    fs.rmSync(join(path, 'manifest'));
    await assert.rejects(origin.readManifest(undefined, never), { code: 'ORIGIN_UNREADABLE' });
    execFileSync('mkfifo', [join(path, 'manifest')]);
    await assert.rejects(origin.readManifest(undefined, never), { code: 'ORIGIN_UNREADABLE' });
    fs.rmSync(join(path, 'manifest'));
    fs.mkdirSync(join(path, 'manifest'));
    await assert.rejects(origin.readManifest(undefined, never), { code: 'ORIGIN_UNREADABLE' });
  });

  it('with an image of another size gives no byte of it', async (t) => {
    const { origin } = place(t);
    for (const size of [2, 4]) {
      const target = sink(size);
      await assert.rejects(origin.readImage(sha256('one'), target, never), { code: 'HTTP_LENGTH' });
      assert.equal(target.chunks.length, 0);
    }
  });

  it('with an image that becomes shorter meanwhile is interrupted', async (t) => {
    const { path, origin } = place(t);
    const target = sink(LARGE.length);
    const onChunk = (chunk: Uint8Array): void => {
      target.onChunk(chunk);
      fs.truncateSync(join(path, 'store', sha256(LARGE)), chunk.length);
    };
    await assert.rejects(origin.readImage(sha256(LARGE), { ...target, onChunk }, never), { code: 'HTTP_INTERRUPTED' });
  });

  it('with a manifest beyond the limit is refused', async (t) => {
    const { path, origin } = place(t);
    fs.truncateSync(join(path, 'manifest'), MANIFEST_LIMIT + 1);
    await assert.rejects(origin.readManifest(undefined, never), { code: 'TOO_LARGE' });
  });

  it('stops at the signal', async (t) => {
    const { origin } = place(t);
    const controller = new AbortController();
    const reason = new Error('enough');
    const target = { ...sink(LARGE.length), onChunk: () => controller.abort(reason) };
    await assert.rejects(origin.readImage(sha256(LARGE), target, controller.signal), reason);
  });
});
