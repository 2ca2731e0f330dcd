/** References as users write them, and what an image is called here (spec system-containers 4). */
import fs from 'node:fs';
import { quote } from '../../base/text.ts';
import { formatImageName, type ImageName, type Images, ImagesError, parseImageName } from '../../images/index.ts';
import {
  formatNamed,
  OciError,
  openDockerArchive,
  openLayout,
  openOciArchive,
  parseNamed,
  REF_NAME,
  repositoryName,
} from '../../oci/index.ts';
import { chooseTag, NO_MARKS } from '../../version/index.ts';
import type { TagVersion } from '../deployment/info.ts';
import { ContainerError } from '../error.ts';
import { fullName, givenName, localName, nameFor } from '../storage/index.ts';

/** Where an image comes from, and what it is called here. */
export interface PullReference {
  readonly source:
    | { readonly kind: 'image'; readonly name: ImageName }
    /** In another repository of this format, under its full name there. */
    | { readonly kind: 'repository'; readonly path: string; readonly name: string };
  /** In full: `docker.io/library/busybox:latest`. */
  readonly storedName: string;
}

/** Where the transport of that name looked when no repository was written. */
const SYSTEM_REPOSITORY = '/ostree/repo';
/** What the words of the earlier tools meant, which mean something else now. */
const OLD_WORDS: Readonly<Record<string, string>> = {
  oci: 'a registry was meant by "oci:NAME" once: write docker://NAME',
  docker: 'an image of the local daemon was meant by "docker:NAME" once: save it, and write docker-archive:FILE',
  dockertar: 'write docker-archive:FILE',
  http: 'write docker://NAME with --insecure',
  https: 'write docker://NAME',
};

/**
 * Only archives and layouts are looked into, and only where their reference does not name the image.
 * @param options `name`: of `--name`
 * @throws ImagesError BAD_IMAGE_NAME, TRANSPORT_UNSUPPORTED; OciError BAD_REFERENCE, NOT_A_LAYOUT ...;
 *   ContainerError IMAGE_NAME_MISSING
 */
export async function readReference(
  text: string,
  options: { readonly name?: string | undefined; readonly signal: AbortSignal },
): Promise<PullReference> {
  const given = options.name === undefined ? undefined : fullName(options.name.replace(/^docker:\/\//, ''));
  const stored = repositoryReference(text);
  if (stored !== undefined) return { source: stored, storedName: given ?? stored.name };
  const name = qualified(parsed(text));
  if (name.transport === 'oci' && !fs.existsSync(name.location)) {
    const message = `${name.location}: there is no such layout`;
    throw new OciError('NOT_A_LAYOUT', message, { hint: OLD_WORDS['oci'], subject: name.location });
  }
  const storedName = given ?? nameFor(name) ?? (await nameInside(name, options.signal));
  if (storedName !== undefined) return { source: { kind: 'image', name }, storedName };
  throw new ContainerError('IMAGE_NAME_MISSING', `${text}: nothing says what the image is called`, {
    hint: 'name it with --name',
    subject: text,
  });
}

/** What has the form of an old word is told what to write today. */
function parsed(text: string): ImageName {
  const [, word = '', rest = ''] = /^([a-z]+):(.+)$/s.exec(text) ?? [];
  const hint = OLD_WORDS[word];
  const isOld =
    word === 'dockertar' || word === 'http' || word === 'https' || (word === 'docker' && !/^\/\//.test(rest));
  if (hint !== undefined && isOld) {
    throw new ImagesError('TRANSPORT_UNSUPPORTED', `${quote(text)}: transport ${word} is not supported`, {
      hint,
      subject: text,
    });
  }
  return parseImageName(text);
}

/** As Docker completes names, and not by the search list of this machine: the name here must not depend on that. */
function qualified(name: ImageName): ImageName {
  if (name.transport !== 'docker') return name;
  return { ...name, location: formatNamed(parseNamed(name.location)), isBare: false };
}

/** `ostree:NAME[@/REPOSITORY]` */
function repositoryReference(text: string) {
  const word = 'ostree:';
  if (!text.startsWith(word)) return undefined;
  const at = text.indexOf('@/');
  const name = text.slice(word.length, at < 0 ? undefined : at);
  if (at < 0 && /^[\w][\w.-]{0,127}$/.test(name) && !name.includes('.')) return undefined; // a tag of an image "ostree"
  return { kind: 'repository', path: at < 0 ? SYSTEM_REPOSITORY : text.slice(at + 1), name: fullName(name) } as const;
}

async function nameInside(name: ImageName, signal: AbortSignal): Promise<string | undefined> {
  const { transport, location, selector } = name;
  if (transport === 'docker-archive') return archivedName(location, selector, signal);
  if (transport !== 'oci' && transport !== 'oci-archive') return undefined;
  const layout = transport === 'oci' ? openLayout(location) : await openOciArchive(location, signal);
  try {
    const [only, ...others] = layout.index().manifests;
    const tag = others.length === 0 ? only?.annotations?.[REF_NAME] : undefined;
    return (tag === undefined ? undefined : givenName(tag)) ?? localName(location, tag);
  } finally {
    layout.close();
  }
}

/** The first tag of the first image, or of the one that `@INDEX` means. */
async function archivedName(
  location: string,
  selector: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const archive = await openDockerArchive(location, signal);
  try {
    const [tag] = archive.images[Number(selector?.slice(1) ?? 0)]?.repoTags ?? [];
    return tag === undefined ? undefined : fullName(tag);
  } finally {
    archive.close();
  }
}

/**
 * The reference with the newest tag that the bounds allow; it has neither tag nor digest itself.
 * @throws CodedError NO_MATCHING_TAG, PATTERN_MALFORMED; ContainerError BAD_VALUE; RegistryError
 */
export async function referenceByVersion(
  text: string,
  { pattern, preReleases }: TagVersion,
  images: Images,
  signal: AbortSignal,
): Promise<string> {
  const name = qualified(parsed(text));
  const tag = chooseTag(await tagsOf(name, images, signal), { pattern, preReleases }, NO_MARKS);
  return formatImageName(
    name.transport === 'docker' ? { ...name, location: `${name.location}:${tag}` } : { ...name, selector: tag },
  );
}

async function tagsOf(name: ImageName, images: Images, signal: AbortSignal): Promise<readonly string[]> {
  if (name.transport === 'oci') {
    if (name.selector !== undefined) throw tagTwice(name);
    const layout = openLayout(name.location);
    try {
      return layout.tags();
    } finally {
      layout.close();
    }
  }
  if (name.transport !== 'docker') {
    throw new ContainerError('BAD_VALUE', `${formatImageName(name)}: has no tags to choose from`);
  }
  const reference = parseNamed(name.location);
  if (reference.tag !== undefined || reference.digest !== undefined) throw tagTwice(name);
  const { repository } = await images.repository({ ...name, location: repositoryName(reference) }, signal);
  return repository.listTags(signal);
}

function tagTwice(name: ImageName): ContainerError {
  return new ContainerError('BAD_VALUE', `${formatImageName(name)}: has a tag already, and bounds choose one`, {
    hint: 'name the image without tag and digest',
    subject: formatImageName(name),
  });
}
