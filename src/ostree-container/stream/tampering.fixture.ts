/** Streams that somebody has tampered with, and what an import of them leaves. */
import { createHash } from 'node:crypto';
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesOf } from '../../../test/support/ostree-vectors.ts';
import { type Checksum, commitObjects, listRefs, type Repository } from '../../ostree/index.ts';
import { readTar, type TarEntry, TarWriter } from '../../tar/index.ts';
import { type ImportTarOptions, importTar } from './import/import-tar.ts';
import { objectPath, type StreamObjectType } from './layout.ts';
import { SIGNAL } from './stream.fixture.ts';

export async function* inPieces(bytes: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield Uint8Array.from(bytes.subarray(at, at + size));
}

export interface Piece {
  readonly entry: Pick<TarEntry, 'path' | 'type' | 'mode' | 'uid' | 'gid' | 'linkTarget' | 'xattrs'>;
  readonly data: Buffer;
}

export async function piecesOf(stream: Uint8Array): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for await (const { path, type, mode, uid, gid, linkTarget, xattrs, data } of readTar(inPieces(stream), {
    pathLength: 2 ** 20,
  })) {
    const parts: Uint8Array[] = [];
    for await (const chunk of data()) parts.push(Buffer.from(chunk));
    pieces.push({ entry: { path, type, mode, uid, gid, linkTarget, xattrs }, data: Buffer.concat(parts) });
  }
  return pieces;
}

export async function written(pieces: readonly Piece[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const tar = new TarWriter((chunk) => void chunks.push(chunk), 'gnu');
  for (const { entry, data } of pieces) await tar.add(entry, entry.type === 'file' ? data : undefined);
  await tar.finish();
  return Buffer.concat(chunks);
}

/** Every piece as this function says: another one, several, or none. */
export async function tampered(stream: Uint8Array, change: (piece: Piece) => Piece | readonly Piece[]) {
  return written((await piecesOf(stream)).flatMap((piece) => change(piece)));
}

export function endsWith(ending: string): (piece: Piece) => boolean {
  return ({ entry }) => entry.path.endsWith(ending);
}

/** A piece of the repository with this body. */
export function objectPiece(checksum: Checksum, type: StreamObjectType, data: Uint8Array): Piece {
  const entry = { type: 'file', mode: 0o644, uid: 0, gid: 0, linkTarget: undefined, xattrs: [] } as const;
  return { entry: { ...entry, path: objectPath(checksum, type) }, data: Buffer.from(data) };
}

export function withEntry(piece: Piece, entry: Partial<Piece['entry']>): Piece {
  return { ...piece, entry: { ...piece.entry, ...entry } };
}

/** The last byte is another one; an empty piece gets one. */
export function withDamage(piece: Piece): Piece {
  const data = Buffer.from(piece.data.length === 0 ? [0] : piece.data);
  data[data.length - 1] = (data.at(-1) ?? 0) ^ 1;
  return { ...piece, data };
}

export function importInto(repository: Repository, stream: Uint8Array, options: Partial<ImportTarOptions> = {}) {
  return importTar(repository, inPieces(stream), { signal: SIGNAL, fsync: false, threads: 0, ...options });
}

/** Nothing that anybody would take for a commit. */
export function isUntouched(repository: Repository): boolean {
  return [...commitObjects(repository)].length === 0 && listRefs(repository).length === 0;
}

/** Everything that a repository has outside of `tmp/`, but for its lock, with the digest of each file. */
export function contentsOf({ path }: Repository): Readonly<Record<string, string>> {
  const names = filesOf(path, '').filter(
    (name) => !/^(tmp\/|\.lock$)/.test(name) && lstatSync(join(path, name)).isFile(),
  );
  const digest = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(path, name)))
      .digest('hex');
  return Object.fromEntries(names.map((name) => [name, digest(name)]));
}
