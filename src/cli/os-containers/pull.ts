/** `pull`: an image into the store. Standard output has its digest alone. */
import { Command, Option } from 'commander';
import { formatBytes, plural } from '../../base/text.ts';
import type { PulledImage, PullPlan, PullRequest, Verification } from '../../system-containers/index.ts';
import { tagVersionOf } from './deploying.ts';
import { type AccessValues, accessOptions, Pulling, type PullingValues, pullingOptions } from './pulling.ts';
import { type HostContext, type HostValues, hostCommand } from './with-host.ts';

interface Values extends PullingValues, AccessValues {
  readonly name?: string;
  readonly tagVersion?: string;
  readonly preReleases?: true;
  readonly dryRun?: true;
}

const SCHEMA = 'os-containers.pull/1';

export function pullCommand(): Command {
  const shape = new Command('pull')
    .description(
      'Fetch an image into the store: what is not there yet, verified. Containers that run are not touched: that is for "install" and "update".',
    )
    .argument('<image>', 'docker.io/library/redis:7, oci:DIR:TAG, docker-archive:FILE, ostree:NAME@/REPOSITORY ...')
    .option('--name <reference>', 'call the image so here')
    .option('--tag-version <pattern>', 'take the newest tag that matches, such as "1.*"')
    .option('--pre-releases', 'with --tag-version: also versions such as 1.6-beta')
    .option('--dry-run', 'say what would be fetched, change nothing')
    .addOption(new Option('--all', 'has no effect, and never had').hideHelp());
  return hostCommand<Values>(
    accessOptions(pullingOptions(shape, '')),
    [
      'os-containers pull docker.io/gscrivano/etcd',
      'os-containers pull --tag-version "1.*" registry.example/kvd',
      'os-containers pull --name registry.example/kvd:1.0 oci:/srv/images/kvd:1.0',
    ],
    pull,
  );
}

async function pull(values: Values & HostValues, [reference = '']: readonly string[], context: HostContext) {
  const pulling = new Pulling(values, context);
  try {
    const tagVersion = tagVersionOf(values);
    const request = await pulling.request({ reference, name: values.name, tagVersion });
    await (values.dryRun === true ? plan(request, context) : fetch(request, context));
    return 0;
  } finally {
    await pulling.close();
  }
}

async function fetch(request: PullRequest, { containers, openRepository, output }: HostContext): Promise<void> {
  const pulled = await containers.pullImage(openRepository(true), request);
  const { image, skippedFiles, fetchedLayers, fetchedBytes, isNew } = pulled;
  if (skippedFiles.length > 0) output.detail(`special files were left out: ${skippedFiles.join(', ')}`);
  if (isNew) output.detail(`${plural(fetchedLayers, 'layer')} fetched: ${formatBytes(fetchedBytes)}`);
  output.detail(`${image.name}: ${describeVerification(pulled.verification)}`);
  output.result(image.digest);
  output.document(SCHEMA, { dryRun: false, ...pulledDocument(pulled) });
}

async function plan(request: PullRequest, { containers, host, output }: HostContext): Promise<void> {
  const repository = containers.findStorage(host.places);
  let planned: PullPlan;
  try {
    planned = await containers.planPull(repository, request);
  } finally {
    repository?.close();
  }
  const { storedName, digest, isStored, layers, bytes, verification } = planned;
  const missing = layers.filter(({ isThere }) => !isThere);
  output.results(missing.map(({ digest: layer, size }) => `${layer} ${formatBytes(size)}`));
  const summary = `would fetch ${missing.length} of ${plural(layers.length, 'layer')}: ${formatBytes(bytes)}`;
  output.info(`${storedName}: ${digest}: ${isStored ? 'is stored already' : summary}`);
  output.document(SCHEMA, {
    ...{ dryRun: true, name: storedName, digest, isNew: !isStored, bytes },
    layers: layers.map((each) => ({ ...each })),
    verification: verificationDocument(verification),
  });
}

function pulledDocument({ image, isNew, fetchedLayers, fetchedBytes, verification, skippedFiles }: PulledImage) {
  return {
    ...{ name: image.name, digest: image.digest, commit: image.commit, isNew, fetchedLayers, fetchedBytes },
    verification: verificationDocument(verification),
    skippedFiles: [...skippedFiles],
  };
}

export function verificationDocument({ level, scope, keys }: Verification) {
  return { level, scope: scope ?? null, keys: [...keys] };
}

export function describeVerification({ level, scope, keys }: Verification): string {
  const words = {
    none: 'nothing vouches for it',
    transport: 'verified by the way it came',
    digest: 'verified by its digest',
    signed: `signed by ${keys.join(', ')}`,
  } as const;
  return scope === undefined ? words[level] : `${words[level]} (policy ${scope})`;
}
