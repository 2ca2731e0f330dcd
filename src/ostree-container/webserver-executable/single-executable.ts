/**
 * Node with a script inside, as one program: a copy of the running one with the script as a note, and a switch set.
 *
 * Source: "Single executable applications" of the manual of Node. The blob is made by Node itself: its format belongs
 * to one version. The same Node and script give the same bytes.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { explain } from '../../base/error.ts';
import { type Injection, injectNote, type Patch } from './elf/inject-note.ts';
import { fileSource } from './elf/sources.ts';
import { INSTEAD, WebserverError } from './error.ts';

export interface SingleExecutable {
  readonly size: number;
  /** A piece stays valid. @throws WebserverError WEBSERVER_NODE when the program has been replaced since */
  read(): AsyncIterable<Uint8Array>;
}

const NOTE = 'NODE_SEA_BLOB';
/** Followed by ":0" in a plain Node, ":1" in one that has a script inside. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:';
const PIECE = 2 ** 20;

/** @param node the program; `process.execPath` */
export async function singleExecutable(
  node: string,
  script: string,
  { tmp = tmpdir(), signal }: { readonly tmp?: string | undefined; readonly signal: AbortSignal },
): Promise<SingleExecutable> {
  const blob = await makeBlob(node, script, tmp, signal);
  const fd = fs.openSync(node, 'r');
  try {
    const injection = injectNote(fileSource(node, fd), NOTE, blob);
    const patches = [...injection.patches, findFuse(node, fd)];
    const identity = identityOf(fd);
    return { size: injection.size, read: () => readAll(node, identity, { ...injection, patches }) };
  } finally {
    fs.closeSync(fd);
  }
}

/** Without a path of this machine in it: Node writes down the name of the script as it is given here. */
async function makeBlob(node: string, script: string, tmp: string, signal: AbortSignal): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmp, 'repo-webserver-'));
  try {
    const settings = { main: 'repo-webserver.js', output: 'blob', disableExperimentalSEAWarning: true };
    await writeFile(join(folder, 'repo-webserver.js'), script);
    await writeFile(join(folder, 'sea.json'), JSON.stringify(settings));
    // No NODE_OPTIONS of the user's, no TMPDIR, no locale.
    await promisify(execFile)(node, ['--experimental-sea-config', 'sea.json'], { cwd: folder, env: {}, signal });
    return await readFile(join(folder, 'blob'));
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw unusable(node, `it makes no single executables: ${explain(cause).split('\n')[0]}`, cause);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function findFuse(node: string, fd: number): Patch {
  const wanted = Buffer.from(`${FUSE}0`);
  const found: number[] = [];
  const buffer = Buffer.alloc(PIECE + wanted.length);
  for (let at = 0; ; at += PIECE) {
    const count = fs.readSync(fd, buffer, 0, buffer.length, at);
    const piece = buffer.subarray(0, count);
    for (let i = piece.indexOf(wanted); i >= 0 && i < PIECE; i = piece.indexOf(wanted, i + 1)) found.push(at + i);
    if (count < buffer.length) break;
  }
  const [offset] = found;
  if (offset === undefined || found.length > 1) {
    throw unusable(node, `expected one place for a script in it, found ${found.length}`);
  }
  return { offset: offset + FUSE.length, bytes: Buffer.from('1') };
}

function identityOf(fd: number): string {
  const { dev, ino, size, mtimeNs } = fs.fstatSync(fd, { bigint: true });
  return [dev, ino, size, mtimeNs].join(' ');
}

async function* readAll(node: string, identity: string, injection: Injection): AsyncGenerator<Uint8Array> {
  const fd = fs.openSync(node, 'r');
  try {
    if (identityOf(fd) !== identity) throw unusable(node, 'it was replaced while an image was made');
    for (let at = 0; ; ) {
      const piece = Buffer.alloc(PIECE);
      const count = fs.readSync(fd, piece, 0, PIECE, at);
      if (count === 0) break;
      applyPatches(piece.subarray(0, count), at, injection.patches);
      yield piece.subarray(0, count);
      at += count;
    }
  } finally {
    fs.closeSync(fd);
  }
  yield Buffer.alloc(injection.padding);
  yield injection.appended;
}

function applyPatches(piece: Buffer, at: number, patches: readonly Patch[]): void {
  for (const { offset, bytes } of patches) {
    for (const [i, byte] of bytes.entries()) {
      const position = offset + i - at;
      if (position >= 0 && position < piece.length) piece[position] = byte;
    }
  }
}

function unusable(node: string, why: string, cause?: unknown): WebserverError {
  return new WebserverError('WEBSERVER_NODE', `${node}: ${why}`, { hint: INSTEAD, subject: node, cause });
}
