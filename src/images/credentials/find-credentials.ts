/** The user's credentials for a repository, out of files and credential helpers. */
import { printable } from '../../base/text.ts';
import { assertSafeOwner } from '../../linux/files/owner.ts';
import type { Credentials } from '../../registry/index.ts';
import { ImagesError } from '../error.ts';
import type { Caller } from '../host-files/caller.ts';
import { readOptionalFile } from '../host-files/optional-file.ts';
import { CREDENTIALS_LIMIT, type CredentialsFile, credentialsOf, parseCredentialsFile } from './credentials-file.ts';
import { type CredentialsPath, containersFiles, ostreeFiles } from './files.ts';
import { askHelper, hasHelper, helperProgram } from './helper.ts';
import { findEntry, storeKeys } from './registry-keys.ts';

/** In `credential-helpers` of registries.conf: look into the files. */
const FILES = 'containers-auth.json';

export interface CredentialsSearch extends Caller {
  /** Of `--authfile`. */
  readonly authFile?: string | undefined;
  /** Whose files count: those of the containers tools when left out, or those of commands that pull into a repository. */
  readonly order?: 'containers' | 'ostree' | undefined;
  /** `credential-helpers` of registries.conf, which may name `containers-auth.json`; only that when left out. */
  readonly helpers?: readonly string[] | undefined;
  readonly onNote?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of each helper; 30 s when left out. */
  readonly helperTimeoutMs?: number | undefined;
}

export interface FoundCredentials {
  /** Undefined: the registry is asked anonymously. */
  readonly credentials: Credentials | undefined;
  /** The file or program they come from. */
  readonly source: string | undefined;
  /** Every file that was looked for, existing or not, and every helper that was asked; in this order. */
  readonly lookedAt: readonly string[];
}

/**
 * @param host with its port, as in a reference
 * @param repository the path on that host; `''` for the registry alone
 * @throws ImagesError BAD_CREDENTIALS_FILE, CREDENTIAL_HELPER; CodedError UNSAFE_OWNER, TOO_LARGE ...
 */
export async function findCredentials(
  search: CredentialsSearch,
  host: string,
  repository: string,
): Promise<FoundCredentials> {
  const hunt: Hunt = { search, host, repository, lookedAt: [] };
  let failure: unknown;
  for (const helper of search.helpers ?? [FILES]) {
    try {
      const found = helper === FILES ? await inFiles(hunt) : await inHelper(hunt, helper, [host]);
      if (found !== undefined) return { ...found, lookedAt: hunt.lookedAt };
    } catch (error) {
      search.signal?.throwIfAborted();
      failure ??= error; // another may still know them
    }
  }
  if (failure !== undefined) throw failure;
  return { credentials: undefined, source: undefined, lookedAt: hunt.lookedAt };
}

interface Hunt {
  readonly search: CredentialsSearch;
  readonly host: string;
  readonly repository: string;
  readonly lookedAt: string[];
}
type Found = { readonly credentials: Credentials; readonly source: string } | undefined;

async function inFiles(hunt: Hunt): Promise<Found> {
  const { search } = hunt;
  const { order = 'containers', authFile } = search;
  const files = order === 'ostree' ? ostreeFiles(search, authFile) : containersFiles(search, authFile);
  for (const file of files) {
    hunt.lookedAt.push(file.path);
    const content = readCredentials(file);
    if (content === undefined) continue;
    const found = await inFile(hunt, content);
    if (found !== undefined || order === 'ostree') return found;
  }
  return undefined;
}

function readCredentials(file: CredentialsPath): CredentialsFile | undefined {
  const { path, isRequired } = file;
  const found = readOptionalFile(path, CREDENTIALS_LIMIT);
  if (found === undefined) {
    if (!isRequired) return undefined;
    throw new ImagesError('BAD_CREDENTIALS_FILE', `${printable(path)}: no such file`, {
      subject: path,
      hint: 'check --authfile and REGISTRY_AUTH_FILE',
    });
  }
  // Who may read or write it is not judged: podman does not, and mounted secrets are often open to all in a container.
  assertSafeOwner({ ...found.stats, mode: 0o600 }, { path });
  return parseCredentialsFile(found.bytes, file);
}

/** A program named for the registry comes before the file's own entries, and instead of them. */
async function inFile(hunt: Hunt, file: CredentialsFile): Promise<Found> {
  const { host, repository, search } = hunt;
  const helper = findEntry(file.credHelpers, host, '');
  if (helper !== undefined) return inHelper(hunt, helper[1], [helper[0]]);
  const entry = findEntry(file.auths, host, repository);
  const note = search.onNote ?? (() => undefined);
  const credentials = entry === undefined ? undefined : credentialsOf(file, ...entry, note);
  if (credentials !== undefined) return { credentials, source: file.path };
  if (file.credsStore === undefined) return undefined;
  if (hasHelper(file.credsStore, search)) return inHelper(hunt, file.credsStore, storeKeys(host));
  // It speaks of every registry, public ones too: a config.json copied from a desktop must not stop all of them.
  note(`${printable(file.path)}: ${helperProgram(file.credsStore)} is passed over: no such program`);
  return undefined;
}

async function inHelper({ search, lookedAt }: Hunt, name: string, registries: readonly string[]): Promise<Found> {
  const source = helperProgram(name);
  lookedAt.push(source);
  const { env, signal, helperTimeoutMs: timeoutMs } = search;
  for (const registry of registries) {
    const credentials = await askHelper(name, registry, { env, signal, timeoutMs });
    if (credentials !== undefined) return { credentials, source };
  }
  return undefined;
}

/** For the hint of a registry's refusal. */
export function credentialsHint({ source, lookedAt }: FoundCredentials): string {
  if (source !== undefined) return `the credentials are those of ${printable(source)}`;
  if (lookedAt.length === 0) return 'no credentials were looked for';
  return `no credentials for it in ${lookedAt.map(printable).join(', ')}`;
}
