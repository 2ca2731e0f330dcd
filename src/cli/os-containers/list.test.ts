import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fakeSystemd } from '../../../test/support/fake-systemd.ts';
import { needs } from '../../../test/support/needs.ts';
import { type Finished, runNode } from '../../../test/support/program.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { addSlot, link, testPlaces } from '../../system-containers/deployment/host.fixture.ts';

const MAIN = join(import.meta.dirname, 'main.js');
const IMAGE = 'docker.io/example/an-image-with-a-rather-long-name/kvd:1.0';

interface Listed {
  readonly path: string;
  list(...words: readonly string[]): Promise<Finished>;
}

function installed(t: TestContext): Listed {
  const places = testPlaces(t);
  const runs = { created: 1_534_000_000, runtime: '/usr/bin/runc', image: IMAGE };
  addSlot(places, 'runs', 0, { ...runs, revision: 'a'.repeat(64), values: new Map([['PORT', '80']]) });
  addSlot(places, 'runs', 1, { ...runs, revision: 'b'.repeat(64), activated: 5 });
  link(places, 'runs', 'runs.0');
  addSlot(places, 'stopped', 0, { created: 0, runtime: '/usr/bin/crun' });
  link(places, 'stopped', 'stopped.0');
  mkdirSync(join(places.checkouts, 'broken-with-a-long-name.1'));
  const systemd = fakeSystemd(scratch(t));
  systemd.set('runs', { active: true });
  const list = (...words: readonly string[]) =>
    runNode(MAIN, ['list', '--root', places.root, ...words], { env: systemd.env });
  return { path: places.checkouts, list };
}

describe('list', { skip: needs('root') }, () => {
  it('shows what runs, in columns', async (t) => {
    const { list } = installed(t);
    const { status, stdout, stderr } = await list();
    assert.equal(stderr, '');
    assert.deepEqual(stdout.split('\n'), [
      'NAME       IMAGE                                    CREATED              STATE      RUNTIME',
      `runs       ${IMAGE.slice(0, 40)} 2018-08-11T15:06:40  Running    /usr/bin/runc`,
      '',
    ]);
    assert.equal(status, 0);
  });
  it('shows all with --all, never cuts a name, and nothing with --no-truncate', async (t) => {
    const { list } = installed(t);
    const names = (text: string) => text.split('\n').flatMap((line) => line.split(' ')[0] || []);
    const cut = await list('--all', '-n');
    assert.deepEqual(names(cut.stdout), ['broken-with-a-long-name', 'runs', 'stopped']);
    assert.match(cut.stdout, /^broken-with-a-long-name .*Broken$/m);
    for (const option of ['--no-truncate', '--no-trunc'])
      assert.ok((await list(option)).stdout.includes(IMAGE), option);
  });
  it('prints names alone with --quiet', async (t) => {
    const { list } = installed(t);
    assert.equal((await list('-q', '--all')).stdout, 'broken-with-a-long-name\nruns\nstopped\n');
  });
  it('filters by container, image, state and runtime, all of them at once', async (t) => {
    const { list } = installed(t);
    const named = async (...filters: readonly string[]) =>
      (await list('-q', '-a', ...filters.flatMap((filter) => ['--filter', filter]))).stdout;
    assert.equal(await named('container=stopped'), 'stopped\n');
    assert.equal(await named(`image=${IMAGE}`), 'runs\n');
    assert.equal(await named('state=Broken'), 'broken-with-a-long-name\n');
    assert.equal(await named('runtime=crun'), 'stopped\n');
    assert.equal(await named('runtime=crun', 'state=running'), '');
    const wrong = await list('--filter', 'colour=red');
    assert.deepEqual([wrong.status, wrong.stdout], [2, '']);
  });
  it('tells programs all of it', async (t) => {
    const { list, path } = installed(t);
    const document = JSON.parse((await list('--json')).stdout);
    assert.deepEqual([document.schema, document.scope, document.checkouts], ['os-containers.list/1', 'system', path]);
    assert.deepEqual(document.containers, [
      {
        name: 'runs',
        state: 'running',
        problem: null,
        image: IMAGE,
        digest: `sha256:${'a'.repeat(64)}`,
        rootfs: null,
        created: '2018-08-11T15:06:40Z',
        runtime: '/usr/bin/runc',
        hasService: true,
        slot: 0,
        preinstalled: false,
        pulled: null,
        rollback: { slot: 1, digest: `sha256:${'b'.repeat(64)}` },
        values: { PORT: '80' },
        setValues: null,
        permissions: [],
        tagVersion: null,
        verification: null,
      },
    ]);
  });
  it('of a host that has none is empty', async (t) => {
    const { status, stdout } = await runNode(MAIN, ['list', '--root', scratch(t), '-n']);
    assert.deepEqual([status, stdout], [0, '']);
  });
});
