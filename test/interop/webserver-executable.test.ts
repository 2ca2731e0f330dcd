/** The web server of an image in trees that have Node, that have the libraries for it, and that have neither. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { commitTrees, createRepository, objectsOf, openRepository } from '../../src/ostree/index.ts';
import { type ImageWebserver, webserverFor } from '../../src/ostree-container/index.ts';
import { injectNote } from '../../src/ostree-container/webserver-executable/elf/inject-note.ts';
import { bytesSource } from '../../src/ostree-container/webserver-executable/elf/sources.ts';
import { needs } from '../support/needs.ts';
import { must, run } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { debianTree, inside, install, urlOf } from './image-root.ts';

const { signal } = new AbortController();

/** What `webserverFor` makes for a tree on the disk. */
async function madeFor(t: TestContext, tree: string, node?: string): Promise<ImageWebserver> {
  const path = join(scratch(t), 'repo');
  createRepository(path, { mode: 'archive' });
  const repository = openRepository(path);
  t.after(() => repository.close());
  const { commit } = await commitTrees(
    repository,
    { trees: [{ kind: 'directory', path: tree }], branch: 'os', timestamp: 0 },
    { signal, fsync: false },
  );
  const reader = objectsOf(repository);
  return webserverFor(reader, reader.commit(commit), { signal, node });
}

async function repositoryIn(tree: string, folder: string): Promise<string> {
  const repo = join(tree, 'ostree/repo');
  await must('ostree', ['init', `--repo=${repo}`, '--mode=archive']);
  mkdirSync(join(folder, 'content/usr'), { recursive: true });
  writeFileSync(join(folder, 'content/usr/hello'), 'hello\n');
  const words = ['commit', `--repo=${repo}`, '-b', 'os', '--timestamp=@0', `--tree=dir=${join(folder, 'content')}`];
  return (await must('ostree', words)).stdout.trim();
}

const asRoot = ['root', 'mount', 'unshare', 'ostree'];

describe('the web server in a tree with the libraries but without Node', {
  skip: needs(...asRoot, 'mmdebstrap'),
}, () => {
  it('is one program that serves, runs commands, and ends as they end', async (t) => {
    const tree = await debianTree(t);
    const webserver = await madeFor(t, tree);
    assert.deepEqual([webserver.kind, webserver.about], ['executable', 'the tree has no /usr/bin/node']);
    const digest = await install(webserver, join(tree, 'ostree/repo-webserver'));
    assert.equal(await install(webserver, join(scratch(t), 'again')), digest);
    assert.equal(await install(await madeFor(t, tree), join(scratch(t), 'again')), digest);

    const commit = await repositoryIn(tree, scratch(t));
    const ended = await inside(tree, ['/bin/sh', '-c', 'echo "$1 as $$"; exit 9', 'sh', '--version']).done;
    assert.deepEqual([ended.status, ended.stdout.replace(/\d+\n/, 'N\n')], [9, '--version as N\n'], ended.stderr);

    const running = inside(tree, [], { PORT: '0' });
    t.after(() => running.kill());
    const url = await urlOf(running);
    const { stdout } = await must('pgrep', ['-P', String(running.pid)]);
    const mine = join(scratch(t), 'mine');
    await must('ostree', ['init', `--repo=${mine}`, '--mode=bare-user']);
    await must('ostree', ['remote', 'add', `--repo=${mine}`, '--no-gpg-verify', 'o', url]);
    await must('ostree', ['pull', `--repo=${mine}`, 'o', 'os']);
    assert.equal((await must('ostree', ['rev-parse', `--repo=${mine}`, 'o:os'])).stdout.trim(), commit);
    assert.match(await (await fetch(url)).text(), /OSTree repository/);
    process.kill(Number(stdout.trim()), 'SIGTERM');
    assert.equal((await running.done).status, 0);
  });

  it('is refused when a library is absent or too old, or the tree is of another processor', async (t) => {
    const tree = await debianTree(t);
    const library = join(tree, 'usr/lib/x86_64-linux-gnu/libstdc++.so.6');
    rmSync(library);
    await assert.rejects(madeFor(t, tree), {
      code: 'WEBSERVER_LIBRARIES',
      message: /the tree has no libstdc\+\+\.so\.6/,
    });
    // A library of that name with other versions.
    cpSync(join(tree, 'lib/x86_64-linux-gnu/libm.so.6'), library);
    await assert.rejects(madeFor(t, tree), {
      code: 'WEBSERVER_LIBRARIES',
      message: /too old: it lacks (GLIBCXX|CXXABI)_/,
    });
    const loader = join(tree, 'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2');
    const fd = openSync(loader, 'r+');
    writeSync(fd, Buffer.from([183, 0]), 0, 2, 18); // the field of the processor: arm64
    closeSync(fd);
    await assert.rejects(madeFor(t, tree), {
      code: 'WEBSERVER_LIBRARIES',
      message: /is for arm64, this Node for x86-64/,
    });
  });
});

describe('the web server in a tree of musl', () => {
  it('is refused, with the options that help', async (t) => {
    const tree = scratch(t);
    mkdirSync(join(tree, 'lib'), { recursive: true });
    writeFileSync(join(tree, 'lib/ld-musl-x86_64.so.1'), 'loader and C library in one\n');
    symlinkSync('ld-musl-x86_64.so.1', join(tree, 'lib/libc.musl-x86_64.so.1'));
    await assert.rejects(madeFor(t, tree), (error: Error & { code?: string; hint?: string }) => {
      assert.equal(error.code, 'WEBSERVER_LIBRARIES');
      assert.match(error.message, /its C library is musl \(\/lib\/ld-musl-x86_64\.so\.1\)/);
      assert.match(error.hint ?? '', /--webserver FILE.*--no-webserver/);
      return true;
    });
  });
});

describe('the web server in a tree with Node', () => {
  const treeWith = (t: TestContext, content: string | Uint8Array, mode = 0o755): string => {
    const tree = scratch(t);
    mkdirSync(join(tree, 'usr/bin'), { recursive: true });
    mkdirSync(join(tree, 'usr/etc/alternatives'), { recursive: true });
    symlinkSync('usr/bin', join(tree, 'bin'));
    symlinkSync('/etc/alternatives/node', join(tree, 'usr/bin/node')); // as Debian's alternatives are
    symlinkSync('../../bin/nodejs', join(tree, 'usr/etc/alternatives/node'));
    writeFileSync(join(tree, 'usr/bin/nodejs'), content);
    chmodSync(join(tree, 'usr/bin/nodejs'), mode);
    return tree;
  };
  /** With the marks that every build of Node has; 1 MiB in front, so that they lie between two pieces. */
  const program = (mark: string) =>
    Buffer.concat([Buffer.from('\x7fELF'), Buffer.alloc(2 ** 20 - 10), Buffer.from(`\0${mark}\0`)]);
  const release = (version: string) =>
    program(`https://nodejs.org/download/release/v${version}/node-v${version}.tar.gz`);

  for (const [what, content] of [
    ['20', release('20.3.1')],
    ['24', release('24.0.0-rc.1')],
    ['20 in a library of its own', program('libnode.so.115')],
  ] as const) {
    it(`of version ${what} is a script for it`, async (t) => {
      const webserver = await madeFor(t, treeWith(t, content));
      assert.equal(webserver.kind, 'bundle');
      const file = join(scratch(t), 'repo-webserver');
      await install(webserver, file);
      // It stands alone: no folder of packages is anywhere near.
      assert.equal((await run('head', ['-n', '1', file])).stdout, '#!/usr/bin/node\n');
      const ended = await run(process.execPath, [file, 'sh', '-c', 'exit 5']);
      assert.deepEqual([ended.status, ended.stderr], [5, '']);
    });
  }

  for (const [what, content, mode] of [
    ['is too old', release('18.20.4'), 0o755],
    ['has a library that is too old', program('libnode.so.108'), 0o755],
    ['is a script', '#!/bin/sh\nexec /opt/node "$@"\n', 0o755],
    ['says nothing of itself', program('nothing'), 0o755],
    ['cannot be run', release('20.3.1'), 0o644],
  ] as const) {
    it(`that ${what} is as good as none`, async (t) => {
      await assert.rejects(madeFor(t, treeWith(t, content, mode)), { code: 'WEBSERVER_LIBRARIES' });
    });
  }
});

describe('a Node that cannot hold a script', () => {
  it('is named', { skip: needs('mmdebstrap', 'root') }, async (t) => {
    const tree = await debianTree(t);
    await assert.rejects(madeFor(t, tree, join(tree, 'bin/busybox')), { code: 'WEBSERVER_NODE' });
    await assert.rejects(madeFor(t, tree, join(tree, 'etc/debian_version')), { code: 'ELF_MALFORMED' });
  });
});

/** Prints the note of this name as the program finds it in its own memory; it also has memory without content. */
const READER = `
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <string.h>
static char room[3 << 20];
static int look(struct dl_phdr_info *info, size_t size, void *data) {
  if (info->dlpi_name[0] != 0) return 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    const ElfW(Nhdr) *note = (const void *)(info->dlpi_addr + header->p_vaddr);
    if (header->p_type != PT_NOTE || strcmp((const char *)(note + 1), "MY_NOTE") != 0) continue;
    return printf("%.*s\\n", (int)note->n_descsz, (const char *)(note + 1) + 8);
  }
  return 0;
}
int main(void) {
  for (size_t i = 0; i < sizeof room; i += 4096) if (room[i]++ != 0) return 2;
  return dl_iterate_phdr(look, 0) > 0 ? 0 : 1;
}
`;

describe('a note that is put into a program', { skip: needs('gcc') }, () => {
  for (const kind of ['-pie', '-no-pie', '-static']) {
    it(`built with ${kind} is found by it, and the program runs as before`, async (t) => {
      const folder = scratch(t);
      const [source, plain, made] = ['reader.c', 'plain', 'made'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      writeFileSync(source, READER);
      await must('gcc', [kind, kind === '-pie' ? '-fPIE' : '-fno-pie', '-O1', '-o', plain, source]);
      assert.equal((await run(plain, [])).status, 1);
      const bytes = readFileSync(plain);
      const { patches, padding, appended } = injectNote(bytesSource(plain, bytes), 'MY_NOTE', Buffer.from('found it'));
      for (const { offset, bytes: patch } of patches) bytes.set(patch, offset);
      writeFileSync(made, Buffer.concat([bytes, Buffer.alloc(padding), appended]), { mode: 0o755 });
      const ended = await run(made, []);
      assert.deepEqual([ended.status, ended.signal, ended.stdout], [0, null, 'found it\n']);
    });
  }
});
