import { Command } from 'commander';
import { formatBytes } from '../../../../base/text.ts';
import type { HistoryRow } from '../../../../ostree-container/index.ts';
import { storeCommand, storedName } from './with-store.ts';

/** Digits of a digest that tell layers of one image apart. */
const ID_LENGTH = 20;

export function historyCommand(): Command {
  const shape = new Command('history')
    .description('Show the layers of a stored image, the lowest first: identifier, size, and what made each.')
    .argument('<image>', 'a name as "container image list" prints it');
  const examples = ['ostree-container container image history --repo /ostree/repo docker://quay.io/example/os:stable'];
  return storeCommand(shape, examples, async (_values, [text = ''], { container, output, repository }) => {
    const image = container.findImage(repository, storedName(container, text));
    const rows = container.imageHistory(image);
    output.results(['ID                   SIZE       CREATED BY', ...rows.map(lineOf)]);
    output.document('ostree-container.container-image-history/1', {
      commit: image.commit,
      manifestDigest: image.manifest.digest,
      history: rows.map(({ layer, createdBy, created }) => ({
        layer: layer?.digest ?? null,
        size: layer?.size ?? null,
        createdBy,
        created: created ?? null,
      })),
    });
    return 0;
  });
}

function lineOf({ layer, createdBy }: HistoryRow): string {
  const id = layer === undefined ? '-' : layer.digest.slice(layer.digest.indexOf(':') + 1).slice(0, ID_LENGTH);
  const size = layer === undefined ? '-' : formatBytes(layer.size);
  return `${id.padEnd(ID_LENGTH)} ${size.padEnd(10)} ${createdBy}`.trimEnd();
}
