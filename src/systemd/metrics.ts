/**
 * A metrics file in the OpenMetrics text format, for the textfile collectors of monitoring agents.
 * Source: the OpenMetrics 1.0 specification, "Text Format". Written beside its place and renamed, mode 0644.
 */
import { basename, dirname } from 'node:path';
import { openDirectory } from '../linux/files/directory.ts';
import { replaceFile } from '../linux/files/durable.ts';

export interface Metric {
  /** Without the unit's suffix being checked: the caller names it as it is documented. */
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** All are gauges: values that may go up and down. Metrics without samples are left out. */
export function formatMetrics(metrics: readonly Metric[]): string {
  const blocks = metrics.filter((metric) => metric.samples.length > 0).map(formatMetric);
  return `${blocks.join('')}# EOF\n`;
}

function formatMetric({ name, help, samples }: Metric): string {
  const lines = samples.map(({ labels, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return `${name}{${pairs.join(',')}} ${value}\n`;
  });
  return `# TYPE ${name} gauge\n# HELP ${name} ${escaped(help)}\n${lines.join('')}`;
}

function escaped(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

/** Readers see the old file or the new one, never half of it. */
export function writeMetrics(path: string, metrics: readonly Metric[]): void {
  const directory = openDirectory(dirname(path));
  try {
    const name = basename(path);
    // Collectors read *.prom: the temporary name must not end so.
    const temporary = { directory, name: `.${name}.${process.pid}.tmp` };
    replaceFile({ directory, name }, temporary, Buffer.from(formatMetrics(metrics)), 0o644);
  } finally {
    directory.close();
  }
}
