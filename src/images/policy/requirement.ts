/** One requirement of a policy. */
import { decodeBase64 } from '../../base/decode.ts';
import { OciError, parseNamed } from '../../oci/index.ts';
import { JsonFlaw, type JsonObject, readMembers, readString } from '../signatures/strict-json.ts';
import type { IdentityMatch } from './identity-match.ts';

/** Where the keys are; a file is read when the requirement is evaluated. */
export type KeySource = { readonly path: string } | { readonly data: Uint8Array };

export type Requirement =
  | { readonly type: 'insecureAcceptAnything' | 'reject' }
  | {
      readonly type: 'signedBy' | 'sigstoreSigned';
      /** Any of them. */
      readonly keys: readonly KeySource[];
      readonly signedIdentity: IdentityMatch;
    }
  /** Known, but beyond us: nothing fulfils it. */
  | { readonly type: 'notEvaluable'; readonly what: string };

/** Members of newer versions of the tools, which ask for a log or an authority. */
const BEYOND = [
  'fulcio',
  'pki',
  'rekorPublicKeyPath',
  'rekorPublicKeyPaths',
  'rekorPublicKeyData',
  'rekorPublicKeyDatas',
] as const;
const KEY_TYPES: readonly string[] = ['GPGKeys', 'signedByGPGKeys', 'X509Certificates', 'signedByX509CAs'];

/** @throws JsonFlaw */
export function readRequirement(value: unknown, what: string): Requirement {
  const type = typeOf(value, what);
  switch (type) {
    case 'insecureAcceptAnything':
    case 'reject':
      readMembers(value, what, ['type']);
      return { type };
    case 'signedBy':
      return readSignedBy(value, what);
    case 'sigstoreSigned':
      return readSigstoreSigned(value, what);
    case 'signedBaseLayer':
      readIdentity(readMembers(value, what, ['type', 'baseLayerIdentity']), what, 'baseLayerIdentity');
      return { type: 'notEvaluable', what: 'signedBaseLayer' };
    default:
      throw new JsonFlaw(`${what}: unknown type ${JSON.stringify(type).slice(0, 80)}`);
  }
}

function typeOf(value: unknown, what: string): string {
  const names = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  return readString(readMembers(value, what, [], names)['type'], `${what}.type`);
}

function readSignedBy(value: unknown, what: string): Requirement {
  const sources = ['keyPath', 'keyPaths', 'keyData'];
  const object = readMembers(value, what, ['type', 'keyType'], [...sources, 'signedIdentity']);
  const keyType = readString(object['keyType'], `${what}.keyType`);
  if (!KEY_TYPES.includes(keyType)) throw new JsonFlaw(`${what}.keyType: unknown ${JSON.stringify(keyType)}`);
  const keys = readKeys(object, what, sources);
  const signedIdentity = readIdentity(object, what);
  if (keyType !== 'GPGKeys') return { type: 'notEvaluable', what: `signedBy with keyType ${keyType}` };
  return { type: 'signedBy', keys, signedIdentity };
}

function readSigstoreSigned(value: unknown, what: string): Requirement {
  const sources = ['keyPath', 'keyPaths', 'keyData', 'keyDatas'];
  const object = readMembers(value, what, ['type'], [...sources, 'signedIdentity', ...BEYOND]);
  const signedIdentity = readIdentity(object, what);
  const beyond = BEYOND.find((name) => Object.hasOwn(object, name));
  if (beyond !== undefined) return { type: 'notEvaluable', what: `sigstoreSigned with ${beyond}` };
  return { type: 'sigstoreSigned', keys: readKeys(object, what, sources), signedIdentity };
}

function readKeys(object: JsonObject, what: string, sources: readonly string[]): readonly KeySource[] {
  const [name, another] = sources.filter((source) => Object.hasOwn(object, source));
  if (name === undefined || another !== undefined) {
    throw new JsonFlaw(`${what}: expected exactly one of ${sources.join(', ')}`);
  }
  const isList = name.endsWith('s');
  const value = object[name];
  const list: unknown = isList ? value : [value];
  if (!Array.isArray(list) || list.length === 0) throw new JsonFlaw(`${what}.${name}: expected a list, not empty`);
  return list.map((each, i) => readKey(each, name, `${what}.${name}${isList ? `[${i}]` : ''}`));
}

function readKey(value: unknown, name: string, what: string): KeySource {
  const text = readString(value, what);
  if (name.startsWith('keyPath')) return { path: text };
  const data = decodeBase64(text.replace(/[\r\n]/g, ''));
  if (data === undefined) throw new JsonFlaw(`${what}: expected base64`);
  return { data };
}

function readIdentity(object: JsonObject, requirement: string, name = 'signedIdentity'): IdentityMatch {
  if (!Object.hasOwn(object, name)) return { type: 'matchRepoDigestOrExact' };
  const value = object[name];
  const what = `${requirement}.${name}`;
  const type = typeOf(value, what);
  switch (type) {
    case 'matchExact':
    case 'matchRepoDigestOrExact':
    case 'matchRepository':
      readMembers(value, what, ['type']);
      return { type };
    case 'exactReference': {
      const text = readString(readMembers(value, what, ['type', 'dockerReference'])['dockerReference'], what);
      const reference = named(text, what);
      if (reference.tag !== undefined || reference.digest !== undefined) return { type, reference };
      throw new JsonFlaw(`${what}.dockerReference: has neither tag nor digest`);
    }
    case 'exactRepository': {
      const text = readString(readMembers(value, what, ['type', 'dockerRepository'])['dockerRepository'], what);
      return { type, repository: repositoryOnly(text, what) };
    }
    case 'remapIdentity': {
      const { prefix, signedPrefix } = readMembers(value, what, ['type', 'prefix', 'signedPrefix']);
      return { type, prefix: readPrefix(prefix, what), signedPrefix: readPrefix(signedPrefix, what) };
    }
    default:
      throw new JsonFlaw(`${what}: unknown type ${JSON.stringify(type).slice(0, 80)}`);
  }
}

function named(text: string, what: string): ReturnType<typeof parseNamed> {
  try {
    return parseNamed(text);
  } catch (error) {
    if (error instanceof OciError) throw new JsonFlaw(`${what}: ${error.message}`);
    throw error;
  }
}

function repositoryOnly(text: string, what: string): ReturnType<typeof parseNamed> {
  const { domain, path } = named(text, what);
  return { domain, path };
}

const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PREFIX = new RegExp(`^${LABEL}(?:\\.${LABEL})*(?::[0-9]+)?(?:/${COMPONENT})*$`);

/** A host, or a namespace or repository below one; as it is written, for it is compared with full names. */
function readPrefix(value: unknown, what: string): string {
  const prefix = readString(value, what);
  if (prefix.length <= 255 && PREFIX.test(prefix)) return prefix;
  throw new JsonFlaw(`${what}: ${JSON.stringify(prefix).slice(0, 80)} is neither a host nor a namespace below one`);
}
