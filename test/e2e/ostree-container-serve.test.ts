/** `ostree-container serve` and the stock client of OSTree; spec part 4, item 6. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gpgHome } from '../../src/trust/openpgp/gpg.fixture.ts';
import { needs } from '../support/needs.ts';
import { must, type Running, run, startOstreeContainer } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { client, ostree, signedOrigin } from './signed-origin.ts';

const skip = needs('ostree', 'gpg');

async function started(
  t: TestContext,
  repo: string,
  ...words: readonly string[]
): Promise<{ running: Running; url: string; log(): string }> {
  const running = startOstreeContainer(['serve', '--repo', repo, '--listen', '127.0.0.1:0', '-v', ...words]);
  t.after(() => running.kill());
  let log = '';
  running.child.stderr?.on('data', (chunk) => {
    log += chunk;
  });
  await running.says(/http:\/\/[0-9.:]+\/repo\/\n/);
  return { running, url: /http:\S+/.exec(log)?.[0] ?? '', log: () => log };
}

describe('the stock client', { skip }, () => {
  it('pulls with and without signatures, without a summary.sig, and by a static delta', async (t) => {
    const { folder, repo, key, first, second } = await signedOrigin(t);
    const { url, log } = await started(t, repo);
    assert.ok(!existsSync(join(repo, 'summary.sig')));
    const unsigned = await client(folder, 'unsigned', url, '--no-gpg-verify');
    await ostree('pull', unsigned, 'o', 'os/main');
    assert.equal(await ostree('rev-parse', unsigned, 'o:os/main'), second);
    assert.match(await ostree('fsck', unsigned), /no errors found/);
    assert.match(log(), /summary\.sig 404/);

    const signed = await client(folder, 'signed', url, `--gpg-import=${key}`);
    await ostree('pull', signed, 'o', `os/main@${first}`);
    const before = log().length;
    await ostree('pull', signed, '--require-static-deltas', 'o', 'os/main');
    assert.match(await ostree('show', signed, 'o:os/main'), /Good signature from "Release <release@example.com>"/);
    assert.match(await ostree('fsck', signed), /no errors found/);
    const asked = log().slice(before);
    assert.match(asked, /delta-indexes\/\S+\.index 200/);
    assert.match(asked, /deltas\/\S+\/superblock 200/);
    assert.doesNotMatch(asked, /\.filez/);
    assert.doesNotMatch(log(), / (403|500)\n/);
  });

  it('refuses what is not signed by its key, from here as from anywhere', async (t) => {
    const { folder, repo } = await signedOrigin(t);
    const other = gpgHome(t);
    const key = join(folder, 'other.gpg');
    writeFileSync(key, other.publicKeys(other.makeKey('Other', 'rsa2048')));
    const { url } = await started(t, repo);
    const words = await client(folder, 'c', url, `--gpg-import=${key}`);
    const ended = await run('ostree', ['pull', words, 'o', 'os/main']);
    assert.notEqual(ended.status, 0);
    assert.match(ended.stderr, /GPG|signature/i);
  });

  it('pulls without any summary, and several clients at once', async (t) => {
    const { folder, repo, second } = await signedOrigin(t);
    rmSync(join(repo, 'summary'));
    const { url } = await started(t, repo);
    const clients = await Promise.all(['a', 'b', 'c', 'd'].map((name) => client(folder, name, url, '--no-gpg-verify')));
    await Promise.all(clients.map((words) => ostree('pull', words, 'o', 'os/main')));
    for (const words of clients) {
      assert.equal(await ostree('rev-parse', words, 'o:os/main'), second);
      assert.match(await ostree('fsck', words), /no errors found/);
    }
  });

  it('finds on the page the very words that pull from here', async (t) => {
    const { folder, repo, second } = await signedOrigin(t);
    const { url } = await started(t, repo);
    const page = await (await fetch(url)).text();
    assert.ok(page.includes('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;'));
    assert.ok(!page.includes('<script'));
    const [, script = ''] = [...page.matchAll(/<pre>([^<]*)<\/pre>/g)].map(([, text = '']) => text).map(String);
    assert.match(script, /^ostree init/);
    const words = script.replaceAll('REPO', join(folder, 'mine')).replaceAll('KEY.asc', join(folder, 'key.gpg'));
    await must('sh', ['-ec', words]);
    assert.equal(await ostree('rev-parse', `--repo=${join(folder, 'mine')}`, 'origin:os/main'), second);
  });
});

describe('serve', { skip }, () => {
  it('finishes a transfer after SIGTERM, refuses new clients, and exits 0', async (t) => {
    const { repo } = await signedOrigin(t);
    const size = 64 * 2 ** 20;
    mkdirSync(join(repo, 'objects/00'), { recursive: true });
    writeFileSync(join(repo, `objects/00/${'0'.repeat(62)}.filez`), Buffer.alloc(size, 1));
    const { running, url } = await started(t, repo);
    const received = await new Promise<number>((resolve, reject) => {
      request(`${url}objects/00/${'0'.repeat(62)}.filez`, async (response) => {
        let bytes = 0;
        response.pause();
        await sleep(200);
        running.signal('SIGTERM');
        await sleep(300);
        const { port } = new URL(url);
        const late = connect(Number(port), '127.0.0.1');
        await new Promise<void>((refused) => late.once('error', () => refused()));
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        });
        response.once('end', () => resolve(bytes));
        response.resume();
      })
        .once('error', reject)
        .end();
    });
    const ended = await running.done;
    assert.deepEqual([received, ended.status, ended.signal], [size, 0, null]);
  });

  it('writes nothing: a read-only repository will do', { skip: needs('root', 'mount', 'unshare') }, async (t) => {
    const { folder, repo } = await signedOrigin(t);
    const words = [
      '--mount',
      'sh',
      '-ec',
      `mount --bind '${repo}' '${repo}'; mount -o remount,ro,bind '${repo}'; exec "$@"`,
      'sh',
    ];
    const running = startOstreeContainer(['serve', '--repo', repo, '--listen', '127.0.0.1:0'], {
      prefix: ['unshare', ...words],
    });
    t.after(() => running.kill());
    let log = '';
    running.child.stderr?.on('data', (chunk) => {
      log += chunk;
    });
    await running.says(/http:\S+\n/);
    const url = /http:\S+/.exec(log)?.[0] ?? '';
    await ostree('pull', await client(folder, 'c', url, '--no-gpg-verify'), 'o', 'os/main');
    assert.equal((await fetch(url)).status, 200);
  });

  it('listens on what systemd hands over', { skip: needs('python3') }, async (t) => {
    const { repo } = await signedOrigin(t);
    const handOver = `import os,socket,sys
s=socket.socket(); s.bind(('127.0.0.1',0)); s.listen(); fd=s.detach()
if fd != 3: os.dup2(fd,3)
os.set_inheritable(3,True); os.environ.update(LISTEN_FDS='1',LISTEN_PID=str(os.getpid())); os.execv(sys.argv[1],sys.argv[1:])`;
    const running = startOstreeContainer(['serve', '--repo', repo, '--json'], { prefix: ['python3', '-c', handOver] });
    t.after(() => running.kill());
    await running.says(/"addresses"/);
    running.signal('SIGTERM');
    const { status, stdout } = await running.done;
    const { schema, addresses } = JSON.parse(stdout);
    assert.deepEqual([status, schema, addresses.length], [0, 'ostree-container.serve/1', 1]);
    assert.match(addresses[0], /^127\.0\.0\.1:\d+$/);
  });

  it('refuses a repository that nobody could pull from, and an address that is none', async (t) => {
    const repo = join(scratch(t), 'bare');
    await ostree('init', `--repo=${repo}`, '--mode=bare-user');
    const bare = await startOstreeContainer(['serve', '--repo', repo]).done;
    assert.deepEqual([bare.status, /archive/.test(bare.stderr)], [1, true]);
    const address = await startOstreeContainer(['serve', '--repo', repo, '--listen', 'localhost:80']).done;
    assert.deepEqual([address.status, /127\.0\.0\.1:8080/.test(address.stderr)], [2, true]);
    assert.equal(readFileSync(join(repo, 'config'), 'utf8').includes('bare-user'), true);
  });
});
