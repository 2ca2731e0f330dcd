/**
 * Names of images with their transport, as the containers tools write them: `docker://host/name:tag`, `oci:DIR:TAG`,
 * `oci-archive:FILE:TAG`, `docker-archive:FILE:REF`, `dir:DIR`, `containers-storage:[STORE]REF`. A bare name is one in a
 * registry. Source: containers-transports(5).
 */
import { nearest, quote } from '../base/text.ts';
import { ImagesError } from './error.ts';

export type Transport = 'docker' | 'oci' | 'oci-archive' | 'docker-archive' | 'dir' | 'containers-storage';

export interface ImageName {
  readonly transport: Transport;
  /** Path of a layout, archive or directory; the reference as written for `docker` and `containers-storage`. */
  readonly location: string;
  /** What is wanted of a layout or archive: a tag, `@sha256:...`, for a docker-archive a reference or `@INDEX`. */
  readonly selector: string | undefined;
  /** Written without a transport: a name without a host may then mean several registries. */
  readonly isBare: boolean;
}

const READ_WRITE: readonly Transport[] = [
  'docker',
  'oci',
  'oci-archive',
  'docker-archive',
  'dir',
  'containers-storage',
];
/** Of other tools, each with what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  'docker-daemon': 'write the image to a file with "docker save", and use docker-archive:FILE',
  ostree: 'images in OSTree repositories are for os-containers and ostree-container pull',
  sif: 'convert it to an OCI layout first',
  tarball: 'make a layout of it first',
  atomic: 'the OpenShift image registry is reached as docker://',
};

/** @throws ImagesError BAD_IMAGE_NAME, TRANSPORT_UNSUPPORTED */
export function parseImageName(text: string): ImageName {
  const [, word = '', rest = ''] = /^([a-z][a-z-]*):(.*)$/s.exec(text) ?? [];
  const refused = Object.hasOwn(REFUSED, word) ? REFUSED[word] : undefined;
  if (refused !== undefined && !looksLikeTag(word, rest)) {
    throw new ImagesError('TRANSPORT_UNSUPPORTED', `${quote(text)}: transport ${word} is not supported`, {
      hint: refused,
      subject: text,
    });
  }
  if (word === 'docker') {
    if (!rest.startsWith('//')) throw badName(text, 'a name in a registry is written docker://HOST/NAME');
    return inRegistry(text, rest.slice(2), false);
  }
  if (word === 'containers-storage')
    return { transport: word, location: given(text, rest), selector: undefined, isBare: false };
  if (word === 'dir') return { transport: word, location: given(text, rest), selector: undefined, isBare: false };
  if (word === 'oci' || word === 'oci-archive' || word === 'docker-archive') return inFile(text, word, rest);
  if (rest.startsWith('//')) throw badName(text, `unknown transport ${quote(word)}`, nearest(word, READ_WRITE));
  return inRegistry(text, text, true);
}

/** As it is written with its transport: `parseImageName(formatImageName(n))` equals `n`. */
export function formatImageName({ transport, location, selector }: ImageName): string {
  if (transport === 'docker') return `docker://${location}`;
  return `${transport}:${location}${selector === undefined ? '' : `:${selector}`}`;
}

/** `ostree:v2` may be a short name with a tag; a path or a store is not. */
function looksLikeTag(word: string, rest: string): boolean {
  return word !== 'docker-daemon' && /^[\w][\w.-]{0,127}$/.test(rest);
}

function inRegistry(text: string, reference: string, isBare: boolean): ImageName {
  return { transport: 'docker', location: given(text, reference), selector: undefined, isBare };
}

/** What follows the first colon of the path selects an image. */
function inFile(text: string, transport: Transport, rest: string): ImageName {
  const colon = rest.indexOf(':');
  const location = given(text, colon < 0 ? rest : rest.slice(0, colon));
  const selector = colon < 0 ? undefined : rest.slice(colon + 1);
  if (selector === '') throw badName(text, 'nothing behind the colon');
  return { transport, location, selector, isBare: false };
}

function given(text: string, location: string): string {
  if (location === '') throw badName(text, 'a name or a path is missing');
  if (location.includes('\0')) throw badName(text, 'a NUL in it');
  return location;
}

function badName(text: string, why: string, meant?: string): ImagesError {
  return new ImagesError('BAD_IMAGE_NAME', `image name ${quote(text)}: ${why}`, {
    subject: text,
    hint: meant === undefined ? undefined : `is ${meant}: meant?`,
  });
}
