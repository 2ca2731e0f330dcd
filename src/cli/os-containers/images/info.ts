/** `images info`: what an image is, which values it asks for, and what it would put on the host. */
import { Command } from 'commander';
import { jsonTime } from '../../../base/json.ts';
import { formatBytes, plural } from '../../../base/text.ts';
import type { ImageDescription } from '../../../system-containers/index.ts';
import { describeVerification, verificationDocument } from '../pull.ts';
import { hostCommand } from '../with-host.ts';

export function infoCommand(): Command {
  const shape = new Command('info')
    .description(
      'Show a stored image: labels, variables of its templates with their defaults and those that must be set, files that it puts on the host.',
    )
    .argument('<image>', 'name, or the beginning of its digest');
  const examples = ['os-containers images info docker.io/gscrivano/etcd', 'os-containers images info --json 3f2a'];
  return hostCommand<object>(shape, examples, async (_values, [text = ''], context) => {
    const { containers, host, output, openRepository } = context;
    const repository = openRepository();
    const image = containers.imageOf(repository, text);
    const options = { signal: host.signal, timeoutMs: host.lockTimeoutMs };
    const described = await containers.describeImage(host, repository, image, options);
    output.results(linesOf(described));
    output.document('os-containers.images-info/1', documentOf(described));
    return 0;
  });
}

function* linesOf(described: ImageDescription): Generator<string> {
  const { image, size, labels, defaults, required, hostFiles, hasExports, hasService, hasCheck, findings } = described;
  yield `name: ${image.name}`;
  yield `digest: ${image.digest}`;
  yield `size: ${formatBytes(size)} in ${plural(image.layers.length, 'layer')}`;
  yield `stored: ${jsonTime(image.created * 1000)}`;
  if (image.verification !== undefined) yield `verification: ${describeVerification(image.verification)}`;
  if (!hasExports) yield 'the image has no /exports: unit and configuration would be made up';
  if (!hasService) yield 'the image has no service: it only puts files on the host';
  if (hasCheck) yield 'the image tells whether its service is healthy: /exports/check';
  yield* section('labels', [...labels].map(assignment));
  yield* section('variables with a default', [...defaults].map(assignment));
  yield* section('variables that must be set', required);
  yield* section('files on the host', hostFiles);
  yield* section(
    'worth knowing',
    findings.map(({ severity, message }) => `${severity}: ${message}`),
  );
}

function* section(title: string, lines: readonly string[]): Generator<string> {
  if (lines.length === 0) return;
  yield `${title}:`;
  for (const line of lines) yield `  ${line}`;
}

function assignment([name, value]: readonly [string, string]): string {
  return `${name}=${value}`;
}

function documentOf(described: ImageDescription) {
  const { image, size, labels, defaults, required, hostFiles, hasExports, hasService, hasCheck, findings } = described;
  const { name, digest, commit, layers, config, created, verification } = image;
  return {
    ...{ name, digest, commit, size, layers: [...layers], config: config ?? null, created: jsonTime(created * 1000) },
    verification: verification === undefined ? null : verificationDocument(verification),
    ...{ hasExports, hasService, hasCheck },
    labels: Object.fromEntries(labels),
    defaults: Object.fromEntries(defaults),
    required: [...required],
    hostFiles: [...hostFiles],
    findings: findings.map(({ severity, rule, file, line, message }) => {
      return { severity, rule, file: file ?? null, line: line ?? null, message };
    }),
  };
}
