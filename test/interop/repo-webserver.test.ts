/** An image's own web server and the stock client of OSTree; spec part 4, item 6. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { objectsOf, openRepository, resolveRevision } from '../../src/ostree/index.ts';
import { webserverFor } from '../../src/ostree-container/index.ts';
import { gpgHome } from '../../src/trust/openpgp/gpg.fixture.ts';
import { client, type Origin, ostree, signedOrigin } from '../e2e/signed-origin.ts';
import { needs } from '../support/needs.ts';
import { must, run } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { debianTree, inside, install, urlOf } from './image-root.ts';

const skip = needs('root', 'mount', 'unshare', 'ostree', 'gpg', 'mmdebstrap');
const { signal } = new AbortController();

interface Image extends Origin {
  readonly root: string;
}

/** A Debian tree without Node that carries the repository and the program that serves it. */
async function image(t: TestContext): Promise<Image> {
  const [made, root] = [await signedOrigin(t), await debianTree(t)];
  fs.mkdirSync(join(root, 'ostree'));
  fs.cpSync(made.repo, join(root, 'ostree/repo'), { recursive: true });
  const tree = join(scratch(t), 'repo');
  await ostree('init', `--repo=${tree}`, '--mode=archive');
  await ostree('commit', `--repo=${tree}`, '-b', 'tree', `--tree=dir=${root}`);
  const repository = openRepository(tree);
  t.after(() => repository.close());
  const reader = objectsOf(repository);
  const commit = reader.commit(resolveRevision(repository, 'tree'));
  await install(await webserverFor(reader, commit, { signal }), join(root, 'ostree/repo-webserver'));
  return { ...made, root, repo: join(root, 'ostree/repo') };
}

async function served(t: TestContext, root: string): Promise<{ readonly url: string; log(): string }> {
  const running = inside(root, [], { PORT: '0' });
  t.after(() => running.kill());
  let log = '';
  running.child.stderr?.on('data', (chunk) => {
    log += chunk;
  });
  return { url: await urlOf(running), log: () => log };
}

describe('the stock client, at the web server of an image', { skip }, () => {
  it('pulls with and without signatures, without a summary.sig, and by a static delta', async (t) => {
    const { folder, root, repo, key, first, second } = await image(t);
    assert.ok(!fs.existsSync(join(repo, 'summary.sig')));
    const { url } = await served(t, root);
    const unsigned = await client(folder, 'unsigned', url, '--no-gpg-verify');
    await ostree('pull', unsigned, 'o', 'os/main');
    assert.equal(await ostree('rev-parse', unsigned, 'o:os/main'), second);
    const signed = await client(folder, 'signed', url, `--gpg-import=${key}`);
    await ostree('pull', signed, 'o', `os/main@${first}`);
    await ostree('pull', signed, '--require-static-deltas', 'o', 'os/main');
    assert.match(await ostree('show', signed, 'o:os/main'), /Good signature from "Release <release@example.com>"/);
    for (const words of [unsigned, signed]) assert.match(await ostree('fsck', words), /no errors found/);

    const gpg = gpgHome(t);
    fs.writeFileSync(join(folder, 'other.gpg'), gpg.publicKeys(gpg.makeKey('Other', 'rsa2048')));
    const strict = await client(folder, 'strict', url, `--gpg-import=${join(folder, 'other.gpg')}`);
    const refused = await run('ostree', ['pull', strict, 'o', 'os/main']);
    assert.deepEqual([refused.status, /GPG|signature/i.test(refused.stderr)], [1, true]);
  });

  it('gets what the image keeps in its base from the files of the container, or not at all', async (t) => {
    const { folder, root, repo, key, second } = await image(t);
    const listed = await ostree('ls', `--repo=${repo}`, '-R', '-C', '-X', 'os/main');
    const lines = [...listed.matchAll(/^-(\d+) (\d+) (\d+) +(\d+) ([0-9a-f]{64}) (?:\{[^}]*\} )?(\/\S+)$/gm)].map(
      ([, mode = '', uid, gid, size, object = '', path = '']) => ({
        path,
        object,
        size: Number(size),
        external: true,
        uid: Number(uid),
        gid: Number(gid),
        mode: 0o100000 | Number.parseInt(mode, 8),
        xattrs: [],
      }),
    );
    assert.equal(lines.length, 41);
    const head = { format: 'ostree-object-map', version: 1, commit: second };
    fs.writeFileSync(
      join(root, 'ostree/object-map'),
      [head, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''),
    );
    for (const { path } of lines) {
      const content = await must('ostree', ['cat', `--repo=${repo}`, 'os/main', path]);
      fs.writeFileSync(join(root, path), content.bytes);
    }
    for (const { object } of lines)
      fs.rmSync(join(repo, `objects/${object.slice(0, 2)}/${object.slice(2)}.filez`), { force: true });
    const { url, log } = await served(t, root);
    const words = await client(folder, 'c', url, `--gpg-import=${key}`);
    await ostree('pull', words, '--disable-static-deltas', 'o', 'os/main');
    assert.match(await ostree('fsck', words), /no errors found/);
    assert.equal(await ostree('rev-parse', words, 'o:os/main'), second);
    assert.doesNotMatch(log(), /cannot be served/);

    fs.appendFileSync(join(root, 'usr/f7'), 'written to since');
    const late = await client(folder, 'late', url, `--gpg-import=${key}`);
    const ended = await run('ostree', ['pull', late, '--disable-static-deltas', 'o', 'os/main']);
    assert.deepEqual([ended.status, /404/.test(ended.stderr)], [1, true], ended.stderr);
    assert.match(log(), /\/usr\/f7: is not what the image has there/);
  });
});
