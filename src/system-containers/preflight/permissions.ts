/**
 * What an image may do outside of its container without its being seen among the host files. Each has to be allowed once,
 * by `--allow-host WORD`.
 */
import { ContainerError } from '../error.ts';

export const PERMISSIONS = ['hooks', 'tmpfiles', 'setuid'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Something that needs a permission. */
export interface Deed {
  readonly needs: Permission;
  /** What would happen, as the end of a sentence that begins with the image. */
  readonly text: string;
}

/** So many are named of each kind; the rest is counted. */
const SHOWN = 5;

/** @throws ContainerError NOT_ALLOWED_ON_HOST naming all of it, and the options */
export function assertAllowed(image: string, deeds: readonly Deed[], permissions: readonly string[]): void {
  const refused = PERMISSIONS.filter((each) => !permissions.includes(each)).flatMap((needs) => {
    const texts = deeds.filter((deed) => deed.needs === needs).map(({ text }) => text);
    return texts.length === 0 ? [] : [{ needs, texts }];
  });
  if (refused.length === 0) return;
  const shown = refused.flatMap(({ texts }) => [
    ...texts.slice(0, SHOWN),
    ...(texts.length > SHOWN ? [`${texts.length - SHOWN} more of this kind`] : []),
  ]);
  const options = refused.map(({ needs }) => `--allow-host ${needs}`).join(' ');
  throw new ContainerError('NOT_ALLOWED_ON_HOST', `${image}: ${shown.join('; ')}`, {
    hint: `that acts outside of the container: if it is meant to, give ${options}`,
    subject: image,
  });
}
