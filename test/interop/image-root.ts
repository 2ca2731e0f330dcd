/** The root of an image on the disk, and its entry point as a container would start it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, symlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ImageWebserver } from '../../src/ostree-container/index.ts';
import { must, type Running, start } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

/** @returns the digest of what was written */
export async function install(webserver: ImageWebserver, path: string): Promise<string> {
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(path, 'w', 0o755);
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of webserver.read()) {
    writeSync(fd, chunk);
    hash.update(chunk);
    size += chunk.length;
  }
  closeSync(fd);
  assert.equal(size, webserver.size);
  return hash.digest('hex');
}

/** Debian's C library and what else Node needs; a shell that needs nothing. */
export function debianTree(t: TestContext): Promise<string> {
  return makeDebianTree(scratch(t));
}

export async function makeDebianTree(folder: string): Promise<string> {
  const tree = join(folder, 'tree');
  const packages = 'libc6,libstdc++6,libgcc-s1,busybox-static,base-files';
  await must('mmdebstrap', ['--quiet', '--variant=extract', `--include=${packages}`, 'bookworm', tree], {
    timeoutMs: 300_000,
  });
  symlinkSync('busybox', join(tree, 'bin/sh'));
  rmSync(join(tree, 'dev'), { recursive: true }); // device nodes have no place in a commit
  return tree;
}

/** The entry point as in a container: a root and a process space of its own, nothing writable. */
export function inside(
  tree: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Running {
  const script = `set -e; mount --bind '${tree}' '${tree}'; mkdir -p '${tree}/proc' '${tree}/dev'
    mount -t proc proc '${tree}/proc'; mount --bind /dev '${tree}/dev'; mount -o remount,ro,bind '${tree}'
    exec chroot '${tree}' /ostree/repo-webserver "$@"`;
  return start('sh', ['-c', script, 'sh', ...args], {
    prefix: ['unshare', '--mount', '--pid', '--fork', '--kill-child=KILL'],
    env,
  });
}

/** The address, once it says it: the program runs in a process space of its own, but in our network. */
export function urlOf(running: Running): Promise<string> {
  return new Promise((resolve) => {
    let log = '';
    running.child.stderr?.on('data', (chunk) => {
      log += chunk;
      const [, port] = /http:\/\/0\.0\.0\.0:(\d+)\/repo\/\n/.exec(log) ?? [];
      if (port !== undefined) resolve(`http://127.0.0.1:${port}/repo/`);
    });
  });
}
