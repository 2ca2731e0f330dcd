/** Images with templates in the published forms, installed and removed by the program itself. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { makeImage, type SampleEntry } from '../support/oci-image.ts';
import { CHECKOUT } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { containerPlace, snapshot } from './os-containers-place.ts';

const TEMPLATES = join(CHECKOUT, 'test/fixtures/system-containers-templates');

function entriesOf(image: string): readonly SampleEntry[] {
  const folder = join(TEMPLATES, image);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  return files
    .filter((file) => statSync(file).isFile())
    .map((file) => ({ path: relative(folder, file), content: readFileSync(file), mode: statSync(file).mode & 0o777 }));
}

interface Config {
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly mounts: readonly { readonly destination: string; readonly source: string }[];
  readonly process: { readonly capabilities: { readonly bounding: readonly string[] } };
}

/** Image to what its host files are called in the end, and how many capabilities it has at least. */
const IMAGES = [
  ['docker', ['/usr/local/bin/docker-client'], 38],
  ['etcd', ['/etc/etcd/etcd.conf', '/usr/local/bin/etcdctl'], 1],
  ['kubernetes-kubelet', [], 38],
  ['net-snmp', ['/etc/snmp/snmpd.conf'], 1],
] as const;

describe('an image of the published kind', () => {
  for (const [image, hostFiles, capabilities] of IMAGES) {
    it(`is installed with a mount of the user's, and leaves nothing behind: ${image}`, async (t) => {
      const folder = scratch(t);
      const place = containerPlace(folder);
      await makeImage(join(folder, 'image'), { layers: [entriesOf(image)], tag: '1' });
      const before = snapshot(place.root);
      const mount = ',{"destination": "/x", "type": "bind", "source": "/", "options": ["rbind", "ro"]}';
      const words = ['--name', image, '--set', `ADDTL_MOUNTS=${mount}`, `oci:${join(folder, 'image')}:1`];
      const installed = await place.run(['install', ...words]);
      assert.equal(installed.status, 0, installed.stderr);

      const deployed = (file: string): string => readFileSync(join(place.checkouts, image, file), 'utf8');
      const config = JSON.parse(deployed('config.json')) as Config;
      assert.deepEqual(config.root, { path: 'rootfs', readonly: true });
      assert.deepEqual(config.mounts.at(-1)?.destination, '/x');
      assert.ok(config.process.capabilities.bounding.length >= capabilities);
      const unit = readFileSync(join(place.root, `etc/systemd/system/${image}.service`), 'utf8');
      assert.equal(unit, deployed(`${image}.service`));
      assert.match(unit, new RegExp(`^WorkingDirectory=/var/lib/containers/atomic/${image}\\.0$`, 'm'));
      assert.doesNotMatch(unit, /\$(?!MAINPID|\?)/);
      for (const file of hostFiles) {
        const text = readFileSync(join(place.root, file), 'utf8');
        assert.doesNotMatch(text, /\$(NAME|PORT|\{)|\$\$/);
      }

      assert.equal((await place.run(['uninstall', image])).status, 0);
      assert.deepEqual(snapshot(place.root), before);
    });
  }

  it('is not installed when a value spoils its configuration, and the value is named', async (t) => {
    const folder = scratch(t);
    const place = containerPlace(folder);
    await makeImage(join(folder, 'image'), { layers: [entriesOf('etcd')], tag: '1' });
    const words = ['--name', 'etcd', '--set', 'ADDTL_MOUNTS={', `oci:${join(folder, 'image')}:1`];
    const before = snapshot(place.root);
    const { status, stderr } = await place.run(['install', ...words]);
    assert.equal(status, 1);
    assert.match(stderr, /config\.json\.template line \d+: no JSON with the value of ADDTL_MOUNTS/);
    assert.deepEqual(snapshot(place.root), before);
  });

  it('takes no directives for its unit from a value', async (t) => {
    const folder = scratch(t);
    const place = containerPlace(folder);
    await makeImage(join(folder, 'image'), { layers: [entriesOf('flannel')], tag: '1' });
    const words = [
      '--name',
      'flannel',
      '--set',
      'IFACE=eth0\nExecStartPre=/bin/evil',
      `oci:${join(folder, 'image')}:1`,
    ];
    const { status, stderr } = await place.run(['install', ...words]);
    assert.equal(status, 2, stderr);
    assert.match(stderr, /value of IFACE: .* service\.template line \d+/);
  });
});
