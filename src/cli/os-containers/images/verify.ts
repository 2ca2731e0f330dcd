/** `images verify`: images in the store, and the root file systems of deployments, against their checksums. */
import { join } from 'node:path';
import { Command } from 'commander';
import { plural } from '../../../base/text.ts';
import type { Repository } from '../../../ostree/index.ts';
import type { Deployment, StoredImage } from '../../../system-containers/index.ts';
import { EXIT } from '../../exit-status.ts';
import { type HostContext, hostCommand } from '../with-host.ts';
import { deploymentsOf } from './deployed.ts';

interface Problem {
  /** A deployment as `NAME.SLOT`, an image, or the store. */
  readonly where: string;
  /** Of a deployment, in its root file system; else the object. */
  readonly path: string;
  readonly problem: string;
}

interface Verified {
  readonly images: readonly string[];
  readonly deployments: readonly string[];
  /** Deployments whose images are not here any more. */
  readonly unknown: readonly string[];
  readonly problems: readonly Problem[];
}

export function verifyCommand(): Command {
  const shape = new Command('verify')
    .description(
      'Read everything back: every object of the images, or without a name of the whole store, and every file of the deployments that come from them. Fails when something was changed.',
    )
    .argument('[image...]', 'names, or beginnings of digests (default: the store and all deployments)');
  const examples = ['os-containers images verify', 'os-containers images verify docker.io/gscrivano/etcd'];
  return hostCommand<object>(shape, examples, async (_values, names, context) => {
    const { output, openRepository } = context;
    const repository = openRepository();
    const verified =
      names.length === 0 ? await verifyAll(repository, context) : await verifySome(repository, names, context);
    const { images, deployments, unknown, problems } = verified;
    output.results(problems.map(({ where, path, problem }) => `${where}: ${path}: ${problem}`));
    for (const each of unknown) output.warning(`${each}: its image is not in the repository any more`);
    const counts = `${plural(images.length, 'image')} and ${plural(deployments.length, 'deployment')} verified`;
    output.info(`${counts}: ${problems.length === 0 ? 'no problem' : plural(problems.length, 'problem')}`);
    output.document('os-containers.images-verify/1', {
      ...{ isSound: problems.length === 0, images: [...images], deployments: [...deployments], unknown: [...unknown] },
      problems: problems.map((each) => ({ ...each })),
    });
    return problems.length === 0 ? EXIT.done : EXIT.failed;
  });
}

async function verifyAll(repository: Repository, context: HostContext): Promise<Verified> {
  const { containers, host } = context;
  const { fsck } = await import('../../../ostree/index.ts');
  const { findings } = await fsck(repository, { all: true, signal: host.signal, timeoutMs: host.lockTimeoutMs });
  const inStore = findings
    .filter(({ severity }) => severity === 'error')
    .map(({ subject, text }) => ({ where: 'store', path: subject, problem: text.replace(`${subject}: `, '') }));
  const listed = containers.listImages(repository);
  const broken = listed.flatMap((image) =>
    'problem' in image ? [{ where: image.name, path: image.branch, problem: image.problem }] : [],
  );
  const files = await verifyDeployments(repository, deploymentsOf(context, undefined), undefined, context);
  return { ...files, images: listed.map(({ name }) => name), problems: [...inStore, ...broken, ...files.problems] };
}

async function verifySome(repository: Repository, names: readonly string[], context: HostContext): Promise<Verified> {
  const { containers, host } = context;
  const all: Verified[] = [];
  for (const text of names) {
    const image = containers.imageOf(repository, text);
    const objects = await containers.verifyImage(repository, image, host.signal);
    const inStore = objects.map(({ checksum, type, problem }) => ({
      where: image.name,
      path: `${checksum}.${type}`,
      problem,
    }));
    const hex = image.digest.slice(image.digest.indexOf(':') + 1);
    const files = await verifyDeployments(repository, deploymentsOf(context, hex), image, context);
    all.push({ ...files, images: [image.name], problems: [...inStore, ...files.problems] });
  }
  return {
    images: all.flatMap(({ images }) => images),
    deployments: all.flatMap(({ deployments }) => deployments),
    unknown: all.flatMap(({ unknown }) => unknown),
    problems: all.flatMap(({ problems }) => problems),
  };
}

/** @param fallback what they come from, when nothing else is known */
async function verifyDeployments(
  repository: Repository,
  deployments: readonly Deployment[],
  fallback: StoredImage | undefined,
  { containers, host }: HostContext,
): Promise<Omit<Verified, 'images'>> {
  const options = { signal: host.signal, timeoutMs: host.lockTimeoutMs };
  const known: string[] = [];
  const unknown: string[] = [];
  const problems: Problem[] = [];
  for (const { name, slot, path, info } of deployments) {
    const where = `${name}.${slot}`;
    const image = containers.imageOfDeployment(repository, info) ?? fallback;
    if (image === undefined) {
      unknown.push(where);
      continue;
    }
    const found = await containers.verifyDeployment(repository, image, join(path, 'rootfs'), options);
    problems.push(...found.map((each) => ({ where, ...each })));
    known.push(where);
  }
  return { deployments: known, unknown, problems };
}
