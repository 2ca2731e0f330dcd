/** What images are called in the repository: in full, as in a registry, wherever they come from. */
import { basename, resolve } from 'node:path';
import { codeOf } from '../../base/error.ts';
import { type ImageName, parseImageName } from '../../images/index.ts';
import { formatNamed, isTag, type NamedReference, parseNamed, withDefaultTag } from '../../oci/index.ts';

/** `busybox` is `docker.io/library/busybox:latest`; beside a digest a tag says nothing. @throws OciError BAD_REFERENCE */
export function fullName(text: string): string {
  return formatFull(parseNamed(text));
}

function formatFull(reference: NamedReference): string {
  const { domain, path, digest } = reference;
  return formatNamed(digest === undefined ? withDefaultTag(reference) : { domain, path, digest });
}

/**
 * Undefined where the image itself has to be asked: an archive without a reference behind it, a layout without a tag.
 * @throws OciError BAD_REFERENCE
 */
export function nameFor({ transport, location, selector }: ImageName): string | undefined {
  switch (transport) {
    case 'docker':
      return fullName(location);
    case 'containers-storage':
      return fullName(location.replace(/^\[[^\]]*\]/, ''));
    case 'docker-archive':
      return selector === undefined || selector.startsWith('@') ? undefined : fullName(selector);
    case 'oci':
    case 'oci-archive':
      return selector === undefined ? undefined : (givenName(selector) ?? localName(location, selector));
    case 'dir':
      return localName(location, undefined);
  }
}

/** When it is a whole reference: with a host and a tag or digest. */
export function givenName(text: string): string | undefined {
  const reference = parsed(text);
  if (reference === undefined || !text.startsWith(`${reference.domain}/`)) return undefined;
  return reference.tag === undefined && reference.digest === undefined ? undefined : formatFull(reference);
}

/** `localhost/BASENAME:TAG`; undefined where the file is called like no image. */
export function localName(location: string, tag: string | undefined): string | undefined {
  const name = basename(resolve(location)).replace(/\.(?:tar|oci|tgz)$/, '');
  const reference = parsed(`localhost/${name.toLowerCase()}`);
  if (reference === undefined || reference.tag !== undefined) return undefined;
  return formatFull({ ...reference, tag: tag !== undefined && isTag(tag) ? tag : 'latest' });
}

/** All names that a text may mean, the likeliest first. */
export function possibleNames(text: string): readonly string[] {
  const names: string[] = [];
  const word = /^ostree:(?<name>[^@]*)/.exec(text)?.groups?.['name'];
  for (const each of word === undefined ? [text] : [text, word]) {
    try {
      const name = nameFor(parseImageName(each));
      if (name !== undefined) names.push(name);
    } catch (error) {
      if (codeOf(error) === undefined) throw error; // no name of an image: it may be the beginning of a digest
    }
  }
  return [...new Set([...names, text])];
}

function parsed(text: string): NamedReference | undefined {
  try {
    return parseNamed(text);
  } catch (error) {
    if (codeOf(error) === 'BAD_REFERENCE' || codeOf(error) === 'INVALID_DIGEST') return undefined;
    throw error;
  }
}
