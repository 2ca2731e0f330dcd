import { Command } from 'commander';
import { quote } from '../../base/text.ts';
import type { Listen } from '../../ostree-container/index.ts';
import { UsageError } from '../arguments.ts';
import { repeatable } from '../repeatable.ts';
import type { RepoValues } from '../shared-options.ts';
import { repositoryCommand } from './repo/with-repository.ts';

interface Values extends RepoValues {
  readonly listen?: readonly string[];
}

/** A host's own: whoever wants it seen by others says so. */
const DEFAULT_ADDRESS = '127.0.0.1:8080';

export function serveCommand(): Command {
  const shape = new Command('serve')
    .description(
      'Serve a repository of mode archive over HTTP: below /repo/ for clients that pull, at / a page for people. ' +
        'Runs until SIGTERM or SIGINT, then finishes running transfers.',
    )
    .addOption(
      repeatable('--listen <address:port>', `listen here; port 0 takes a free one (default: ${DEFAULT_ADDRESS})`),
    );
  const examples = [
    'ostree-container serve --repo /srv/repo',
    'ostree-container serve --repo /srv/repo --listen 0.0.0.0:8080 --listen [::]:8080',
  ];
  return repositoryCommand<Values>(shape, examples, async (values, _, { repository, output, signal }) => {
    const { inheritedSockets, parseListenAddress, serveRepository } = await import('../../ostree-container/index.ts');
    const inherited = values.listen === undefined ? inheritedSockets(process.env, process.pid) : [];
    const named = values.listen ?? (inherited.length > 0 ? [] : [DEFAULT_ADDRESS]);
    const listen: readonly Listen[] = [
      ...inherited,
      ...named.map((text) => parseListenAddress(text) ?? noAddress(text)),
    ];
    const server = await serveRepository({
      repository,
      listen,
      signal,
      onNote: (text) => output.warning(text),
      onRequest: (line) => output.detail(line),
    });
    for (const address of server.addresses) {
      output.info(`serving ${repository.path} on ${isHostPort(address) ? `http://${address}/repo/` : address}`);
    }
    output.document('ostree-container.serve/1', { repository: repository.path, addresses: [...server.addresses] });
    await server.done;
    output.info('finished');
    return 0;
  });
}

function noAddress(text: string): never {
  throw new UsageError(
    `${quote(text)} is no address to listen on`,
    'write ADDRESS:PORT with an IP address, such as 127.0.0.1:8080 or [::]:8080',
  );
}

/** A socket of systemd may lie in the file system. */
function isHostPort(address: string): boolean {
  return !address.startsWith('/');
}
