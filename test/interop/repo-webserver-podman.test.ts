/** An image of `build` as podman runs it: a web server, a shell, a command; spec 1.1, 1.2 and part 4, item 6. */
import assert from 'node:assert/strict';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { client, ostree } from '../e2e/signed-origin.ts';
import { needs } from '../support/needs.ts';
import { type Finished, must, run, runOstreeContainer, start } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';
import { makeDebianTree } from './image-root.ts';

const skip = needs('root', 'mount', 'ostree', 'mmdebstrap', 'podman', 'runc', 'skopeo', 'script');
const IMAGE = 'localhost/os:latest';
/** The limits that podman would raise are those of the machine: some containers may not raise them. */
const LIMITS = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];

describe('an image without Node, run by podman', { skip }, () => {
  let folder = '';
  let storage: readonly string[] = [];
  const podman = (...words: readonly string[]): Promise<Finished> => run('podman', [...storage, ...words]);
  const offline = ['run', '--rm', '--network', 'none', ...LIMITS];

  before(async () => {
    folder = makeScratch();
    const [graph, state, repo] = ['graph', 'state', 'repo'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    storage = [
      '--root',
      graph,
      '--runroot',
      state,
      '--storage-driver',
      'vfs',
      '--cgroup-manager',
      'cgroupfs',
      '--runtime',
      'runc',
    ];
    const tree = await makeDebianTree(folder);
    mkdirSync(join(tree, 'usr/etc'), { recursive: true });
    renameSync(join(tree, 'etc'), join(tree, 'usr/etc'));
    await ostree('init', `--repo=${repo}`, '--mode=archive');
    await ostree('commit', `--repo=${repo}`, '-b', 'os', `--tree=dir=${tree}`);
    const words = ['build', '--repo', repo, '--ref', 'os', '--oci-dir', `${join(folder, 'image')}:latest`];
    const built = await runOstreeContainer(words);
    assert.equal(built.status, 0, built.stderr);
    const target = `containers-storage:[vfs@${graph}+${state}]${IMAGE}`;
    await must('skopeo', ['copy', '--quiet', `oci:${join(folder, 'image')}:latest`, target]);
  });
  after(async () => {
    await podman('rm', '--all', '--force', '--time', '0');
    removeTree(folder);
  });

  it('runs a command, and ends as it ends', async () => {
    const ended = await podman(...offline, IMAGE, '/bin/sh', '-c', 'echo "hello $1"; exit 4', 'sh', '--help');
    assert.deepEqual([ended.status, ended.stdout], [4, 'hello --help\n'], ended.stderr);
    const other = await podman(...offline, '--entrypoint', '/bin/sh', IMAGE, '-c', 'exit 5');
    assert.equal(other.status, 5, other.stderr);
  });

  it('gives a shell at a terminal', async () => {
    const line = ['podman', ...storage, ...offline, '-ti', IMAGE].join(' ');
    const shell = start('script', ['-qec', line, '/dev/null'], {
      prefix: ['sh', '-c', '(sleep 3; echo "test -t 0 && echo at-a-terminal; exit 6"; sleep 2) | "$@"', 'sh'],
    });
    const ended = await shell.done;
    assert.deepEqual([ended.status, /^at-a-terminal\r$/m.test(ended.stdout)], [6, true], ended.stdout);
  });

  it('serves its repository on port 8080, from a read-only root, until it is stopped', async () => {
    const started = await podman(
      'run',
      '-d',
      '--name',
      'web',
      '--read-only',
      '-p',
      '127.0.0.1::8080',
      ...LIMITS,
      IMAGE,
    );
    assert.equal(started.status, 0, started.stderr);
    const { stdout } = await podman('port', 'web', '8080/tcp');
    const url = `http://${stdout.trim()}/repo/`;
    for (
      let i = 0;
      i < 50 &&
      !(await fetch(url).then(
        () => true,
        () => false,
      ));
      i++
    )
      await sleep(100);
    const words = await client(folder, 'mine', url, '--no-gpg-verify');
    await ostree('pull', words, 'o', 'os');
    assert.equal(
      await ostree('rev-parse', words, 'o:os'),
      await ostree('rev-parse', `--repo=${join(folder, 'repo')}`, 'os'),
    );
    await podman('stop', '--time', '20', 'web');
    const { stdout: status } = await podman('inspect', 'web', '--format', '{{.State.ExitCode}}');
    assert.equal(status.trim(), '0');
  });
});
