/**
 * The acceptance list of the specification (system-containers 24), as far as no other test holds it:
 * 1, 5, 6, 7, 9: os-containers-lines.test.ts; 2: src/system-containers/pull/pull.test.ts ("fetches everything once ...",
 * "fetches of the next version what is new") and test/interop/os-containers-storage.test.ts; 8: os-containers-crash.test.ts;
 * 12: os-containers-published.test.ts and test/interop/os-containers-templates.test.ts for the published templates,
 * os-containers-systemd.test.ts for the example images under a booted systemd. Here: 3, 4, 10, 11, and the example
 * images of 12 on machines that cannot boot one.
 */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fakeSystemd } from '../support/fake-systemd.ts';
import { needs } from '../support/needs.ts';
import { must, runOsContainers } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { SYSTEM_IMAGE_PEERS, systemImages } from '../support/system-images.ts';
import {
  activeSlot,
  type ContainerPlace,
  containerPlace,
  etcdImage,
  slotsIn,
  snapshot,
} from './os-containers-place.ts';

const asRoot = { skip: needs('root') };

async function pull(place: ContainerPlace, name: string, image: string): Promise<void> {
  const { status, stderr } = await place.run(['pull', '--name', name, image]);
  assert.equal(status, 0, stderr);
}

describe('3: after prune', { skip: needs('root', 'ostree') }, () => {
  it('deployments and images with a name still work, the store is sound, and what nothing needs is gone', async (t) => {
    const folder = scratch(t);
    const place = containerPlace(folder);
    const [app, other] = ['registry.example.com/team/etcd', 'registry.example.com/team/other'];
    const image = join(folder, 'image');
    await pull(place, `${app}:latest`, await etcdImage(image, '1.0'));
    await place.did('install', app);
    await pull(place, `${app}:latest`, await etcdImage(image, '2.0'));
    await place.did('update', '--keep', '--wait', '0', 'etcd');
    await pull(place, `${other}:1`, await etcdImage(image, '3.0', { hostFiles: {} }));
    await pull(place, `${other}:2`, await etcdImage(image, '4.0', { hostFiles: {} }));
    await place.did('images', 'delete', `${other}:2`);

    const lines = await place.did('images', 'prune');
    assert.equal(lines.filter((line) => /^layer [0-9a-f]{64}: delete$/.test(line)).length, 1);
    assert.match(lines.at(-1) ?? '', /^pruned [1-9][0-9]* bytes$/);
    await must('ostree', ['fsck', `--repo=${place.repo}`]);
    assert.ok((await place.did('images', 'verify')).includes('2 images and 2 deployments verified: no problem'));

    await place.did('rollback', '--wait', '0', 'etcd');
    await place.did('update', '--wait', '0', 'etcd', '--set', 'STATE_DIRECTORY=/srv');
    await place.did('install', '--name', 'second', `${other}:1`);
    assert.match(readFileSync(join(place.checkouts, 'etcd/rootfs/usr/bin/etcd'), 'utf8'), /etcd 2\.0/);
    assert.match(readFileSync(join(place.checkouts, 'second/rootfs/usr/bin/etcd'), 'utf8'), /etcd 3\.0/);
  });
});

describe('4: a file that a layer deletes', asRoot, () => {
  it('stays deleted in every deployment, where no name begins with .wh.', async (t) => {
    const folder = scratch(t);
    const place = containerPlace(folder);
    const name = 'registry.example.com/team/etcd';
    const entries = ['usr/share', 'usr/share/d', 'usr/share/folder'].map(
      (path) => ({ path, type: 'directory' }) as const,
    );
    const lower = ['usr/share/gone', 'usr/share/d/old', 'usr/share/folder/below', 'usr/share/again'];
    const below = [...entries, ...lower.map((path) => ({ path, content: `${path}\n` }))];
    const whiteouts = [
      { path: 'usr/share/.wh.gone' },
      { path: 'usr/share/d/.wh..wh..opq' },
      { path: 'usr/share/d/new', content: 'new\n' },
      { path: 'usr/share/.wh.again' },
      { path: 'usr/share/again', content: 'new\n' },
      { path: 'usr/share/folder', type: 'symlink', linkTarget: 'd' } as const,
    ];
    const image = join(folder, 'image');
    await pull(place, `${name}:latest`, await etcdImage(image, '1.0', { layers: [below] }));
    await place.did('install', name);
    await pull(place, `${name}:latest`, await etcdImage(image, '2.0', { layers: [below, whiteouts] }));
    await place.did('update', '--wait', '0', 'etcd');
    const share = (slot: string): readonly string[] =>
      readdirSync(join(place.checkouts, slot, 'rootfs/usr/share'), { recursive: true, encoding: 'utf8' }).sort();
    const first = ['again', 'd', 'd/old', 'folder', 'folder/below', 'gone'];
    const second = ['again', 'd', 'd/new', 'folder', 'folder/new']; // read through the link
    assert.deepEqual([share('etcd.0'), share('etcd.1')], [first, second]);
    for (const step of ['rollback', 'rollback', 'update']) await place.did(step, '--wait', '0', 'etcd');
    assert.deepEqual([share('etcd.0'), share('etcd'), activeSlot(place, 'etcd')], [first, second, 'etcd.1']);
    const namesBelow = (path: string) => readdirSync(path, { recursive: true, encoding: 'utf8' });
    const all = slotsIn(place).flatMap((slot) => namesBelow(join(place.checkouts, slot)));
    assert.deepEqual(
      all.filter((path) => path.includes('.wh.')),
      [],
    );
  });
});

describe('10: an ordinary user', { skip: needs('root', 'setpriv') }, () => {
  const USER = 54_321;
  const ownedBy = (path: string): readonly string[] =>
    readdirSync(path)
      .map((each) => join(path, each))
      .filter((each) => lstatSync(each, { throwIfNoEntry: false })?.uid === USER);

  it('has no file outside of the home directory and XDG_RUNTIME_DIR', async (t) => {
    const folder = scratch(t);
    chmodSync(folder, 0o755);
    const [home, runtime] = [join(folder, 'home'), join(folder, 'run')];
    const systemd = fakeSystemd(join(folder, 'systemd'));
    await etcdImage(join(folder, 'image'), '1.0');
    const image = await etcdImage(join(folder, 'image'), '2.0');
    for (const path of [home, runtime]) mkdirSync(path);
    await must('chown', ['-R', `${USER}:${USER}`, home, runtime, join(folder, 'systemd')]);
    const did = async (...words: readonly string[]) => {
      const ended = await runOsContainers(['--runtime', systemd.runtime, ...words], {
        env: { ...systemd.env, HOME: home, XDG_RUNTIME_DIR: runtime },
        prefix: ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'],
        cwd: home,
      });
      assert.equal(ended.status, 0, `${words.join(' ')}: ${ended.stderr}`);
      return ended.stderr.replaceAll(/^\S+ \S+ /gm, '');
    };
    const before = snapshot(folder, ['home', 'run', 'systemd']);
    await did('pull', '--name', 'registry.example.com/team/etcd', image.replace('2.0', '1.0'));
    const said = await did('install', 'registry.example.com/team/etcd');
    assert.match(
      said,
      /^host files are not installed for users: \/etc\/etcd\/etcd\.conf, \/usr\/local\/bin\/etcdctl$/m,
    );
    assert.match(said, /^systemctl --user daemon-reload\nsystemctl --user enable etcd\n$/m);
    systemd.set('etcd', { active: true });
    await must('chown', ['-R', `${USER}:${USER}`, join(folder, 'systemd')]);
    await did('pull', '--name', 'registry.example.com/team/etcd', image);
    await did('update', '--wait', '0', 'etcd');
    await did('rollback', '--wait', '0', 'etcd');
    await did('run', 'etcd', 'true');
    const unit = readFileSync(join(home, '.config/systemd/user/etcd.service'), 'utf8');
    assert.match(unit, /^ExecStart=\S+\/runc run 'etcd'$/m);
    await did('uninstall', 'etcd');
    await did('images', 'prune');
    assert.equal(existsSync(join(home, '.config/systemd/user/etcd.service')), false);
    assert.deepEqual(snapshot(folder, ['home', 'run', 'systemd']), before);
    const shared = [...new Set(['/tmp', '/var/tmp', '/dev/shm', tmpdir()])].filter((path) => existsSync(path));
    assert.deepEqual(shared.flatMap(ownedBy), []);
    for (const line of systemd.calls().filter((each) => each.startsWith('system'))) assert.match(line, /^\S+ --user /);
  });
});

describe('11: a broken container', asRoot, () => {
  it('is listed as such beside the others, and can be uninstalled', async (t) => {
    const folder = scratch(t);
    const place = containerPlace(folder);
    const name = 'registry.example.com/team/etcd';
    await pull(place, `${name}:latest`, await etcdImage(join(folder, 'image'), '1.0', { hostFiles: {} }));
    const at = (path: string): string => join(place.checkouts, path);
    const ways: Readonly<Record<string, () => void>> = {
      noinfo: () => unlinkSync(at('noinfo.0/info')),
      nolink: () => unlinkSync(at('nolink')),
      elsewhere: () => {
        unlinkSync(at('elsewhere'));
        symlinkSync('/etc', at('elsewhere'));
      },
    };
    await place.did('install', '--name', 'whole', name);
    const alone = snapshot(place.root);
    for (const [each, spoil] of Object.entries(ways)) {
      await place.did('install', '--name', each, name);
      spoil();
    }
    const listed = await place.run(['list', '--all', '--noheading']);
    const states = listed.stdout
      .trim()
      .split('\n')
      .map((line) => [line.split(' ')[0], /\b(Broken|Stopped)\b/.exec(line)?.[0]]);
    const broken = Object.keys(ways).map((each) => [each, 'Broken']);
    assert.deepEqual(states, [...broken, ['whole', 'Stopped']].sort());
    for (const each of Object.keys(ways)) await place.did('uninstall', each);
    assert.deepEqual(snapshot(place.root), alone);
    assert.deepEqual(slotsIn(place), ['whole', 'whole.0']);
  });
});

describe('12: the example images', { skip: needs('root', ...SYSTEM_IMAGE_PEERS) }, () => {
  it('are installed, updated, rolled back and uninstalled, and leave nothing', async (t) => {
    const place = containerPlace(scratch(t));
    const images = await systemImages();
    const before = snapshot(place.root);
    await pull(place, 'registry.example.com/kvd', images.name('kvd', '1.0'));
    await place.did('install', 'registry.example.com/kvd');
    const first = snapshot(place.root);
    await pull(place, 'registry.example.com/kvd', images.name('kvd', '2.0'));
    await place.did('update', '--wait', '0', 'kvd');
    assert.notDeepEqual(snapshot(place.root), first);
    await place.did('rollback', '--wait', '0', 'kvd');
    assert.deepEqual(snapshot(place.root), first);
    await place.did('uninstall', 'kvd');
    const others = { ticker: ['--set', 'MESSAGE=hello'], banner: [], bare: [] } as const;
    for (const [image, words] of Object.entries(others)) {
      const name = images.name(image as keyof typeof others);
      const { status, stderr } = await place.run(['install', '--name', image, ...words, name]);
      assert.equal(status, 0, stderr);
      await place.did('uninstall', image);
    }
    assert.deepEqual(snapshot(place.root), before);
  });
});
