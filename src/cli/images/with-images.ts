/** Images and places of images for the time of one command. */
import type { Command } from 'commander';
import type * as ImagesModule from '../../images/index.ts';
import type { ImageDestination, ImageName, ImageSource, Images } from '../../images/index.ts';
import { type Context, command } from '../program.ts';
import { type LockValues, lockOption } from '../shared-options.ts';
import { placeOptions, placeValues, type RegistriesValues, registriesOptions } from './registry-options.ts';
import { imagesSettings } from './settings.ts';

export type ImagesDoor = typeof ImagesModule;

export interface WithImages extends Context {
  readonly module: ImagesDoor;
  readonly images: Images;
}

/** A command about one image, with the options of a registry. @param work its exit status, 0 when it returns nothing */
export function imageCommand<Values extends RegistriesValues>(
  shape: Command,
  examples: readonly string[],
  work: (values: Values, name: ImageName, context: WithImages) => Promise<number | undefined>,
): Command {
  return command<Values & LockValues>(registriesOptions(placeOptions(shape)), examples, async () => {
    const module = await import('../../images/index.ts');
    return async (values, [text = ''], context) => {
      const name = module.parseImageName(text);
      const images = module.openImages(imagesSettings(values, placeValues(values), context));
      return closing(images, async () => (await work(values, name, { ...context, module, images })) ?? 0);
    };
  });
}

/** The same for commands that write: they may have to wait for another run. */
export function writingImageCommand<Values extends RegistriesValues>(
  ...[shape, examples, work]: Parameters<typeof imageCommand<Values>>
): Command {
  return imageCommand<Values>(lockOption(shape), examples, work);
}

export async function withSource<T>(
  { images, signal }: Pick<WithImages, 'images' | 'signal'>,
  name: ImageName,
  work: (source: ImageSource) => Promise<T>,
): Promise<T> {
  const source = await images.source(name, signal);
  return closing(source, () => work(source));
}

export async function withDestination<T>(
  { images, signal }: Pick<WithImages, 'images' | 'signal'>,
  name: ImageName,
  work: (destination: ImageDestination) => Promise<T>,
): Promise<T> {
  const destination = await images.destination(name, signal);
  return closing(destination, () => work(destination));
}

export async function closing<T>(resource: { close(): void | Promise<void> }, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await resource.close();
  }
}
