/** The entry point of images: a command, a shell or the server, by how it is run. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../support/needs.ts';
import { CHECKOUT, must, run, runNode, runOstreeContainer, startNode } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

const ENTRY = join(CHECKOUT, 'dist/src/cli/ostree-container/repo-webserver.js');

async function repository(t: TestContext): Promise<string> {
  const path = join(scratch(t), 'repo');
  const ended = await runOstreeContainer(['repo', 'init', '--repo', path, '--mode', 'archive']);
  assert.equal(ended.status, 0, ended.stderr);
  return path;
}

describe('the entry point of an image, with arguments', () => {
  it('runs them, and ends as they end', async () => {
    const ended = await runNode(ENTRY, ['sh', '-c', 'echo "$1"; cat; exit 7', 'sh', 'a b'], { input: 'from stdin' });
    assert.deepEqual([ended.status, ended.stdout], [7, 'a b\nfrom stdin']);
  });

  it('ends as a shell would when there is no such program, or when a signal ended it', async (t) => {
    assert.equal((await runNode(ENTRY, ['no-such-program'])).status, 127);
    assert.equal((await runNode(ENTRY, [scratch(t)])).status, 126);
    assert.equal((await runNode(ENTRY, ['sh', '-c', 'kill -KILL $$'])).status, 137);
  });

  for (const [signal, number] of [
    ['SIGTERM', 15],
    ['SIGINT', 2],
    ['SIGHUP', 1],
    ['SIGUSR1', 10],
  ] as const) {
    it(`passes ${signal} on`, async () => {
      const script = `trap 'echo told; exit 40' ${number}; echo ready; while :; do sleep 0.05; done`;
      const running = startNode(ENTRY, ['sh', '-c', script]);
      await running.says('ready');
      running.signal(signal);
      const ended = await running.done;
      assert.deepEqual([ended.status, ended.stdout], [40, 'ready\ntold\n']);
    });
  }

  it('does all that as the first process, too', { skip: needs('root', 'unshare') }, async () => {
    const script = `trap 'exit 41' TERM; echo ready; while :; do sleep 0.05; done`;
    const running = startNode(ENTRY, ['sh', '-c', `echo parent $PPID; ${script}`], {
      prefix: ['unshare', '--pid', '--fork', '--kill-child=KILL', '--mount-proc'],
    });
    await running.says('ready');
    const { stdout } = await must('pgrep', ['-P', String(running.pid)]);
    process.kill(Number(stdout.trim()), 'SIGTERM'); // the first process of the namespace
    const ended = await running.done;
    assert.deepEqual([ended.status, ended.stdout], [41, 'parent 1\nready\n']);
  });
});

describe('the entry point of an image, without arguments', () => {
  it('gives a shell at a terminal', { skip: needs('script') }, async (t) => {
    const OSTREE_REPO = await repository(t);
    const command = `'${process.execPath}' '${ENTRY}'`;
    const env = { OSTREE_REPO, OSTREE_CONTAINER_CMD: '["sh","-c","test -t 0 && echo at a terminal; exit 5"]' };
    const ended = await run('script', ['-qec', command, '/dev/null'], { env });
    assert.deepEqual([ended.status, ended.stdout], [5, 'at a terminal\r\n']);
  });

  it('serves everybody on IPv4 and IPv6, on PORT, until SIGTERM', async (t) => {
    const OSTREE_REPO = await repository(t);
    const running = startNode(ENTRY, [], { env: { OSTREE_REPO, PORT: '0' } });
    await running.says(/http:\/\/0\.0\.0\.0:\d+\/repo\//);
    await running.says(/http:\/\/\[::\]:\d+\/repo\//);
    const text = await new Promise<string>((resolve) => {
      let heard = '';
      running.child.stderr?.on('data', (chunk) => {
        heard += chunk;
      });
      running.signal('SIGTERM');
      running.done.then(
        ({ stderr }) => resolve(stderr + heard),
        () => resolve(''),
      );
    });
    assert.equal((await running.done).status, 0);
    assert.match(text, /serving/);
  });

  it('refuses a PORT that is none, and a repository that is not there', async (t) => {
    const OSTREE_REPO = await repository(t);
    for (const PORT of ['http', '65536', '-1', '']) {
      assert.equal((await runNode(ENTRY, [], { env: { OSTREE_REPO, PORT } })).status, 2, PORT);
    }
    assert.equal((await runNode(ENTRY, [], { env: { OSTREE_REPO: join(OSTREE_REPO, 'no') } })).status, 1);
  });
});
