/** The repository of an image, on every address of its container. */
import { dirname } from 'node:path';
import { explain } from '../../../base/error.ts';
import type { Repository } from '../../../ostree/index.ts';
import { openContainerObjects, parsePort, serveRepository } from '../../../ostree-container/index.ts';
import { UsageError } from '../../arguments.ts';
import type { Output } from '../../output.ts';

const DEFAULT_PORT = '8080';

/** Until SIGTERM or SIGINT, then running transfers are finished; a second signal does not wait. */
export async function serveImage(repository: Repository, env: NodeJS.ProcessEnv, output: Output): Promise<void> {
  const port = parsePort(env['PORT'] ?? DEFAULT_PORT);
  if (port === undefined) throw new UsageError('PORT: expected a number from 0 to 65535');
  const ending = new AbortController();
  for (const [signal, status] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    process.on(signal, () => {
      if (ending.signal.aborted) process.exit(status);
      ending.abort();
    });
  }
  const onNote = (text: string): void => output.warning(text);
  const server = await serveRepository({
    repository,
    external: await externalObjects(repository, onNote),
    listen: [
      { kind: 'address', host: '0.0.0.0', port },
      { kind: 'address', host: '::', port, isOptional: true },
    ],
    onNote,
    signal: ending.signal,
  });
  for (const address of server.addresses) output.info(`serving ${repository.path} on http://${address}/repo/`);
  await server.done;
}

/** Of a damaged map: what lies in the repository itself can be served all the same. */
async function externalObjects(repository: Repository, onNote: (text: string) => void) {
  const map = `${dirname(repository.path)}/object-map`;
  try {
    return await openContainerObjects({ root: '/', map, onNote });
  } catch (error) {
    onNote(`${explain(error)}: what lies in the base of the image cannot be served`);
    return undefined;
  }
}
