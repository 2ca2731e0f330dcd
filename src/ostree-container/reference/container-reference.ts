/**
 * Names of images as the tools around OSTree write them (spec ostree-container 2.8): always with a transport, and
 * `registry:HOST/NAME` is `docker://HOST/NAME`.
 */
import { type ImageName, ImagesError, parseImageName } from '../../images/index.ts';
import { OciError, parseNamed } from '../../oci/index.ts';
import { badReference } from './error.ts';

const REGISTRY = 'registry:';
const TRANSPORTS = 'registry:, docker://, oci:, oci-archive:, docker-archive:, dir:, containers-storage:';

/**
 * `formatImageName` gives the canonical form: `docker://` for registries.
 * @throws OstreeReferenceError BAD_OSTREE_REFERENCE
 */
export function parseContainerReference(text: string): ImageName {
  const name = parseTransport(text.startsWith(REGISTRY) ? `docker://${text.slice(REGISTRY.length)}` : text, text);
  if (name.isBare) throw withoutTransport(text);
  if (name.transport === 'docker') assertNamed(name.location, text);
  return name;
}

function parseTransport(text: string, written: string): ImageName {
  try {
    return parseImageName(text);
  } catch (cause) {
    if (!(cause instanceof ImagesError)) throw cause;
    throw badReference(written, 'expected a transport and a name', { cause, hint: cause.hint });
  }
}

function assertNamed(location: string, written: string): void {
  try {
    parseNamed(location);
  } catch (cause) {
    if (!(cause instanceof OciError)) throw cause;
    throw badReference(written, 'expected the name of an image in a registry', { cause });
  }
}

/** Scripts of the established tools always name it, and `oci` may be a host as well as a word forgotten. */
function withoutTransport(text: string): Error {
  const [word] = text.split(':', 1);
  if (word?.startsWith('ostree-') === true) {
    return badReference(text, 'expected the name of an image alone', { hint: `leave ${word}: out` });
  }
  const isName = /^[\w.-]+(?::\d+)?\/./.test(text);
  return badReference(text, `expected a transport in front, one of ${TRANSPORTS}`, {
    hint: isName ? `is docker://${text} meant?` : undefined,
  });
}
