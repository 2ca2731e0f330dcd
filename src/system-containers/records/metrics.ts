/** `--metrics FILE`: what monitoring wants to know, by the names that `tako` has for the same: docs/metrics.md. */
import type { Repository } from '../../ostree/index.ts';
import { type Metric, type Sample, writeMetrics } from '../../systemd/index.ts';
import { type Container, type Deployment, listContainers } from '../deployment/index.ts';
import type { Host } from '../host.ts';
import { findWanted } from '../install/index.ts';
import { lookAtService } from '../switch/index.ts';

/** How the containers of this run fared; those that are not named were left alone. */
export interface RunResults {
  readonly succeeded: ReadonlySet<string>;
  readonly failed: ReadonlySet<string>;
}

interface Facts {
  readonly labels: Sample['labels'];
  readonly succeededAt: number;
  readonly isUpdateAvailable: boolean;
  readonly isHealthy: boolean;
}

/** Broken containers have no health. */
export async function writeContainerMetrics(
  file: string,
  host: Host,
  repository: Repository | undefined,
  results: RunResults,
): Promise<void> {
  const facts: Facts[] = [];
  for (const container of listContainers(host.places)) {
    if (!container.isPreinstalled) facts.push(await factsOf(host, repository, container, results));
  }
  const samples = (value: (facts: Facts) => number): Sample[] =>
    facts.map((each) => ({ labels: each.labels, value: value(each) }));
  const metrics: readonly Metric[] = [
    {
      name: 'tako_last_success_timestamp_seconds',
      help: 'When the last run ended well, in seconds since the epoch.',
      samples: samples(({ succeededAt }) => succeededAt),
    },
    {
      name: 'tako_update_available',
      help: '1 when a newer image is allowed and not deployed yet.',
      samples: samples(({ isUpdateAvailable }) => Number(isUpdateAvailable)),
    },
    {
      name: 'tako_health',
      help: '0 when the container is broken, its service has failed, or its last update was taken back.',
      samples: samples(({ isHealthy }) => Number(isHealthy)),
    },
  ];
  writeMetrics(file, metrics);
}

async function factsOf(
  host: Host,
  repository: Repository | undefined,
  { name, active }: Container,
  { succeeded, failed }: RunResults,
): Promise<Facts> {
  const activation = active === undefined ? 0 : (active.info.activated ?? active.info.created * 1000);
  return {
    labels: { program: 'os-containers', name },
    succeededAt: Math.floor((succeeded.has(name) ? host.now() : activation) / 1000),
    isUpdateAvailable: active !== undefined && isOutdated(repository, active),
    isHealthy: active !== undefined && !failed.has(name) && (await isRunningAsWanted(host, active)),
  };
}

function isOutdated(repository: Repository | undefined, { info }: Deployment): boolean {
  if (repository === undefined || info.rootfs !== undefined) return false;
  const image = findWanted(repository, { reference: info.image, tagVersion: info.tagVersion });
  return image !== undefined && image.digest !== `sha256:${info.revision}`;
}

/** One that nobody has started is as well as one that runs. */
async function isRunningAsWanted(host: Host, { name, info }: Deployment): Promise<boolean> {
  return !info.hasService || (await lookAtService(host, name)).word !== 'failed';
}
