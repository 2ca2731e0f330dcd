/** What an update costs: requests at the registry and bytes in the repository (spec ostree-container, part 4, item 8). */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { needs } from '../support/needs.ts';
import { noise } from '../support/oci-image.ts';
import { must, runOstreeContainer } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { fsck, stored } from './store-image.ts';

const PARTS = Array.from({ length: 9 }, (_, i) => `part-${i}`);
/** Of each part; deflate makes nothing of it. */
const BYTES = 400_000;

interface Published {
  readonly layers: readonly { readonly digest: string }[];
}

describe('an update of an image of eleven layers, one package of which has changed', {
  skip: needs('ostree', 'root'),
}, () => {
  it('asks for two layers and takes little more room than what changed; the same again asks for a manifest', async (t) => {
    const registry = await startFakeRegistry();
    t.after(() => registry.close());
    const folder = scratch(t);
    const [source, target, tree] = ['source', 'target', 'tree'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const [i, part] of PARTS.entries()) {
      fs.mkdirSync(join(tree, 'usr', part), { recursive: true });
      fs.writeFileSync(join(tree, 'usr', part, 'file'), noise(BYTES, i + 1));
    }
    await must('ostree', ['init', `--repo=${source}`, '--mode=archive']);
    await must('ostree', ['init', `--repo=${target}`, '--mode=bare']);
    const name = `${registry.host}/os`;
    const publish = async (version: string, ...words: readonly string[]): Promise<Published> => {
      await must('ostree', ['commit', `--repo=${source}`, '-b', 'os', '--owner-uid=0', '--owner-gid=0', tree]);
      const meta = join(folder, 'meta.json');
      fs.writeFileSync(meta, JSON.stringify(await contentMeta(source)));
      const own = ['--json', '--tls-verify=false', '--contentmeta', meta, '--repo', source, ...words];
      const ended = await runOstreeContainer(['container', 'encapsulate', ...own, 'os', `registry:${name}:${version}`]);
      assert.equal(ended.status, 0, ended.stderr);
      const copy = ['image', 'copy', '--insecure-policy', '--src-tls-verify=false', '--dest-tls-verify=false'];
      await runOstreeContainer([...copy, `docker://${name}:${version}`, `docker://${name}:stable`]);
      return JSON.parse(ended.stdout) as Published;
    };
    const take = async () => {
      const seen = registry.requests.length;
      await stored(target, `ostree-unverified-registry:${name}:stable`, '--insecure-skip-tls-verification');
      const gets = registry.requests.slice(seen).filter(({ method }) => method !== 'HEAD');
      return gets.map(({ url }) => url).filter((url) => !/\/v2\/$/.test(url));
    };
    const first = await publish('1');
    assert.equal(first.layers.length, 11);
    await take();
    const before = bytesIn(target);

    fs.writeFileSync(join(tree, 'usr/part-4/file'), noise(BYTES, 99));
    const second = await publish('2', '--prior-build', `registry:${name}:1`);
    const isOld = (digest: string): boolean => first.layers.some((layer) => layer.digest === digest);
    const changed = second.layers.map(({ digest }) => digest).filter((digest) => !isOld(digest));
    assert.equal(changed.length, 2, 'the layer with the commit, and that of the part');
    assert.ok(changed.includes(second.layers[0]?.digest ?? ''));
    const asked = await take();
    const layers = asked.filter((url) => second.layers.some(({ digest }) => url.endsWith(digest)));
    assert.deepEqual(layers.map((url) => url.slice(url.indexOf('sha256'))).sort(), changed.toSorted());
    assert.equal(asked.length, 2 + 2, `a manifest and a configuration more: ${asked.join(' ')}`);
    const growth = bytesIn(target) - before;
    assert.ok(growth >= BYTES && growth < 1.1 * BYTES, `${growth} bytes for ${BYTES}`);

    assert.deepEqual(
      (await take()).map((url) => url.includes('/manifests/')),
      [true],
    );
    await fsck(target);
    t.diagnostic(`the repository grew by ${growth} bytes for ${BYTES}`);
  });
});

/** Each folder of `/usr` as a component. */
async function contentMeta(repo: string) {
  const { stdout } = await must('ostree', ['ls', `--repo=${repo}`, '-RC', 'os', '/usr']);
  const mapping = stdout.split('\n').flatMap((line) => {
    const [, checksum, part] = /^-.* ([0-9a-f]{64}) \/usr\/([^/]+)\/file$/.exec(line) ?? [];
    return checksum === undefined || part === undefined ? [] : [[checksum, part] as const];
  });
  assert.equal(mapping.length, PARTS.length);
  return {
    version: 1,
    layers: Object.fromEntries(PARTS.map((part) => [part, part])),
    mapping: Object.fromEntries(mapping),
  };
}

function bytesIn(folder: string): number {
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.reduce((sum, { parentPath, name }) => sum + fs.statSync(join(parentPath, name)).size, 0);
}
