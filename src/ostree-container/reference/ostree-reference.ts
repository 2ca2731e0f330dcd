/**
 * Names of images that also say whom to trust (spec ostree-container 2.8):
 * `ostree-remote-image:REMOTE:TRANSPORT:NAME`, `ostree-image-signed:TRANSPORT:NAME`,
 * `ostree-unverified-image:TRANSPORT:NAME`, and short forms for registries.
 */
import { nearest, quote } from '../../base/text.ts';
import { formatImageName, type ImageName } from '../../images/index.ts';
import { parseContainerReference } from './container-reference.ts';
import { badReference, OstreeReferenceError } from './error.ts';

/** `remote`: the commit is signed for it. `image`: the image is, as policy.json says. `unverified`: nobody looks. */
export type Trust =
  | { readonly kind: 'remote'; readonly remote: string }
  | { readonly kind: 'image' }
  | { readonly kind: 'unverified' };

export interface OstreeReference {
  readonly trust: Trust;
  readonly image: ImageName;
}

const SCHEMES = [
  'ostree-remote-registry',
  'ostree-remote-image',
  'ostree-image-signed',
  'ostree-unverified-image',
  'ostree-unverified-registry',
] as const;
/** As the names of remotes in the configuration of a repository. */
const REMOTE = /^\w[-.\w]*$/;

/** @throws OstreeReferenceError BAD_OSTREE_REFERENCE */
export function parseOstreeReference(text: string): OstreeReference {
  const [word, rest] = cut(text);
  switch (rest === undefined ? undefined : SCHEMES.find((scheme) => scheme === word)) {
    case 'ostree-remote-registry':
      return fromRemote(text, rest ?? '', 'docker://');
    case 'ostree-remote-image':
      return fromRemote(text, rest ?? '', '');
    case 'ostree-image-signed':
      return { trust: { kind: 'image' }, image: imageOf(text, rest ?? '') };
    case 'ostree-unverified-image':
      return { trust: { kind: 'unverified' }, image: imageOf(text, rest ?? '') };
    case 'ostree-unverified-registry':
      return { trust: { kind: 'unverified' }, image: imageOf(text, `docker://${rest ?? ''}`) };
    case undefined:
      throw withoutScheme(text, word);
  }
}

/** Canonical: `parseOstreeReference(formatOstreeReference(r))` equals `r`. */
export function formatOstreeReference({ trust, image }: OstreeReference): string {
  const name = formatImageName(image);
  switch (trust.kind) {
    case 'remote':
      return `ostree-remote-image:${trust.remote}:${name}`;
    case 'image':
      return `ostree-image-signed:${name}`;
    case 'unverified':
      return image.transport === 'docker'
        ? `ostree-unverified-registry:${image.location}`
        : `ostree-unverified-image:${name}`;
  }
}

function fromRemote(text: string, rest: string, transport: 'docker://' | ''): OstreeReference {
  const [remote, name] = cut(rest);
  if (!REMOTE.test(remote)) throw badReference(text, `expected the name of a remote, found ${quote(remote)}`);
  if (name === undefined) throw badReference(text, `nothing behind the remote ${quote(remote)}`);
  return { trust: { kind: 'remote', remote }, image: imageOf(text, `${transport}${name}`) };
}

function imageOf(text: string, name: string): ImageName {
  try {
    return parseContainerReference(name);
  } catch (cause) {
    if (!(cause instanceof OstreeReferenceError)) throw cause;
    throw badReference(text, 'the image it names is none', { cause, hint: cause.hint });
  }
}

function withoutScheme(text: string, word: string): OstreeReferenceError {
  const meant = nearest(word, SCHEMES);
  return badReference(text, 'expected whom to trust in front', {
    hint:
      meant === undefined
        ? 'write ostree-image-signed:, ostree-remote-image:REMOTE: or ostree-unverified-image: before it'
        : `is ${meant}: meant?`,
  });
}

/** Around the first colon; nothing behind it when there is none. */
function cut(text: string): readonly [string, string | undefined] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}
