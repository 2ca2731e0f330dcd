/** `install`: a new container. It is enabled and not started. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { InstallRequest } from '../../system-containers/index.ts';
import { UsageError } from '../arguments.ts';
import { EXIT } from '../exit-status.ts';
import {
  type DeployingValues,
  deployingOptions,
  deploymentDocument,
  permissionsOf,
  planDocument,
  recorded,
  setValuesOf,
  showPlan,
  tagVersionOf,
} from './deploying.ts';
import { type PullingValues, pullingOptions, withPulling } from './pulling.ts';
import { type HostContext, type HostValues, hostCommand } from './with-host.ts';

interface Values extends DeployingValues, PullingValues {
  readonly name?: string;
  readonly rootfs?: string;
  readonly dryRun?: true;
  readonly display?: true;
}

const SCHEMA = 'os-containers.install/1';

export function installCommand(): Command {
  const shape = new Command('install')
    .description(
      'Make a service of an image: a deployment of its files, a unit, and its files on the host. An image that is not stored is pulled. The service is enabled and not started: that is for "systemctl start".',
    )
    .argument('[image]', 'image, such as docker.io/library/redis:7; with --rootfs a name for it')
    .option('--name <name>', "name of the container and its unit (default: from the image's name)")
    .option('--rootfs <directory>', 'use this root file system as it is, instead of an image')
    .option('--dry-run', 'say what would be done, change nothing')
    .option('--display', 'the same, with all generated files in full');
  return hostCommand<Values>(
    pullingOptions(deployingOptions(shape)),
    [
      'os-containers install docker.io/gscrivano/etcd',
      'os-containers install --name kv --set PORT=8080 registry.example/kvd:1.0',
      'os-containers install --display registry.example/kvd:1.0',
    ],
    install,
  );
}

async function install(values: Values & HostValues, [image]: readonly string[], context: HostContext): Promise<number> {
  if (image === undefined && values.rootfs === undefined) throw new UsageError('name an image, or a --rootfs');
  const request: InstallRequest = {
    image: image ?? resolve(values.rootfs ?? ''),
    rootfs: values.rootfs === undefined ? undefined : resolve(values.rootfs),
    name: values.name,
    setValues: setValuesOf(values, context),
    permissions: permissionsOf(values, context),
    runtimePath: context.runtimePath,
    tagVersion: tagVersionOf(values),
  };
  return values.dryRun === true || values.display === true
    ? plan(values, request, context)
    : carryOut(values, request, context);
}

async function plan(values: Values, request: InstallRequest, context: HostContext): Promise<number> {
  const { containers, host, output, openRepository } = context;
  const repository = request.rootfs === undefined ? openRepository() : undefined;
  const planned = await containers.planInstallation(host, repository, request);
  showPlan(planned, values.display === true, context);
  output.document(SCHEMA, { dryRun: true, ...planDocument(planned) });
  return EXIT.done;
}

async function carryOut(values: Values & HostValues, request: InstallRequest, context: HostContext): Promise<number> {
  const { containers, host, output, openRepository } = context;
  const repository = request.rootfs === undefined ? openRepository(true) : undefined;
  const subject = request.name ?? request.image;
  const work = (): ReturnType<typeof containers.installContainer> =>
    withPulling(values, context, (pull) => containers.installContainer(host, repository, { ...request, pull }));
  const { deployment, image, conflicts } = await recorded(context, subject, work, (installed) => ({
    kind: 'installed',
    deployment: installed.deployment,
  }));
  const { name, info } = deployment;
  output.document(SCHEMA, {
    ...{ dryRun: false, name, ...deploymentDocument(deployment), imageName: image?.name ?? null },
    ...{ values: Object.fromEntries(info.values), installedFiles: [...info.installedFiles] },
    conflicts: [...conflicts],
  });
  return EXIT.done;
}
