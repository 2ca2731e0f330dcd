/**
 * Names of images in registries, with the rules that Docker made and every tool follows: `busybox` is
 * `docker.io/library/busybox`. Source of the grammar: the `reference` package of the distribution project.
 */
import { quote } from '../base/text.ts';
import { type Digest, parseDigest } from './digest.ts';
import { OciError } from './error.ts';

export interface NamedReference {
  /** Host, with its port where one is named: `docker.io`, `localhost:5000`. */
  readonly domain: string;
  /** The repository on that host: `library/busybox`. */
  readonly path: string;
  readonly tag?: string | undefined;
  readonly digest?: Digest | undefined;
}

const DEFAULT_DOMAIN = 'docker.io';
const LEGACY_DOMAIN = 'index.docker.io';
const OFFICIAL = 'library/';
/** Of domain and path together. */
const NAME_LIMIT = 255;
/** Far more than name, tag and a sha512 digest. */
const TEXT_LIMIT = 1024;

const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
/** A digest without its algorithm: old programs took it for the id of an image. */
const BARE_HEX = /^[a-f0-9]{64}$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/**
 * `[DOMAIN/]PATH[:TAG][@DIGEST]`. The first part is a domain when it has a dot, a colon or an upper-case letter, or is
 * `localhost`.
 * @throws OciError BAD_REFERENCE, INVALID_DIGEST
 */
export function parseNamed(text: string): NamedReference {
  if (text.length > TEXT_LIMIT) throw bad(text, `longer than ${TEXT_LIMIT} characters`);
  if (BARE_HEX.test(text)) throw bad(text, 'the bare hex of a digest is not a name');
  const { rest: tagged, digest } = takeDigest(text);
  const { rest: name, tag } = takeTag(tagged, text);
  const { domain, path } = splitDomain(name);
  if (!DOMAIN.test(domain)) throw bad(text, `${quote(domain)} is not a host`);
  if (path !== path.toLowerCase()) throw bad(text, 'the name of a repository must be lower-case');
  if (!path.split('/').every((component) => COMPONENT.test(component))) {
    throw bad(text, path === '' ? 'there is no name' : `${quote(path)} is not the name of a repository`);
  }
  if (domain.length + 1 + path.length > NAME_LIMIT) throw bad(text, `a name is at most ${NAME_LIMIT} characters long`);
  return { domain, path, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

function takeDigest(text: string): { readonly rest: string; readonly digest?: Digest } {
  const at = text.indexOf('@');
  return at < 0 ? { rest: text } : { rest: text.slice(0, at), digest: parseDigest(text.slice(at + 1)) };
}

/** A colon after the last slash begins a tag; one before it belongs to a port. */
function takeTag(name: string, text: string): { readonly rest: string; readonly tag?: string } {
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  if (colon < 0) return { rest: name };
  const tag = name.slice(colon + 1);
  if (!isTag(tag)) throw bad(text, `${quote(tag)} is not a tag`);
  return { rest: name.slice(0, colon), tag };
}

function splitDomain(name: string): { readonly domain: string; readonly path: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isDomain = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const domain = isDomain && first !== LEGACY_DOMAIN ? first : DEFAULT_DOMAIN;
  const path = isDomain ? name.slice(slash + 1) : name;
  return { domain, path: domain === DEFAULT_DOMAIN && !path.includes('/') ? `${OFFICIAL}${path}` : path };
}

function bad(text: string, why: string): OciError {
  return new OciError('BAD_REFERENCE', `image name ${quote(text)}: ${why}`, { subject: text.slice(0, TEXT_LIMIT) });
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** What `docker://` and a manifest URL end in: the digest where there is one, for it says more than the tag. */
export function referenceOf({ tag, digest }: NamedReference): string | undefined {
  return digest ?? tag;
}

/** In full: `docker.io/library/busybox:latest`. */
export function formatNamed(reference: NamedReference): string {
  const { tag, digest } = reference;
  const tagged = `${repositoryName(reference)}${tag === undefined ? '' : `:${tag}`}`;
  return digest === undefined ? tagged : `${tagged}@${digest}`;
}

/** Domain and path. */
export function repositoryName({ domain, path }: NamedReference): string {
  return `${domain}/${path}`;
}

/** As people write it, without tag and digest, as long as it still means the same: `busybox`, `someone/app`. */
export function familiarName(reference: NamedReference): string {
  const full = repositoryName(reference);
  const { domain, path } = reference;
  if (domain !== DEFAULT_DOMAIN) return full;
  const short = path.startsWith(OFFICIAL) ? path.slice(OFFICIAL.length) : path;
  return [short, path].find((name) => !BARE_HEX.test(name) && repositoryName(splitDomain(name)) === full) ?? full;
}

/** `latest` where neither tag nor digest is named. */
export function withDefaultTag(reference: NamedReference): NamedReference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;
}
