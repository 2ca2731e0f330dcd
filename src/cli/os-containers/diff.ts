import { Command } from 'commander';
import { formatBytes, plural } from '../../base/text.ts';
import type { ContainerDifference } from '../../system-containers/index.ts';
import { repeatable } from '../repeatable.ts';
import { hostCommand } from './with-host.ts';

interface Values {
  readonly rebase?: string;
  readonly set?: readonly string[];
  readonly runtime?: string;
  readonly files?: true;
}

export function diffCommand(): Command {
  const shape = new Command('diff')
    .description(
      'Show what "update" would change: image, layers, files, values, unit and configuration, files on the host. ' +
        'Nothing is fetched, and nothing of the container is touched.',
    )
    .argument('<name>', 'container')
    .option('--rebase <image>', 'compare with this image')
    .addOption(repeatable('--set <name=value>', 'as if this value were given'))
    .option('--files', 'list the files of the root file system that differ');
  const examples = [
    'os-containers pull docker.io/example/etcd && os-containers diff etcd',
    'os-containers diff --rebase docker.io/example/etcd:v3 --files etcd',
  ];
  return hostCommand<Values>(shape, examples, async (values, [name = ''], context) => {
    const { containers, host, output, openRepository } = context;
    const found = await containers.diffContainer(host, openRepository(), {
      name,
      rebase: values.rebase,
      setValues: containers.parseSettings(values.set ?? []),
      runtimePath: values.runtime,
    });
    for (const warning of found.warnings) output.warning(warning);
    output.results(linesOf(name, found, values.files === true));
    output.document('os-containers.diff/1', documentOf(name, found));
    return 0;
  });
}

function* linesOf(name: string, found: ContainerDifference, showFiles: boolean): Generator<string> {
  const lines = [
    ...imageLines(found),
    ...fileLines(found, showFiles),
    ...found.values.map(({ name: key, before, after }) => `value ${key}: ${shown(before)} -> ${shown(after)}`),
    ...found.generated.flatMap(({ file, removed, added }) => [
      `${file}:`,
      ...removed.map((line) => `  - ${line}`),
      ...added.map((line) => `  + ${line}`),
    ]),
    ...hostLines(found),
  ];
  if (lines.length === 0) yield `${name}: an update would change nothing`;
  yield* lines;
  for (const path of found.hostFiles.keptModified) yield `host file ${path}: was modified, and stays`;
  for (const path of found.hostFiles.conflicts) yield `host file ${path}: is there already, and stays`;
}

function* imageLines({ image, rootfs, digest, layers }: ContainerDifference): Generator<string> {
  if (image.before !== image.after) yield `image: ${image.before} -> ${image.after}`;
  if (rootfs !== undefined) return;
  if (digest.before !== digest.after) yield `digest: ${digest.before ?? 'unknown'} -> ${digest.after ?? 'unknown'}`;
  if (layers === undefined) yield 'layers: unknown, the image of the deployment is not in the repository any more';
  else if (layers.added.length + layers.removed.length > 0) {
    const [added, removed] = [plural(layers.added.length, 'layer'), layers.removed.length];
    yield `layers: ${added} added (${formatBytes(layers.addedBytes)}), ${removed} removed, ${layers.kept} kept`;
  }
}

const MARKS = { added: 'A', removed: 'D', modified: 'M' } as const;

function* fileLines({ files }: ContainerDifference, showFiles: boolean): Generator<string> {
  if (files === undefined || files.length === 0) return;
  const count = (change: keyof typeof MARKS): number => files.filter((each) => each.change === change).length;
  yield `files: ${count('added')} added, ${count('removed')} removed, ${count('modified')} modified`;
  if (showFiles) for (const { change, path } of files) yield `  ${MARKS[change]} /${path}`;
}

function* hostLines({ hostFiles }: ContainerDifference): Generator<string> {
  for (const path of hostFiles.added) yield `host file ${path}: added`;
  for (const path of hostFiles.changed) yield `host file ${path}: changed`;
  for (const path of hostFiles.removed) yield `host file ${path}: removed`;
}

function shown(value: string | undefined): string {
  return value === undefined ? 'not set' : JSON.stringify(value);
}

function documentOf(name: string, found: ContainerDifference) {
  const { image, rootfs, digest, layers, files, values, generated, hostFiles, warnings } = found;
  return {
    name,
    image: { ...image },
    rootfs: rootfs ?? null,
    digest: { before: digest.before ?? null, after: digest.after ?? null },
    layers: layers === undefined ? null : { ...layers, added: layers.added.map(withSize) },
    files: files?.map(({ change, path }) => ({ change, path: `/${path}` })) ?? null,
    values: values.map(({ name: key, before, after }) => ({ name: key, before: before ?? null, after: after ?? null })),
    generated: generated.map((each) => ({ ...each })),
    hostFiles: { ...hostFiles },
    warnings,
  };
}

function withSize({ digest, size }: { readonly digest: string; readonly size: number | undefined }) {
  return { digest, size: size ?? null };
}
