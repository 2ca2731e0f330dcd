import { Command } from 'commander';
import { formatBytes } from '../../../base/text.ts';
import type { Descriptor } from '../../../oci/index.ts';
import { type DescribedImage, manifestCommand } from './described-image.ts';

export function compareCommand(): Command {
  const shape = new Command('compare')
    .description(
      'Show which layers of an image are not in another one: what a host that has the old image would fetch.',
    )
    .argument('<old>', 'registry:HOST/NAME:TAG, oci:DIRECTORY:TAG, ...')
    .argument('<new>', 'the same');
  const examples = ['ostree-container container compare registry:quay.io/example/os:1 registry:quay.io/example/os:2'];
  return manifestCommand(shape, examples, ([before, after], { output }) => {
    if (before === undefined || after === undefined) throw new Error('unreachable: two arguments are required');
    const total = layersOf(after);
    const removed = without(layersOf(before), total);
    const added = without(total, layersOf(before));
    output.result(`Total new layers: ${tell(total)}`);
    output.result(`Removed layers:   ${tell(removed)}`);
    output.result(`Added layers:     ${tell(added)}`);
    output.results([
      ...removed.map(({ digest, size }) => `- ${digest} ${formatBytes(size)}`),
      ...added.map(({ digest, size }) => `+ ${digest} ${formatBytes(size)}`),
    ]);
    output.document('ostree-container.container-compare/1', {
      old: { image: before.name, manifestDigest: before.raw.digest },
      new: { image: after.name, manifestDigest: after.raw.digest },
      total: document(total),
      removed: document(removed),
      added: document(added),
    });
  });
}

/** Each digest once, sorted by it. */
function layersOf({ manifest }: DescribedImage): readonly Descriptor[] {
  const unique = new Map(manifest.layers.map((layer) => [layer.digest, layer]));
  return [...unique.values()].sort((a, b) => (a.digest < b.digest ? -1 : Number(a.digest > b.digest)));
}

function without(layers: readonly Descriptor[], others: readonly Descriptor[]): readonly Descriptor[] {
  const known = new Set(others.map(({ digest }) => digest));
  return layers.filter(({ digest }) => !known.has(digest));
}

function sizeOf(layers: readonly Descriptor[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}

function tell(layers: readonly Descriptor[]): string {
  return `${String(layers.length).padEnd(4)}  Size: ${formatBytes(sizeOf(layers))}`;
}

function document(layers: readonly Descriptor[]) {
  return { size: sizeOf(layers), layers: layers.map(({ digest, size }) => ({ digest, size })) };
}
