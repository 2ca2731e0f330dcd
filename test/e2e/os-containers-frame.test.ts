/** The frame of `os-containers`: two names, options before and after the command, how lines look. */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../support/needs.ts';
import { OS_CONTAINERS, runNode, runOsContainers } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

const LINE = /^[0-9]{4}\/[0-9]{2}\/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} /;

function rootIn(t: TestContext): string {
  const root = join(scratch(t), 'root');
  mkdirSync(root);
  return root;
}

describe('os-containers', () => {
  it('shows the name that it was called by', async (t) => {
    for (const name of ['os-container', 'os-containers']) {
      const link = join(scratch(t), name);
      symlinkSync(OS_CONTAINERS, link);
      assert.match((await runNode(link, ['--help'])).stdout, new RegExp(`^Usage: ${name} <command>`));
      assert.match((await runNode(link, ['install', '--help'])).stdout, new RegExp(`^Usage: ${name} install `));
      assert.match((await runNode(link, ['instal'])).stderr, new RegExp(`see "${name} --help"`));
    }
  });

  it('takes options of all commands before the command, and lists for a group alone', async (t) => {
    const root = rootIn(t);
    for (const words of [
      ['--root', root, '--json', 'list'],
      ['list', '--root', root, '--json'],
      ['--json', 'containers', '--root', root],
    ]) {
      const { stdout, stderr } = await runOsContainers(words);
      assert.equal(JSON.parse(stdout).schema, 'os-containers.list/1', stderr);
    }
    const { stdout } = await runOsContainers(['--root', root, 'images', '--json']);
    assert.equal(JSON.parse(stdout).schema, 'os-containers.images-list/1');
  });

  it('begins every line on standard error with the time, of errors and their hints, too', async (t) => {
    const { status, stderr, stdout } = await runOsContainers(['--root', rootIn(t), 'rollback', 'kvd']);
    assert.deepEqual([status, stdout], [1, '']);
    const lines = stderr.trimEnd().split('\n');
    assert.equal(lines.length, 2);
    for (const line of lines) assert.match(line, LINE);
    assert.match(stderr, /cannot find container kvd/);
  });

  it('refuses wrong words before anything is touched', async (t) => {
    const root = rootIn(t);
    for (const words of [
      ['install'],
      ['update'],
      ['rollback'],
      ['run'],
      ['run', 'etcd'],
      ['list', '--offline'],
      ['install', '--set', 'novalue', 'x'],
      ['install', '--allow-host', 'everything', 'x'],
      ['list', '--root', ''],
    ]) {
      const isAboutRoot = words.includes('--offline') || words.includes('--root');
      const { status, stderr } = await runOsContainers(isAboutRoot ? words : ['--root', root, ...words]);
      assert.equal(status, 2, `${words.join(' ')}: ${stderr}`);
    }
  });

  it('reads the settings of the host that it works on, and refuses what it does not know', async (t) => {
    const root = rootIn(t);
    mkdirSync(join(root, 'etc'));
    const isRoot = process.getuid?.() === 0;
    const home = scratch(t);
    mkdirSync(join(home, '.config'));
    const file = isRoot ? join(root, 'etc/os-containers.conf') : join(home, '.config/os-containers.conf');
    writeFileSync(file, 'Kep=3\n');
    const { status, stdout } = await runOsContainers(['--root', root, 'list', '--json'], { env: { HOME: home } });
    assert.deepEqual([status, JSON.parse(stdout).code], [1, 'BAD_SETTINGS']);
  });

  it('leaves the options of a command inside of a container alone', { skip: needs('root') }, async (t) => {
    const { status, stdout, stderr } = await runOsContainers([
      '--root',
      rootIn(t),
      'run',
      'none',
      'ls',
      '--json',
      '-k',
    ]);
    assert.deepEqual([status, stdout], [125, ''], stderr);
  });
});
