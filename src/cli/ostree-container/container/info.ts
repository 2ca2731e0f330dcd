import { Command } from 'commander';
import { manifestCommand } from './described-image.ts';

export function infoCommand(): Command {
  const shape = new Command('info')
    .description('Print the digest of the manifest of an image. Of an index: of the image for this machine.')
    .argument('<image>', 'registry:HOST/NAME:TAG, oci:DIRECTORY:TAG, ...');
  const examples = ['ostree-container container info registry:quay.io/example/os:stable'];
  return manifestCommand(shape, examples, (images, { output }) => {
    for (const { name, raw, manifest } of images) {
      const { digest, mediaType } = raw;
      const layers = manifest.layers.map((layer) => ({ digest: layer.digest, size: layer.size }));
      output.result(digest);
      const { annotations } = manifest;
      const document = { image: name, manifestDigest: digest, mediaType, annotations, layers };
      output.document('ostree-container.container-info/1', document);
    }
  });
}
