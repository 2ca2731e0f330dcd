/** Which names in a signature are accepted for an image: `signedIdentity` of containers-policy.json(5). */
import {
  type Digest,
  formatNamed,
  type NamedReference,
  OciError,
  parseNamed,
  repositoryName,
} from '../../oci/index.ts';

export type IdentityMatch =
  | { readonly type: 'matchExact' | 'matchRepoDigestOrExact' | 'matchRepository' }
  | { readonly type: 'exactReference'; readonly reference: NamedReference }
  | { readonly type: 'exactRepository'; readonly repository: NamedReference }
  | { readonly type: 'remapIdentity'; readonly prefix: string; readonly signedPrefix: string };

/** @param image undefined where the place of the image has no such names @returns why not, undefined when it matches */
export function matchIdentity(
  match: IdentityMatch,
  image: NamedReference | undefined,
  signed: NamedReference,
): string | undefined {
  const expected = expectedName(match, image);
  if (typeof expected === 'string') return expected;
  const matches = RULES[match.type](expected, signed);
  return matches ? undefined : `is for ${formatNamed(signed)}, and ${match.type} asks for ${formatNamed(expected)}`;
}

function expectedName(match: IdentityMatch, image: NamedReference | undefined): NamedReference | string {
  if (match.type === 'exactReference') return match.reference;
  if (match.type === 'exactRepository') return match.repository;
  if (image === undefined) {
    return `${match.type} needs the name of the image in a registry: use exactReference or exactRepository`;
  }
  return match.type === 'remapIdentity' ? remap(match, image) : image;
}

type Rule = (expected: NamedReference, signed: NamedReference) => boolean;

const exactly: Rule = (expected, signed) =>
  isNamed(expected) && isNamed(signed) && formatNamed(expected) === formatNamed(signed);
const repository: Rule = (expected, signed) => repositoryName(expected) === repositoryName(signed);

/** An image asked for by digest was that digest before its signature was looked at: any tag of its repository will do. */
const digestOrExactly: Rule = (expected, signed) => {
  if (expected.tag === undefined) return expected.digest !== undefined && repository(expected, signed);
  // With tag and digest the tag is the name that was signed; the digest has been compared by the copy.
  return repository(expected, signed) && expected.tag === signed.tag && isSame(expected.digest, signed.digest);
};

const RULES: Readonly<Record<IdentityMatch['type'], Rule>> = {
  matchExact: exactly,
  matchRepoDigestOrExact: digestOrExactly,
  matchRepository: repository,
  exactReference: exactly,
  exactRepository: repository,
  remapIdentity: digestOrExactly,
};

function isNamed({ tag, digest }: NamedReference): boolean {
  return tag !== undefined || digest !== undefined;
}

function isSame(expected: Digest | undefined, signed: Digest | undefined): boolean {
  return signed === undefined || signed === expected;
}

function remap(
  { prefix, signedPrefix }: { readonly prefix: string; readonly signedPrefix: string },
  image: NamedReference,
): NamedReference | string {
  const name = repositoryName(image);
  if (name !== prefix && !name.startsWith(`${prefix}/`)) return image;
  const text = `${signedPrefix}${formatNamed(image).slice(prefix.length)}`;
  try {
    const named = parseNamed(text);
    return formatNamed(named) === text ? named : `remapIdentity makes ${text} of the name, which is not a full one`;
  } catch (error) {
    if (error instanceof OciError) return `remapIdentity makes ${text} of the name: ${error.message}`;
    throw error;
  }
}
