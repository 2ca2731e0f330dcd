/** Containers carried in a file to a host without a network, and what an update would change, by the built program. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { needs } from '../support/needs.ts';
import { type Finished, must, runOsContainers } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { SYSTEM_IMAGE_PEERS, type SystemImages, systemImages } from '../support/system-images.ts';

const CHECKOUTS = 'var/lib/containers/atomic';

interface TestHost {
  readonly root: string;
  /** Fails the test when the status is another one. */
  run(words: readonly string[], expected?: number): Promise<Finished>;
  /** The document of `--json`. */
  ask(words: readonly string[], expected?: number): Promise<Document>;
}

type Document = Readonly<Record<string, unknown>> & { readonly code?: string };

function host(t: TestContext): TestHost {
  const root = scratch(t);
  const run: TestHost['run'] = async (words, expected = 0) => {
    const ended = await runOsContainers(['--root', root, '--offline', ...words]);
    assert.equal(ended.status, expected, `${words.join(' ')}: ${ended.stderr}`);
    return ended;
  };
  const ask: TestHost['ask'] = async (words, expected) =>
    JSON.parse((await run([...words, '--json'], expected)).stdout) as Document;
  return { root, run, ask };
}

const deployed = ({ root }: TestHost): readonly string[] => {
  const path = join(root, CHECKOUTS);
  return existsSync(path) ? readdirSync(path).filter((name) => !name.startsWith('.')) : [];
};

describe('a container in a file', { skip: needs('root', 'runc', 'systemctl', ...SYSTEM_IMAGE_PEERS) }, () => {
  let images: SystemImages;
  before(async () => {
    images = await systemImages();
  });

  /** `kvd` 2.0 with 1.0 behind it, and the file that it was exported to. */
  async function exported(t: TestContext) {
    const from = host(t);
    const file = join(from.root, 'kvd.tar');
    await from.run(['install', '--name', 'kvd', '--set', 'LISTEN=127.0.0.1:2391', images.name('kvd', '1.0')]);
    await from.run(['update', '--rebase', images.name('kvd', '2.0'), 'kvd']);
    await from.run(['export', 'kvd', file]);
    return { from, file };
  }

  it('is the same container elsewhere, with the deployment behind it and the values that were given', async (t) => {
    const { from, file } = await exported(t);
    const to = host(t);
    const planned = await to.ask(['import', '--dry-run', file]);
    assert.deepEqual(deployed(to), []);
    const document = await to.ask(['import', file]);
    assert.deepEqual(planned, { ...document, dryRun: true });
    assert.deepEqual(
      (document['slots'] as { slot: number; active: boolean }[]).map(({ slot, active }) => ({ slot, active })),
      [
        { slot: 0, active: true },
        { slot: 1, active: false },
      ],
    );
    const rootfs = (each: TestHost, slot: number): string => join(each.root, CHECKOUTS, `kvd.${slot}`, 'rootfs');
    await must('diff', ['-r', '--no-dereference', rootfs(from, 1), rootfs(to, 0)]);
    await must('diff', ['-r', '--no-dereference', rootfs(from, 0), rootfs(to, 1)]);
    const config = 'etc/kvd/kvd.conf';
    assert.equal(readFileSync(join(to.root, config), 'utf8'), readFileSync(join(from.root, config), 'utf8'));
    assert.match(readFileSync(join(to.root, config), 'utf8'), /LISTEN=127\.0\.0\.1:2391/);

    await from.run(['rollback', 'kvd']);
    await to.run(['rollback', 'kvd']);
    assert.ok(!existsSync(join(to.root, 'etc/kvd/conf.d/limits.conf')));
    assert.equal(readFileSync(join(to.root, config), 'utf8'), readFileSync(join(from.root, config), 'utf8'));
    await to.run(['images', 'verify']);
    await to.run(['uninstall', 'kvd']);
    assert.deepEqual(deployed(to), []);
    assert.ok(!existsSync(join(to.root, config)));
  });

  it('calls an image whose name a newer one has by its digest, here and where it is imported', async (t) => {
    const [from, to] = [host(t), host(t)];
    const [file, name] = [join(from.root, 'kvd.tar'), 'registry.example.com/kvd'];
    await from.run(['pull', '--name', name, images.name('kvd', '1.0')]);
    await from.run(['install', name]);
    await from.run(['pull', '--name', name, images.name('kvd', '2.0')]);
    await from.run(['update', 'kvd']);
    await from.run(['export', 'kvd', file]);
    const { slots } = (await to.ask(['import', file])) as { slots?: readonly { digest: string }[] };
    const { images: stored } = (await to.ask(['images'])) as { images?: readonly { name: string }[] };
    const names = [`${name}:latest`, `${name}@${slots?.[1]?.digest}`];
    assert.deepEqual(stored?.map((image) => image.name).sort(), names);
  });

  it('is an archive that other programs read, the same each time', async (t) => {
    const { from, file } = await exported(t);
    const second = join(from.root, 'again.tar');
    await from.run(['export', 'kvd', second]);
    assert.deepEqual(readFileSync(second), readFileSync(file));
    const { stdout } = await must('skopeo', ['inspect', `oci-archive:${file}:slot-1`]);
    const inspected = JSON.parse(stdout) as { Labels: Record<string, string>; Layers: readonly string[] };
    assert.deepEqual([inspected.Labels['version'], inspected.Layers.length], ['2.0', 3]);
    const one = await from.ask(['export', '--active', 'kvd', second]);
    assert.equal((one['slots'] as unknown[]).length, 1);
  });

  it('is refused under a name that is taken, and goes under another one', async (t) => {
    const { from, file } = await exported(t);
    assert.equal((await from.ask(['import', file], 1)).code, 'CONTAINER_EXISTS');
    await from.run(['import', '--name', 'kvd2', '--set', 'LISTEN=127.0.0.1:2392', file]);
    assert.deepEqual([...deployed(from)].sort(), ['kvd', 'kvd.0', 'kvd.1', 'kvd2', 'kvd2.0', 'kvd2.1']);
    assert.match(readFileSync(join(from.root, 'etc/kvd2/kvd.conf'), 'utf8'), /127\.0\.0\.1:2392/);
    // What it was installed from keeps its name: the images of the file are others.
    const before = images.digest('kvd', '2.0');
    const { images: stored } = (await from.ask(['images'])) as { images?: readonly { name: string; digest: string }[] };
    assert.equal(stored?.find(({ name }) => name === 'localhost/kvd:2.0')?.digest, before);
  });

  it('is refused when a byte of it was changed, and nothing is left', async (t) => {
    const { file } = await exported(t);
    const bytes = readFileSync(file);
    const at = bytes.indexOf(Buffer.from([0x1f, 0x8b, 0x08])); // a layer
    bytes[at + 60] = (bytes[at + 60] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const to = host(t);
    assert.equal((await to.ask(['import', file], 3)).code, 'INVALID_DIGEST');
    assert.deepEqual(deployed(to), []);
    assert.ok(!existsSync(join(to.root, 'etc/kvd')));
  });

  it('is refused when the policy does not take it, or a signature is asked for', async (t) => {
    const { file } = await exported(t);
    const to = host(t);
    const policy = join(to.root, 'policy.json');
    writeFileSync(policy, '{"default": [{"type": "reject"}]}');
    assert.equal((await to.ask(['import', '--policy', policy, file], 3)).code, 'POLICY_REJECTED');
    await to.run(['import', '--require-signature', file], 3);
    assert.deepEqual(deployed(to), []);
  });

  it('is refused when its document says something else than the archive, or is not there', async (t) => {
    const { from, file } = await exported(t);
    const folder = join(from.root, 'unpacked');
    mkdirSync(folder);
    await must('tar', ['-C', folder, '-xf', file]);
    const path = join(folder, 'os-containers.json');
    const repack = async (): Promise<void> => void (await must('tar', ['-C', folder, '-cf', file, '.']));
    const to = host(t);
    const document = JSON.parse(readFileSync(path, 'utf8')) as { slots: { digest: string }[] };
    const [first, second] = document.slots;
    if (first === undefined || second === undefined) throw new Error('expected two slots');
    first.digest = second.digest;
    writeFileSync(path, JSON.stringify(document));
    await repack();
    assert.equal((await to.ask(['import', file], 1)).code, 'BAD_EXPORT');
    await must('rm', [path]);
    await repack();
    assert.equal((await to.ask(['import', file], 1)).code, 'BAD_EXPORT');
    assert.deepEqual(deployed(to), []);
  });

  it('leaves nothing behind when it cannot be installed', async (t) => {
    const { file } = await exported(t);
    const to = host(t);
    assert.equal((await to.ask(['import', '--runtime', '/nowhere/runc', file], 1)).code, 'RUNTIME_MISSING');
    assert.deepEqual(deployed(to), []);
  });
});

describe('what an update would change', { skip: needs('root', 'runc', 'systemctl', ...SYSTEM_IMAGE_PEERS) }, () => {
  it('is what it changes then', async (t) => {
    const images = await systemImages();
    const here = host(t);
    await here.run(['install', '--name', 'kvd', images.name('kvd', '1.0')]);
    assert.equal((await here.run(['diff', 'kvd'])).stdout, 'kvd: an update would change nothing\n');
    const next = images.name('kvd', '2.0');
    assert.equal((await here.ask(['diff', '--rebase', next, 'kvd'], 1)).code, 'IMAGE_NOT_STORED');

    await here.run(['pull', next]);
    appendFileSync(join(here.root, 'etc/kvd/kvd.conf'), '# mine\n');
    const found = await here.ask(['diff', '--rebase', next, '--set', 'AFTER=network-online.target', 'kvd']);
    const { layers, files, values, generated, hostFiles } = found as unknown as Difference;
    assert.deepEqual([layers.removed.length, layers.added.length, layers.kept], [0, 1, 2]);
    assert.ok(files.some(({ change, path }) => change === 'removed' && path === '/usr/share/kvd/release-notes'));
    assert.ok(files.every(({ path }) => !path.includes('.wh.')));
    assert.deepEqual(values, [{ name: 'AFTER', before: 'network.target', after: 'network-online.target' }]);
    assert.ok(
      generated.some(({ file, added }) => file === 'kvd.service' && added.includes('After=network-online.target')),
    );
    assert.ok(hostFiles.added.includes('/etc/kvd/conf.d/limits.conf'));
    assert.deepEqual(hostFiles.changed, ['/usr/local/bin/kvdctl']);
    assert.deepEqual(hostFiles.keptModified, ['/etc/kvd/kvd.conf']);

    await here.run(['update', '--rebase', next, '--set', 'AFTER=network-online.target', 'kvd']);
    for (const path of hostFiles.added) assert.ok(existsSync(join(here.root, path)), path);
    assert.match(readFileSync(join(here.root, 'etc/kvd/kvd.conf'), 'utf8'), /# mine\n$/);
    const after = await here.run(['diff', 'kvd']);
    assert.match(after.stdout, /^kvd: an update would change nothing\n/);
  });
});

interface Difference {
  readonly layers: { readonly removed: readonly string[]; readonly added: readonly unknown[]; readonly kept: number };
  readonly files: readonly { readonly change: string; readonly path: string }[];
  readonly values: readonly unknown[];
  readonly generated: readonly { readonly file: string; readonly added: readonly string[] }[];
  readonly hostFiles: Readonly<Record<'added' | 'changed' | 'keptModified', readonly string[]>>;
}
