/** Pulls across: from repositories of the program ostree into ours and back, over nginx, held against its own pulls. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { needs } from '../support/needs.ts';
import { type Nginx, type NginxOptions, startNginx } from '../support/nginx.ts';
import { unpackVector, VECTORS } from '../support/ostree-vectors.ts';
import { must, run, runOstreeContainer, startOstreeContainer } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

const skip = needs('ostree', 'nginx', 'root');

async function serve(t: TestContext, root: string, more: Partial<NginxOptions> = {}): Promise<Nginx> {
  const nginx = await startNginx({ root, ...more });
  t.after(() => nginx.stop());
  return nginx;
}

const ostree = (...words: readonly string[]) => must('ostree', words);
const ours = async (...words: readonly string[]) => {
  const ended = await runOstreeContainer(['repo', ...words]);
  assert.equal(ended.status, 0, ended.stderr);
  return ended.stdout;
};

async function fsck(repo: string): Promise<void> {
  const { stdout } = await ostree('fsck', `--repo=${repo}`);
  assert.match(stdout, /no errors found/);
}

/** Names below a folder; contents of refs. */
function names(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
  return found.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).sort();
}

function facts(repo: string) {
  const refs = names(join(repo, 'refs')).map((name) => [name, readFileSync(join(repo, 'refs', name), 'latin1')]);
  return { refs, objects: names(join(repo, 'objects')), partial: names(join(repo, 'state')) };
}

/** Two repositories with the same remote: one for the program ostree, one for ours. */
async function pair(t: TestContext, mode: string, url: string, ...add: readonly string[]) {
  const folder = scratch(t);
  const both = { theirs: join(folder, 'theirs'), ours: join(folder, 'ours') };
  await ostree('init', `--repo=${both.theirs}`, `--mode=${mode}`);
  await ours('init', '--repo', both.ours, '--mode', mode);
  const settings = add.length === 0 ? ['--no-gpg-verify'] : add;
  await ostree('remote', 'add', `--repo=${both.theirs}`, ...settings, 'origin', url);
  await ours('remote', 'add', '--repo', both.ours, ...settings, 'origin', url);
  assert.equal(readFileSync(join(both.ours, 'config'), 'utf8'), readFileSync(join(both.theirs, 'config'), 'utf8'));
  return both;
}

/** The same words for both, then the same repository. */
async function assertSamePull(t: TestContext, mode: string, url: string, ...words: readonly string[]): Promise<string> {
  const both = await pair(t, mode, url);
  await ostree('pull', `--repo=${both.theirs}`, ...words);
  await ours('pull', '--repo', both.ours, ...words);
  assert.deepEqual(facts(both.ours), facts(both.theirs));
  await fsck(both.ours);
  return both.ours;
}

describe('a pull from a repository of the program ostree', { skip }, () => {
  for (const mode of ['bare', 'bare-user', 'archive']) {
    for (const summary of [true, false]) {
      it(`into mode ${mode} ${summary ? 'with' : 'without'} a summary leaves what its own pull leaves`, async (t) => {
        const source = unpackVector(t, 'archive');
        if (!summary) for (const name of ['summary', 'summary.sig']) rmSync(join(source, name));
        const { url } = await serve(t, source);
        await assertSamePull(t, mode, url, 'origin', 'test/main');
      });
    }
  }

  it('into mode bare-user-only takes commits with canonical permissions, and refuses others', async (t) => {
    const source = join(scratch(t), 'source');
    const tree = unpackVector(t, 'tree-v1');
    await ostree('init', `--repo=${source}`, '--mode=archive');
    for (const [ref, ...options] of [['plain', '--canonical-permissions'], ['full']] as const) {
      await ostree('commit', `--repo=${source}`, `--branch=${ref}`, `--tree=dir=${tree}`, ...options);
    }
    const { url } = await serve(t, source);
    const repo = await assertSamePull(t, 'bare-user-only', url, 'origin', 'plain');
    const { status, stderr } = await runOstreeContainer(['repo', 'pull', '--repo', repo, 'origin', 'full']);
    assert.equal(status, 3);
    assert.match(stderr, /bare-user-only/);
  });

  for (const words of [
    ['--depth=-1', 'origin', 'test/main'],
    ['--commit-metadata-only', 'origin', 'test/main'],
    ['--subpath=/usr/bin', 'origin', 'test/main'],
    ['--disable-static-deltas', 'origin:test/main'],
  ]) {
    it(`with ${words.join(' ')} leaves what its own pull leaves`, async (t) => {
      const { url } = await serve(t, unpackVector(t, 'archive'));
      const both = await pair(t, 'bare-user', url);
      await ostree('pull', `--repo=${both.theirs}`, ...words);
      await ours('pull', '--repo', both.ours, ...words);
      assert.deepEqual(facts(both.ours), facts(both.theirs));
    });
  }

  it('mirrors all refs and the summary as its own mirror does', async (t) => {
    const { url } = await serve(t, unpackVector(t, 'archive'));
    const both = await pair(t, 'archive', url);
    await ostree('pull', `--repo=${both.theirs}`, '--mirror', 'origin');
    await ours('pull', '--repo', both.ours, '--mirror', 'origin');
    assert.deepEqual(facts(both.ours), facts(both.theirs));
    for (const name of ['summary', 'summary.sig']) {
      assert.deepEqual(readFileSync(join(both.ours, name)), readFileSync(join(both.theirs, name)));
    }
    await fsck(both.ours);
  });

  it('believes the same signatures', async (t) => {
    const { url } = await serve(t, unpackVector(t, 'signed'));
    const both = await pair(t, 'archive', url, `--gpg-import=${join(VECTORS, 'keys/gpg-0.pub.asc')}`);
    for (const ref of ['gpg-rsa', 'gpg-two', 'both', 'gpg-ed25519', 'gpg-untrusted', 'unsigned', 'forged']) {
      const theirs = await run('ostree', ['pull', `--repo=${both.theirs}`, 'origin', ref]);
      const mine = await runOstreeContainer(['repo', 'pull', '--repo', both.ours, 'origin', ref]);
      assert.equal(mine.status, theirs.status === 0 ? 0 : 3, `${ref}: ${mine.stderr}`);
    }
    assert.deepEqual(facts(both.ours).refs, facts(both.theirs).refs);
  });

  it('leaves a keyring that it reads, too', async (t) => {
    const { url } = await serve(t, unpackVector(t, 'signed'));
    const both = await pair(t, 'archive', url, `--gpg-import=${join(VECTORS, 'keys/gpg-0.pub.asc')}`);
    await ostree('pull', `--repo=${both.ours}`, 'origin', 'gpg-rsa');
    const { stdout } = await ostree('remote', 'gpg-list-keys', `--repo=${both.ours}`, 'origin');
    assert.match(stdout, /831636F2EFD2C9A679AEEB1A8F3C3388DE8D8F0E/);
  });

  it('is made by its static deltas, which take fewer bytes', async (t) => {
    const source = unpackVector(t, 'delta');
    const nginx = await serve(t, source);
    const both = await pair(t, 'bare', nginx.url);
    const first = '3ffc4ab570a1809bc439d8202373cf2c10edc19bb4ec232d0003636c5f69578e';
    for (const asked of [`test/main@${first}`, 'test/main']) await ours('pull', '--repo', both.ours, 'origin', asked);
    await fsck(both.ours);
    const loose = nginx.accessLog().filter((line) => /\.(filez|dirtree|dirmeta) 200/.test(line));
    assert.equal(loose.length, 1, 'the one fallback');
  });
});

describe('a repository of ours', { skip }, () => {
  it('is pulled from by the program ostree, by refs and with a summary', async (t) => {
    const source = join(scratch(t), 'source');
    const tree = unpackVector(t, 'tree-v1');
    await ours('init', '--repo', source, '--mode', 'archive');
    await ours('commit', '--repo', source, '--branch', 'main', `--tree=dir=${tree}`);
    const { url } = await serve(t, source);
    for (const update of [false, true]) {
      if (update) await ours('summary', '--repo', source, '--update');
      const repo = join(scratch(t), 'theirs');
      await ostree('init', `--repo=${repo}`, '--mode=bare');
      await ostree('remote', 'add', `--repo=${repo}`, '--no-gpg-verify', 'origin', url);
      await ostree('pull', `--repo=${repo}`, 'origin', 'main');
      await fsck(repo);
    }
  });

  it('that we mirrored is pulled from by the program ostree', async (t) => {
    const { url } = await serve(t, unpackVector(t, 'archive'));
    const both = await pair(t, 'archive', url);
    await ours('pull', '--repo', both.ours, '--mirror', 'origin', 'test/main');
    const mirror = await serve(t, both.ours);
    await ostree('remote', 'add', `--repo=${both.theirs}`, '--no-gpg-verify', 'mirror', mirror.url);
    const ref = facts(both.ours).refs[0]?.[1]?.trim() ?? '';
    await ostree('pull', `--repo=${both.theirs}`, 'mirror', ref);
    await fsck(both.theirs);
  });
});

describe('a local pull', { skip }, () => {
  const MODES = ['bare', 'bare-user', 'archive'] as const;
  for (const from of MODES) {
    for (const into of MODES) {
      it(`from ${from} into ${into} leaves what that of the program ostree leaves`, async (t) => {
        const source = unpackVector(t, from);
        const folder = scratch(t);
        const [theirs, mine] = [join(folder, 'theirs'), join(folder, 'ours')];
        for (const repo of [theirs, mine]) await ostree('init', `--repo=${repo}`, `--mode=${into}`);
        await ostree('pull-local', `--repo=${theirs}`, source, 'test/main');
        await ours('pull-local', '--repo', mine, source, 'test/main');
        assert.deepEqual(facts(mine), facts(theirs));
        await fsck(mine);
      });
    }
  }
});

describe('a pull that is killed', { skip }, () => {
  it('leaves a sound repository, and goes on where it was', async (t) => {
    const folder = scratch(t);
    const [source, tree] = [join(folder, 'source'), join(folder, 'tree')];
    await must('mkdir', [tree]);
    for (let i = 0; i < 400; i++) writeFileSync(join(tree, `file-${i}`), `content ${i}\n`.repeat(100));
    await ostree('init', `--repo=${source}`, '--mode=archive');
    await ostree('commit', `--repo=${source}`, '--branch=main', `--tree=dir=${tree}`);
    const limit = {
      extraHttp: 'limit_req_zone $server_name zone=slow:1m rate=200r/s;',
      extraServer: 'limit_req zone=slow burst=1000;',
    };
    const nginx = await serve(t, source, limit);
    const both = await pair(t, 'bare-user', nginx.url);
    const fetched = (): number => nginx.accessLog().filter((line) => line.includes('.filez')).length;
    const running = startOstreeContainer(['repo', 'pull', '--repo', both.ours, 'origin', 'main']);
    running.done.catch(() => undefined);
    while (fetched() < 250) await sleep(20);
    running.kill();
    await running.done;
    const before = fetched();
    assert.deepEqual(facts(both.ours).refs, []);
    await ours('pull', '--repo', both.ours, 'origin', 'main');
    await fsck(both.ours);
    assert.ok(before < 400, 'it was killed in the middle');
    assert.ok(fetched() - before < 400 - 100, `${fetched() - before} files were fetched again`);
  });
});
