/** `--metrics FILE`: what monitoring wants to know, one sample a configuration; docs/metrics.md. */
import { basename } from 'node:path';
import { decodeTime } from '../../base/json.ts';
import { type Metric, type Sample, writeMetrics } from '../../systemd/index.ts';
import { type Config, healthOf, readStatus, type Status } from '../../tako/index.ts';
import { EXIT } from '../exit-status.ts';
import type { Context } from '../program.ts';

/** Configurations that could not be read have no destination, and so no samples. */
async function writeMetricsFile(file: string, configs: readonly Config[], context: Context): Promise<void> {
  const known: { readonly labels: Sample['labels']; readonly status: Status }[] = [];
  for (const config of configs) {
    const status = await statusOrNothing(config, context);
    if (status !== undefined) known.push({ labels: { program: 'tako', name: basename(config.path) }, status });
  }
  const samples = (value: (status: Status) => number | undefined): Sample[] =>
    known.flatMap(({ labels, status }) => {
      const number = value(status);
      return number === undefined ? [] : [{ labels, value: number }];
    });
  const metrics: readonly Metric[] = [
    {
      name: 'tako_last_success_timestamp_seconds',
      help: 'When the last run ended well, in seconds since the epoch.',
      samples: samples(({ state }) => secondsOf(state.succeededAt)),
    },
    {
      name: 'tako_update_available',
      help: '1 when a newer image is allowed and not linked yet.',
      samples: samples(({ pending }) => Number(pending !== undefined)),
    },
    {
      name: 'tako_health',
      help: '0 when units were not restarted, or the newest version did not stay healthy.',
      samples: samples((status) => Number(healthOf(status) === undefined)),
    },
    {
      name: 'tako_store_bytes',
      help: 'Bytes of all images in the store.',
      samples: samples(({ storeBytes }) => storeBytes),
    },
  ];
  writeMetrics(file, metrics);
}

/** For runs whose work is done: that monitoring misses it is said, and is a failure, but takes nothing back. */
export async function tryMetrics(file: string, configs: readonly Config[], context: Context): Promise<number> {
  try {
    await writeMetricsFile(file, configs, context);
    return EXIT.done;
  } catch (error) {
    if (context.signal.aborted) throw error;
    context.output.error(error, `metrics file ${file}`);
    return EXIT.failed;
  }
}

async function statusOrNothing(config: Config, { output, signal }: Context): Promise<Status | undefined> {
  try {
    return await readStatus(config, { warn: () => undefined }, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    output.detail(`${config.path}: no metrics: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function secondsOf(time: string | null): number | undefined {
  const value = time === null ? undefined : decodeTime(time);
  return value === undefined ? undefined : value / 1000;
}
