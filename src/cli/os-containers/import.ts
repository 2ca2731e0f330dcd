import { resolve } from 'node:path';
import { Command } from 'commander';
import { plural } from '../../base/text.ts';
import { repeatable } from '../repeatable.ts';
import { recorded } from './deploying.ts';
import { withPulling } from './pulling.ts';
import { type HostContext, hostCommand } from './with-host.ts';

interface Values {
  readonly name?: string;
  readonly set?: readonly string[];
  readonly policy?: string;
  readonly requireSignature?: true;
  readonly dryRun?: true;
}

const SCHEMA = 'os-containers.import/1';

export function importCommand(): Command {
  const shape = new Command('import')
    .description(
      'Install a container from a file that "export" has written: its images, as with "pull", and its deployments, ' +
        'as with "install". It is enabled and not started.',
    )
    .argument('<file>', 'what "export" has written')
    .option('--name <name>', 'call the container so instead')
    .addOption(repeatable('--set <name=value>', 'value for this host, over the recorded one'))
    .option('--policy <file>', 'this policy.json instead of that of the settings, user or system')
    .option('--require-signature', 'refuse images without a verified signature, whatever the policy accepts')
    .option('--dry-run', 'say what would be installed, change nothing');
  const examples = ['os-containers import etcd.tar', 'os-containers import --name etcd2 --set PORT=2380 etcd.tar'];
  return hostCommand<Values>(shape, examples, async (values, [path = ''], context) => {
    const { containers, host, output, openRepository, runtimePath } = context;
    const file = resolve(path);
    if (values.dryRun === true) return plan(file, values.name, context);
    const setValues = containers.parseSettings(values.set ?? []);
    const request = { file, name: values.name, setValues, runtimePath };
    const work = () =>
      withPulling(values, context, (pull) =>
        containers.importContainer(host, openRepository(true), {
          ...request,
          pull: (reference, name) => pull({ reference, name, tagVersion: undefined, floor: undefined }),
        }),
      );
    const { name, slots, active } = await recorded(context, values.name ?? file, work, (imported) => ({
      kind: 'installed',
      deployment: imported.active,
    }));
    output.info(`imported ${name} from ${file}: ${plural(slots.length, 'deployment')}`);
    output.document(SCHEMA, {
      dryRun: false,
      name,
      file,
      slots: slots.map((each) => ({ ...each, active: each.slot === active.slot })),
    });
    return 0;
  });
}

async function plan(file: string, wanted: string | undefined, { containers, host, output }: HostContext) {
  const { name, slots } = await containers.planImport(host, { file, name: wanted });
  output.results(
    slots.map(({ slot, image, digest }) => `${name}: would be deployed into slot ${slot} from ${image}, ${digest}`),
  );
  output.document(SCHEMA, {
    ...{ dryRun: true, name, file },
    slots: slots.map((each) => ({ ...each, active: each.slot === 0 })),
  });
  return 0;
}
