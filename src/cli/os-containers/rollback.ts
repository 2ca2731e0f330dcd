/** `rollback`: back to the deployment that was active before; a second time leads forward again. */
import { Command } from 'commander';
import { EXIT } from '../exit-status.ts';
import { deploymentDocument, graceMsOf, recorded, type WaitValues, waitOption } from './deploying.ts';
import { type HostContext, hostCommand } from './with-host.ts';

interface Values extends WaitValues {
  readonly dryRun?: true;
}

const SCHEMA = 'os-containers.rollback/1';

export function rollbackCommand(): Command {
  const shape = new Command('rollback')
    .description(
      'Go back to the deployment that was active before, with its files, its unit and its values. Nothing is fetched. Rolling back twice leads to the newer one again.',
    )
    .argument('<name>', 'container')
    .option('--dry-run', 'say what would be done, change nothing');
  return hostCommand<Values>(
    waitOption(shape),
    ['os-containers rollback etcd', 'os-containers rollback --wait 30s etcd'],
    async (values, [name = ''], context) =>
      values.dryRun === true ? plan(name, context) : carryOut(values, name, context),
  );
}

async function plan(name: string, { containers, host, output }: HostContext): Promise<number> {
  const { from, to, hostFiles } = await containers.planRollback(host, name);
  output.result(`${name}: would go back from slot ${from.slot} to slot ${to.slot}, ${to.info.image}`);
  for (const line of hostFiles.lines) output.result(`host: ${line}`);
  output.document(SCHEMA, {
    ...{ dryRun: true, name, previous: deploymentDocument(from), ...deploymentDocument(to) },
    ...{ hostLines: [...hostFiles.lines], keptFiles: [...hostFiles.kept] },
  });
  return EXIT.done;
}

async function carryOut(values: Values, name: string, context: HostContext): Promise<number> {
  const { containers, host, output } = context;
  const work = () => containers.rollBackContainer(host, name, { graceMs: graceMsOf(values, context) });
  const { from, to, started, keptFiles } = await recorded(context, name, work, (done) => ({
    kind: 'rolledBack',
    deployment: done.to,
    previous: done.from,
  }));
  output.document(SCHEMA, {
    ...{ dryRun: false, name, previous: deploymentDocument(from), ...deploymentDocument(to) },
    ...{ started, keptFiles: [...keptFiles] },
  });
  return EXIT.done;
}
