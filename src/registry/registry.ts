/** One registry, whichever of its repositories. */
import type { HttpClient } from '../http/index.ts';
import { Authorizer } from './auth/authorizer.ts';
import type { Credentials } from './auth/credentials.ts';
import { baseUrl } from './names.ts';
import { createRepository, type RegistryRepository } from './repository.ts';
import { Session } from './session/session.ts';
import { Warnings } from './session/warnings.ts';
import { RETRY, type RetryPolicy } from './upload/attempts.ts';

export interface RegistryOptions {
  /** `quay.io`, `127.0.0.1:5000`; `docker.io` is Docker Hub, wherever that lives. */
  readonly host: string;
  readonly scheme: 'http' | 'https';
  /** Tried when nobody answers by `scheme`; only `insecure` makes `http` of any use. */
  readonly alternates?: readonly ('http' | 'https')[] | undefined;
  readonly http: HttpClient;
  readonly credentials?: Credentials | undefined;
  /** The user has declared that this registry and its token server may be talked to in clear. */
  readonly insecure: boolean;
  /** Second line of an error about missing rights: which files were searched for credentials. */
  readonly credentialsHint?: string | undefined;
  /** Fetch layers from where their descriptors point, when the registry does not have them. Default: no. */
  readonly foreignLayers?: boolean | undefined;
  /** Bytes of one request of an upload; default 16 MiB. */
  readonly uploadChunk?: number | undefined;
  readonly uploadRetry?: RetryPolicy | undefined;
  /** Hears what the registry says to its users, and when an upload is taken up again; one line each. */
  readonly onNote?: ((text: string) => void) | undefined;
  /** Milliseconds since the epoch, by which tokens expire. */
  readonly now?: (() => number) | undefined;
}

export interface Registry {
  readonly host: string;
  /** @throws RegistryError REGISTRY_NAME */
  repository(name: string): RegistryRepository;
}

const CHUNK = 16 * 2 ** 20;

/** Nothing is sent before the first question to a repository. @throws RegistryError REGISTRY_NAME for an odd host */
export function createRegistry(options: RegistryOptions): Registry {
  const { host, scheme, alternates = [], http, credentials, insecure, credentialsHint, now } = options;
  const { onNote = () => undefined } = options;
  const others = alternates.filter((other) => other !== scheme && (insecure || other === 'https'));
  const bases = [baseUrl(host, scheme), ...others.map((other) => baseUrl(host, other))] as const;
  const session = new Session({
    host,
    bases,
    http,
    authorizer: new Authorizer({ host, http, credentials, insecure, credentialsHint, now }),
    warnings: new Warnings(host, onNote),
    insecure,
    credentialsHint,
    introduce: credentials !== undefined && credentials.kind !== 'bearer',
  });
  const shared = {
    session,
    foreignLayers: options.foreignLayers ?? false,
    chunk: options.uploadChunk ?? CHUNK,
    policy: options.uploadRetry ?? RETRY,
    habits: { wholeOnly: false },
    onNote,
  };
  return { host, repository: (name) => createRepository({ ...shared, name }) };
}
