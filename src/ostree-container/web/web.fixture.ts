/** A repository that is served, and requests as bytes: no client tidies them up. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { scratch } from '../../../test/support/scratch.ts';
import { commitTrees, createRepository, openRepository, type Repository } from '../../ostree/index.ts';
import type { ServerLimits } from './limits.ts';
import { type ServeOptions, serveRepository } from './server.ts';

type Test = Parameters<typeof scratch>[0];

export interface Made {
  readonly repository: Repository;
  readonly path: string;
  readonly commit: string;
}

export interface Contents {
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly subject?: string;
  readonly body?: string;
}

/** A repository of mode archive with one commit, `os/main`. */
export async function madeRepository(
  t: Test,
  { files = { 'usr/bin/hello': 'hello\n' }, ...more }: Contents = {},
): Promise<Made> {
  const folder = scratch(t);
  const path = join(folder, 'repo');
  createRepository(path, { mode: 'archive' });
  const repository = openRepository(path);
  t.after(() => repository.close());
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, 'tree', name)), { recursive: true });
    writeFileSync(join(folder, 'tree', name), content);
  }
  const { commit } = await commitTrees(
    repository,
    {
      trees: [{ kind: 'directory', path: join(folder, 'tree') }],
      branch: 'os/main',
      timestamp: 1_700_000_000,
      ...more,
    },
    { signal: new AbortController().signal, fsync: false },
  );
  return { repository, path, commit };
}

export interface Served {
  readonly port: number;
  readonly notes: readonly string[];
  readonly done: Promise<void>;
  stop(): void;
}

export async function serve(
  t: Test,
  repository: Repository,
  { limits, external }: { limits?: Partial<ServerLimits>; external?: ServeOptions['external'] } = {},
): Promise<Served> {
  const ending = new AbortController();
  t.after(() => ending.abort());
  const notes: string[] = [];
  const { addresses, done } = await serveRepository({
    repository,
    listen: [{ kind: 'address', host: '127.0.0.1', port: 0 }],
    limits,
    external,
    onNote: (text) => notes.push(text),
    signal: ending.signal,
  });
  return { port: Number(addresses[0]?.split(':')[1]), notes, done, stop: () => ending.abort() };
}

export interface Reply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** The whole answer to these bytes, until the server closes the connection. */
export function exchange(port: number, bytes: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => received.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(received)));
  });
}

/** One request with its target as it stands here. */
export async function get(
  port: number,
  target: string,
  { method = 'GET', ...headers }: Readonly<Record<string, string>> & { readonly method?: string } = {},
): Promise<Reply> {
  const all = { Host: `127.0.0.1:${port}`, ...headers, Connection: 'close' };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return parseReply(await exchange(port, `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`));
}

export function parseReply(bytes: Buffer): Reply {
  const end = bytes.indexOf('\r\n\r\n');
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = new Map(
    lines.map((line): [string, string] => [line.split(':')[0]?.toLowerCase() ?? '', line.replace(/^[^:]*: */, '')]),
  );
  return { status: Number(first.split(' ')[1]), headers, body: bytes.subarray(end + 4) };
}
