/** The manifest of an image that a command names with its transport. */
import type { Command } from 'commander';
import type { ImageManifest, RawManifest } from '../../../oci/index.ts';
import { placeOptions, placeValues, type RegistriesValues, registriesOptions } from '../../images/registry-options.ts';
import { imagesSettings } from '../../images/settings.ts';
import { closing, withSource } from '../../images/with-images.ts';
import { type Context, command } from '../../program.ts';

export interface DescribedImage {
  readonly name: string;
  readonly raw: RawManifest;
  readonly manifest: ImageManifest;
}

/** A command about images, all of them named by its arguments; of an index the image for this machine. */
export function manifestCommand(
  shape: Command,
  examples: readonly string[],
  tell: (images: readonly DescribedImage[], context: Context) => void,
): Command {
  return command<RegistriesValues>(registriesOptions(placeOptions(shape)), examples, async () => {
    const [module, oci, container] = await Promise.all([
      import('../../../images/index.ts'),
      import('../../../oci/index.ts'),
      import('../../../ostree-container/index.ts'),
    ]);
    return async (values, texts, context) => {
      const names = texts.map((text) => container.parseContainerReference(text));
      const images = module.openImages(imagesSettings(values, placeValues(values), context));
      const { signal } = context;
      return closing(images, async () => {
        const described: DescribedImage[] = [];
        for (const name of names) {
          await withSource({ images, signal }, name, async (source) => {
            const top = await source.readManifest(undefined, signal);
            const image = await module.chooseImage(source, top, oci.hostPlatform(), signal);
            described.push({ name: module.formatImageName(name), ...image });
          });
        }
        tell(described, context);
        return 0;
      });
    };
  });
}
