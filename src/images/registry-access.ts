/** Registries as registries.conf, certs.d and the user's credentials say how to reach them. */
import { createHttpClient, type HttpClient } from '../http/index.ts';
import { type NamedReference, parseNamed, referenceOf, withDefaultTag } from '../oci/index.ts';
import { createRegistry, type RegistryRepository } from '../registry/index.ts';
import { credentialsHint, type FoundCredentials, findCredentials } from './credentials/index.ts';
import type { ImageName } from './image-name.ts';
import { type Lookaside, openLookaside } from './lookaside.ts';
import {
  certificateFolders,
  certificatesIn,
  findCertificates,
  loadRegistriesConf,
  type RegistriesConf,
  type RegistryCertificates,
  registryBlocked,
  resolveRegistry,
  resolveShortName,
} from './registries/index.ts';
import type { ImagesSettings } from './settings.ts';
import type { Candidate, Endpoint } from './transports/registry.ts';

export interface RegistryAccess {
  /** Where an image may be fetched from, in the order to try. A bare name may stand for several images. */
  reach(name: ImageName): readonly Candidate[];
  /** Where it is pushed, listed and deleted: never a mirror. */
  target(reference: NamedReference, signal: AbortSignal): Promise<RegistryRepository>;
  readonly lookaside: Lookaside;
  close(): Promise<void>;
}

/** @throws ImagesError BAD_REGISTRIES_CONF, BAD_CREDENTIALS_FILE, REGISTRY_BLOCKED, SHORT_NAME from its methods */
export async function openRegistryAccess(settings: ImagesSettings): Promise<RegistryAccess> {
  const conf = await loadRegistriesConf(settings);
  const clients = new Clients(settings);
  const connect = async (reference: NamedReference, insecure: boolean, signal: AbortSignal) => {
    const found = await credentialsFor(settings, conf, reference, signal);
    return createRegistry({
      host: reference.domain,
      scheme: 'https',
      alternates: ['http'],
      insecure,
      http: clients.forHost(reference.domain, insecure),
      credentials: found.credentials,
      credentialsHint: credentialsHint(found),
      foreignLayers: true,
      onNote: settings.onNote,
    }).repository(reference.path);
  };
  const isInsecure = (configured: boolean): boolean =>
    settings.tlsVerify === undefined ? configured : !settings.tlsVerify;
  const endpointsOf = (identity: NamedReference): Endpoint[] => {
    const resolved = resolveRegistry(conf, identity);
    if (resolved.blocked) throw registryBlocked(identity, resolved);
    return resolved.endpoints.map(({ reference, insecure }) => {
      let opened: Promise<RegistryRepository> | undefined;
      return {
        open(signal) {
          opened ??= connect(reference, isInsecure(insecure), signal);
          return opened;
        },
        reference: referenceOf(withDefaultTag(reference)) ?? 'latest',
        isInsecure: isInsecure(insecure),
      };
    });
  };
  return {
    reach(name) {
      const candidates = name.isBare ? resolveShortName(conf, name.location).candidates : [parseNamed(name.location)];
      return candidates.map(withDefaultTag).map((identity) => ({ identity, endpoints: endpointsOf(identity) }));
    },
    async target(reference, signal) {
      const resolved = resolveRegistry(conf, reference);
      if (resolved.blocked) throw registryBlocked(reference, resolved);
      return connect(reference, isInsecure(resolved.insecure), signal);
    },
    lookaside: openLookaside(settings, () => clients.forAnyHost()),
    close: () => clients.close(),
  };
}

function credentialsFor(
  settings: ImagesSettings,
  { credentialHelpers }: RegistriesConf,
  { domain, path }: NamedReference,
  signal: AbortSignal,
): Promise<FoundCredentials> | FoundCredentials {
  const { credentials, anonymous, env, uid, authFile, onNote, credentialsOrder } = settings;
  if (anonymous === true) return { credentials: undefined, source: '--no-creds', lookedAt: [] };
  if (credentials !== undefined) return { credentials, source: '--creds', lookedAt: [] };
  const search = { env, uid, authFile, order: credentialsOrder, helpers: credentialHelpers, onNote, signal };
  return findCredentials(search, domain, path);
}

/** A client for each set of certificates, so that nobody's are shown to another registry. */
class Clients {
  readonly #settings: ImagesSettings;
  readonly #clients = new Map<string, HttpClient>();

  constructor(settings: ImagesSettings) {
    this.#settings = settings;
  }

  forHost(host: string, insecure: boolean): HttpClient {
    return this.#withCertificates(this.#certificates(host), insecure);
  }

  /** For servers that are no registries. */
  forAnyHost(): HttpClient {
    return this.#withCertificates(undefined, false);
  }

  #withCertificates(certificates: RegistryCertificates | undefined, insecure: boolean): HttpClient {
    const key = `${insecure} ${certificates?.directory ?? ''}`;
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    const made = createHttpClient({
      ...this.#settings.http,
      anyCertificate: insecure,
      ...(certificates !== undefined && {
        moreAuthorities: certificates.caFiles,
        certFile: certificates.certFile,
        keyFile: certificates.keyFile,
      }),
    });
    this.#clients.set(key, made);
    return made;
  }

  #certificates(host: string): RegistryCertificates | undefined {
    const { certDir } = this.#settings;
    return certDir === undefined ? findCertificates(host, certificateFolders(this.#settings)) : certificatesIn(certDir);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
  }
}
