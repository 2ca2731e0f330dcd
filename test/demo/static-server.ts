/** A small static file server on loopback: all that an origin or a repository needs. */
import { createReadStream } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface StaticServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Names in a path; none begins with a dot, so nothing outside of the directory has one. */
const PATH = /^\/([A-Za-z0-9_+-][A-Za-z0-9_.+-]*(?:\/[A-Za-z0-9_+-][A-Za-z0-9_.+-]*)*)$/;

export async function serveDirectory(directory: string): Promise<StaticServer> {
  const server = createServer((request, response) => {
    const path = PATH.exec(request.url ?? '')?.[1];
    const file = join(directory, path ?? '');
    lstat(file).then(
      (stats) => {
        if (path === undefined || !stats.isFile()) {
          response.writeHead(404).end('not found\n');
          return;
        }
        response.writeHead(200, { 'content-length': stats.size, 'content-type': 'application/octet-stream' });
        createReadStream(file)
          .on('error', () => response.destroy())
          .pipe(response);
      },
      () => void response.writeHead(404).end('not found\n'),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
