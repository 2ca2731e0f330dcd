import { Command } from 'commander';
import { storeCommand } from './with-store.ts';

export function listCommand(): Command {
  const shape = new Command('list').description('Show the images that a repository has, one a line.');
  const examples = ['ostree-container container image list --repo /ostree/repo'];
  return storeCommand(shape, examples, async (_values, _args, { container, output, repository }) => {
    const images = container.listImages(repository);
    output.results(images);
    output.document('ostree-container.container-image-list/1', { repository: repository.path, images });
    return 0;
  });
}
