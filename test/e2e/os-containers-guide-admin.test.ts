/**
 * docs/os-containers/guide.md does what it says: its blocks are run in their order on a host that is a directory, with
 * fakes for systemd and the runtime and a registry in this process. Before its part about updates a version is published.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import { type Block, blockFaults, blocksOf, missingLines, printedBy, scriptOf } from '../support/guide.ts';
import { needs, searchPath } from '../support/needs.ts';
import { CHECKOUT, must, OS_CONTAINERS, OSTREE_CONTAINER, run } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';
import { type ContainerPlace, containerPlace, etcdImage } from './os-containers-place.ts';

const GUIDE = join(CHECKOUT, 'docs', 'os-containers', 'guide.md');
const REGISTRY = 'registry.example.com';

/** The image of the guide: files with the container's name in their paths, a value, and versions to tell apart. */
async function publish(registry: FakeRegistry, layouts: string, version: string): Promise<void> {
  const image = await etcdImage(layouts, version, {
    hostFiles: {
      'etc/etcd/etcd.conf': `# etcd ${version}\nCLUSTER_TOKEN=$CLUSTER_TOKEN\n`,
      'usr/local/bin/etcdctl': `#!/bin/sh\necho etcdctl ${version}\n`,
    },
    manifest: {
      defaultValues: { CLUSTER_TOKEN: 'none' },
      renameFiles: {
        '/etc/etcd/etcd.conf': '$CONF_DIRECTORY/$NAME/etcd.conf',
        '/usr/local/bin/etcdctl': `/usr/local/bin/\${NAME}ctl`,
      },
      installedFilesTemplate: ['/etc/etcd/etcd.conf'],
    },
  });
  for (const tag of [version, 'latest']) {
    const to = `docker://${registry.host}/etcd:${tag}`;
    await must(process.execPath, [OSTREE_CONTAINER, 'image', 'copy', '--dest-tls-verify=false', image, to]);
  }
}

/** What an administrator of the host in `root` has: programs, settings, a way to the registry. */
function furnish(dir: string, { root, systemd, env }: ContainerPlace, registry: FakeRegistry): Record<string, string> {
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  const program = join(bin, 'os-containers');
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${OS_CONTAINERS}" --root "${root}" "$@"\n`);
  chmodSync(program, 0o755);
  writeFileSync(join(root, 'etc/services.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
  writeFileSync(join(root, 'etc/os-containers.conf'), 'Policy=/etc/services.json\nWaitSec=1\n');
  const registries = join(dir, 'registries.conf');
  writeFileSync(registries, `[[registry]]\nlocation = "${registry.host}"\ninsecure = true\n`);
  const path = `${bin}:${systemd.bin}:${join(root, 'usr/local/bin')}:${searchPath()}`;
  return { ...env, HOME: dir, PATH: path, RUNTIME: systemd.runtime, CONTAINERS_REGISTRIES_CONF: registries };
}

describe('the guide for administrators of system containers', () => {
  const blocks = blocksOf(readFileSync(GUIDE, 'utf8'));

  it('has only blocks that a test knows what to do with', () => {
    assert.deepEqual(blockFaults(blocks), []);
    assert.ok(blocks.filter(({ language }) => language === 'sh').length >= 10);
  });

  describe('run from top to bottom', { skip: needs('root') }, () => {
    const dir = makeScratch();
    let registry: FakeRegistry | undefined;
    let place: ContainerPlace | undefined;
    let log = '';
    after(async () => {
      await registry?.close();
      removeTree(dir);
    });

    before(async () => {
      registry = await startFakeRegistry();
      place = containerPlace(dir);
      const { root } = place;
      const { host } = registry;
      const env = furnish(dir, place, registry);
      const follow = async (part: readonly Block[]): Promise<void> => {
        const words = scriptOf(part).replaceAll(' /etc/', ` ${root}/etc/`).replaceAll(REGISTRY, host);
        const script = `exec 2>&1\n${words}`;
        const ended = await run('sh', ['-e'], { input: script, cwd: dir, env, timeoutMs: 300_000 });
        log += ended.stdout.replaceAll(host, REGISTRY);
        assert.equal(ended.status, 0, ended.stdout.slice(ended.stdout.lastIndexOf('@@ line')));
      };
      const updates = blocks.findIndex(({ text }) => text.includes('os-containers diff'));
      assert.ok(updates > 0);
      await publish(registry, join(dir, 'layouts'), '3.4.1');
      await follow(blocks.slice(0, updates));
      await publish(registry, join(dir, 'layouts'), '3.4.2');
      await follow(blocks.slice(updates));
    });

    for (const [i, block] of blocks.entries()) {
      const command = blocks[i - 1];
      if (block.language !== 'text' || command === undefined) continue;
      it(`line ${block.line}: prints what is shown`, () => {
        const printed = printedBy(command, log);
        assert.deepEqual(missingLines(block.text, printed), [], printed);
      });
    }

    it('the timer is enabled, and so was each service that was installed', () => {
      const calls = place?.systemd.calls() ?? [];
      assert.ok(place?.systemd.isEnabled('os-containers-update.timer'));
      for (const name of ['etcd', 'etcd-test', 'etcd-auto']) assert.ok(calls.includes(`systemctl enable ${name}`));
    });

    it('in the end only the file that was changed is left, and what the administrator asked for', () => {
      const left = readdirSync(join(dir, 'host'), { recursive: true, encoding: 'utf8' });
      const storage = /^var\/lib\/containers\/atomic\/\.st/;
      assert.deepEqual(left.filter((path) => /etcd/.test(path) && !storage.test(path)).sort(), [
        'etc/etcd',
        'etc/etcd/etcd.conf',
      ]);
    });
  });
});
