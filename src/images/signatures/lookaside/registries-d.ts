/** Where signatures of images in registries are kept: `registries.d/*.yaml`. Source: containers-registries.d(5). */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { printable, quote } from '../../../base/text.ts';
import { assertSafeOwner } from '../../../linux/files/owner.ts';
import type { NamedReference } from '../../../oci/index.ts';
import { ImagesError } from '../../error.ts';
import { type Caller, homeOf, systemPath } from '../../host-files/caller.ts';
import { readOptionalFile } from '../../host-files/optional-file.ts';
import { dockerScopes } from '../docker-scopes.ts';

/** Of one scope. */
export interface SignatureSection {
  /** URL to read from. */
  readonly lookaside?: string | undefined;
  /** URL to write to; where there is none, `lookaside`. */
  readonly staging?: string | undefined;
  readonly useSigstoreAttachments?: boolean | undefined;
}

export interface RegistriesD {
  readonly scopes: ReadonlyMap<string, SignatureSection>;
  readonly fallback: SignatureSection;
  /** Where nothing else is said. */
  readonly builtIn: string;
}

const FILE_LIMIT = 2 ** 20;

/** @throws ImagesError BAD_REGISTRIES_D; CodedError UNSAFE_OWNER, TOO_LARGE */
export async function loadRegistriesD(caller: Caller, directory?: string): Promise<RegistriesD> {
  const own = join(homeOf(caller), '.config/containers/registries.d');
  const folder = directory ?? (existsSync(own) ? own : systemPath(caller, '/etc/containers/registries.d'));
  const scopes = new Map<string, SignatureSection>();
  let fallback: SignatureSection | undefined;
  for (const path of yamlFiles(folder)) {
    const file = readOptionalFile(path, FILE_LIMIT);
    if (file === undefined) continue;
    assertSafeOwner(file.stats, { path }); // who may write it decides where signatures come from
    const content = await parseRegistriesD(path, file.bytes);
    if (fallback !== undefined && content.fallback !== undefined) throw bad(path, 'a second default-docker');
    fallback ??= content.fallback;
    for (const [scope, section] of content.scopes) {
      if (scopes.has(scope)) throw bad(path, `a second section for ${quote(scope)}`);
      scopes.set(scope, section);
    }
  }
  return { scopes, fallback: fallback ?? {}, builtIn: builtInStorage(caller) };
}

function builtInStorage(caller: Caller): string {
  return caller.uid === 0
    ? `file://${systemPath(caller, '/var/lib/containers/sigstore')}`
    : `file://${join(homeOf(caller), '.local/share/containers/sigstore')}`;
}

function yamlFiles(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return names.sort().map((name) => join(folder, name));
}

export interface RegistriesDFile {
  readonly scopes: ReadonlyMap<string, SignatureSection>;
  readonly fallback: SignatureSection | undefined;
}

/** One file. Keys that are not known are passed over, as the tools do. @throws ImagesError BAD_REGISTRIES_D */
export async function parseRegistriesD(path: string, bytes: Uint8Array): Promise<RegistriesDFile> {
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(Buffer.from(bytes).toString('utf8'), { maxAliasCount: 100, logLevel: 'error' });
  } catch (cause) {
    throw bad(path, 'not YAML', cause);
  }
  const root = mapping(path, 'the file', value ?? {});
  const docker = mapping(path, 'docker', root['docker'] ?? {});
  const scopes = Object.entries(docker).map(([scope, section]) => [scope, readSection(path, scope, section)] as const);
  const fallback = root['default-docker'];
  return {
    scopes: new Map(scopes),
    fallback: fallback === undefined ? undefined : readSection(path, 'default-docker', fallback),
  };
}

/** The older names `sigstore` and `sigstore-staging` mean the same, and count where the newer ones are absent. */
function readSection(path: string, scope: string, value: unknown): SignatureSection {
  const section = mapping(path, quote(scope), value ?? {});
  const text = (...names: readonly string[]): string | undefined => {
    for (const name of names) {
      const found = section[name] ?? '';
      if (typeof found !== 'string') throw bad(path, `${quote(scope)}: ${name} is not a text`);
      if (found !== '') return found;
    }
    return undefined;
  };
  const attachments = section['use-sigstore-attachments'] ?? undefined;
  if (attachments !== undefined && typeof attachments !== 'boolean') {
    throw bad(path, `${quote(scope)}: use-sigstore-attachments is neither true nor false`);
  }
  return {
    lookaside: text('lookaside', 'sigstore'),
    staging: text('lookaside-staging', 'sigstore-staging'),
    useSigstoreAttachments: attachments,
  };
}

function mapping(path: string, what: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(path, `${what} is not a mapping`);
  return { ...value };
}

/** Where signatures of an image are read or written: URL of the storage, without the image's part. */
export function storageOf(conf: RegistriesD, reference: NamedReference, use: 'read' | 'write'): string {
  const found = firstOf(conf, reference, ({ staging, lookaside }) =>
    use === 'write' ? (staging ?? lookaside) : lookaside,
  );
  return found ?? conf.builtIn;
}

/** Do the containers tools look for sigstore signatures of this image? Ours look whenever a policy asks for them. */
export function usesSigstoreAttachments(conf: RegistriesD, reference: NamedReference): boolean {
  return firstOf(conf, reference, (section) => section.useSigstoreAttachments) ?? false;
}

/** The manual says that only the nearest section counts; the tools look on where it is silent, and so do we. */
function firstOf<T>(
  { scopes, fallback }: RegistriesD,
  reference: NamedReference,
  pick: (section: SignatureSection) => T | undefined,
): T | undefined {
  const sections = dockerScopes(reference).flatMap((scope) => scopes.get(scope) ?? []);
  return [...sections, fallback].map(pick).find((value) => value !== undefined);
}

function bad(path: string, why: string, cause?: unknown): ImagesError {
  return new ImagesError('BAD_REGISTRIES_D', `${printable(path)}: ${why}`, { cause, subject: path });
}
