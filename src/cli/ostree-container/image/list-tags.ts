import { Command } from 'commander';
import { imageCommand } from '../../images/with-images.ts';

const SCHEMA = 'ostree-container.image-list-tags/1';

export function listTagsCommand(): Command {
  const shape = new Command('list-tags')
    .description('Show the tags of a repository in a registry, one a line, in the order of the registry.')
    .argument('<name>', 'docker://HOST/NAME, or a bare name');
  const examples = ['ostree-container image list-tags docker://quay.io/fedora/fedora-coreos'];
  return imageCommand(shape, examples, async (_values, name, { images, output, signal }) => {
    const { reference, repository } = await images.repository(name, signal);
    const tags = await repository.listTags(signal);
    output.results(tags);
    output.document(SCHEMA, { repository: `${reference.domain}/${reference.path}`, tags });
    return 0;
  });
}
