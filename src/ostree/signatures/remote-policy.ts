/** What the configuration of a remote asks of its commits and of its summary. Spec 14, 15; ostree.repo-config(5). */
import { quote } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import type { Remote, SignVerify } from '../remotes/remote.ts';
import { readRemote } from '../remotes/remotes.ts';
import type { Repository } from '../repository/repository.ts';
import { gpgKeys } from './gpg-keys.ts';
import { KEY_FOLDERS } from './key-lists.ts';
import type { KeySet } from './key-set.ts';
import { globalKeyrings, keyringsOf } from './keyrings.ts';
import type { RawKind } from './raw-keys.ts';
import { rawKeysOf } from './raw-keys-of-remote.ts';
import { type Requirement, type Verifier, verifierOf } from './verifier.ts';

export interface SignaturePolicy {
  readonly commits: Verifier;
  readonly summary: Verifier;
}

export interface PolicyOptions {
  /** Where the system's lists of ed25519 and spki keys are. */
  readonly keyFolders?: readonly string[] | undefined;
  /** Decides on expiry; default: the system's clock. */
  readonly now?: (() => Date) | undefined;
}

/** What has to be verified. */
export type Demands = Pick<Remote, 'gpgVerify' | 'gpgVerifySummary' | 'signVerify' | 'signVerifySummary'>;

/** `gpg-verify` (true unless the remote says otherwise), `gpg-verify-summary`, `sign-verify`, `sign-verify-summary`. */
export async function remotePolicy(
  repository: Repository,
  remote: string,
  options: PolicyOptions = {},
): Promise<SignaturePolicy> {
  const found = readRemote(repository, remote);
  return policyOf(repository, found, found, options);
}

/**
 * What a command line asks for, as `pull-local --gpg-verify --remote=NAME`, whatever the remote's own settings are.
 * @param remote whose keys count; undefined: those of the system
 */
export async function explicitPolicy(
  repository: Repository,
  demands: Partial<Demands>,
  { remote, ...options }: PolicyOptions & { readonly remote?: string | undefined } = {},
): Promise<SignaturePolicy> {
  const found = remote === undefined ? undefined : readRemote(repository, remote);
  return policyOf(repository, { ...NO_DEMANDS, ...demands }, found, options);
}

const NO_DEMANDS: Demands = {
  gpgVerify: false,
  gpgVerifySummary: false,
  signVerify: { kind: 'off' },
  signVerifySummary: { kind: 'off' },
};

function policyOf(
  repository: Repository,
  demands: Demands,
  remote: Remote | undefined,
  { keyFolders = KEY_FOLDERS, now }: PolicyOptions,
): SignaturePolicy {
  const gpg =
    demands.gpgVerify || demands.gpgVerifySummary
      ? gpgKeys(remote === undefined ? globalKeyrings() : keyringsOf(repository, remote))
      : undefined;
  const requirements = (suffix: '' | '-summary', wantsGpg: boolean, sign: SignVerify): readonly Requirement[] => {
    const found: Requirement[] = [];
    if (wantsGpg && gpg !== undefined) found.push(requirement(`gpg-verify${suffix}`, [gpg], remote));
    if (sign.kind !== 'off') {
      found.push(requirement(`sign-verify${suffix}`, keySetsFor(sign, remote, keyFolders), remote));
    }
    return found;
  };
  return {
    commits: verifierOf(requirements('', demands.gpgVerify, demands.signVerify), now),
    summary: verifierOf(requirements('-summary', demands.gpgVerifySummary, demands.signVerifySummary), now),
  };
}

function requirement(setting: string, anyOf: readonly KeySet[], remote: Remote | undefined): Requirement {
  const kind = anyOf[0]?.kind ?? 'gpg';
  const addKeys =
    kind === 'gpg'
      ? `"ostree-container repo remote gpg-import ${remote?.name ?? 'REMOTE'} -k FILE" adds keys`
      : `verification-${kind}-key and verification-${kind}-file of a remote name keys`;
  return {
    setting: remote === undefined ? setting : `${setting} of remote ${remote.name}`,
    anyOf,
    advice: { addKeys, unsigned: `ask the publisher to sign it; ${setting}=false takes whatever comes` },
  };
}

const RAW_KINDS: readonly RawKind[] = ['ed25519', 'spki'];

/** Of several kinds one good signature is enough, as for libostree; a list says which kinds count at all. */
function keySetsFor(
  sign: Exclude<SignVerify, { kind: 'off' }>,
  remote: Remote | undefined,
  folders: readonly string[],
): readonly KeySet[] {
  if (sign.kind === 'any') return RAW_KINDS.map((kind) => rawKeysOf(remote, kind, folders));
  return sign.types.map((type) => {
    const kind = RAW_KINDS.find((known) => known === type);
    if (kind !== undefined) return rawKeysOf(remote, kind, folders);
    throw new OstreeError('CONFIG_MALFORMED', `sign-verify: no kind of signatures is called ${quote(type)}`, {
      hint: `kinds are ${RAW_KINDS.join(' and ')}; for OpenPGP write gpg-verify=true`,
      subject: type,
    });
  });
}
