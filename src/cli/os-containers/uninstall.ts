/** `uninstall`: images, state and modified files stay, unless `--purge` says otherwise. */
import { Command } from 'commander';
import { EXIT } from '../exit-status.ts';
import { deploymentDocument, recorded } from './deploying.ts';
import { type HostContext, hostCommand } from './with-host.ts';

interface Values {
  readonly purge?: true;
  readonly keep?: true;
  readonly dryRun?: true;
}

const SCHEMA = 'os-containers.uninstall/1';

export function uninstallCommand(): Command {
  const shape = new Command('uninstall')
    .description(
      'Stop the service and take away its unit, its files on the host and all of its deployments; also what is left of a broken container. Stored images, state and files that were changed stay.',
    )
    .argument('<name>', 'container')
    .option('--purge', 'also the state of the container, and its files that were changed')
    .option('--keep', 'keep layers of images that have no name and are not deployed any more')
    .option('--dry-run', 'say what would be done, change nothing');
  return hostCommand<Values>(
    shape,
    ['os-containers uninstall etcd', 'os-containers uninstall --purge etcd'],
    async (values, [name = ''], context) =>
      values.dryRun === true ? plan(values, name, context) : carryOut(values, name, context),
  );
}

async function plan(values: Values, name: string, { containers, host, output }: HostContext): Promise<number> {
  const purge = values.purge === true;
  const { deployments, hostFiles } = await containers.planRemoval(host, { name, purge });
  const lines = hostFiles.flatMap((each) => [...each.lines]);
  output.result(`${name}: would be removed with its deployments`);
  for (const line of lines) output.result(`host: ${line}`);
  output.document(SCHEMA, {
    ...{ dryRun: true, name, purge, deployments: deployments.map(deploymentDocument), hostLines: lines },
    keptFiles: purge ? [] : hostFiles.flatMap((each) => [...each.kept]),
  });
  return EXIT.done;
}

async function carryOut(values: Values, name: string, context: HostContext): Promise<number> {
  const { containers, host, output } = context;
  const purge = values.purge === true;
  const work = () => containers.uninstallContainer(host, { name, purge });
  const { keptFiles, deployments } = await recorded(context, name, work, (removed) => ({
    kind: 'uninstalled',
    deployment: removed.deployments[0],
  }));
  await prune(values, deployments, context);
  output.document(SCHEMA, {
    ...{ dryRun: false, name, purge, deployments: deployments.map(deploymentDocument) },
    keptFiles: [...keptFiles],
  });
  return EXIT.done;
}

async function prune(
  { keep }: Values,
  deployments: Parameters<HostContext['containers']['pruneReplaced']>[2],
  { containers, host }: HostContext,
): Promise<void> {
  const repository = keep === true ? undefined : containers.findStorage(host.places);
  if (repository === undefined) return;
  try {
    await containers.pruneReplaced(host, repository, deployments);
  } finally {
    repository.close();
  }
}
