/** A remote: the group `[remote "NAME"]` of a configuration, checked. Source: ostree.repo-config(5); spec 15. */
import { quote } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import type { KeyFile } from '../repository/key-file.ts';
import { isCollectionId, isRefName, isRemoteName } from '../repository/ref-names.ts';

/** Which kinds of signatures must hold: none, one of any kind that has keys, or one of the kinds named. */
export type SignVerify =
  | { readonly kind: 'off' }
  | { readonly kind: 'any' }
  | { readonly kind: 'types'; readonly types: readonly string[] };

/** Where the public keys of one kind of signature are; both may be given. */
export interface VerificationKeys {
  /** Inline: base64 of an ed25519 key, or as the kind wants it. */
  readonly key: string | undefined;
  readonly file: string | undefined;
}

export interface Remote {
  readonly name: string;
  /** http, https or file; with `mirrorlist=` in front the address of a list of such. */
  readonly url: string | undefined;
  /** Objects and deltas, when they lie elsewhere. */
  readonly contentUrl: string | undefined;
  readonly metalink: string | undefined;
  /** Pulled when none is named. */
  readonly branches: readonly string[];
  readonly gpgVerify: boolean;
  readonly gpgVerifySummary: boolean;
  /** Further keyrings: files or directories. */
  readonly gpgKeyPath: readonly string[];
  readonly signVerify: SignVerify;
  readonly signVerifySummary: SignVerify;
  /** By kind of signature: `ed25519`, `spki`. */
  readonly verificationKeys: ReadonlyMap<string, VerificationKeys>;
  readonly collectionId: string | undefined;
  readonly tlsPermissive: boolean;
  readonly tlsCaPath: string | undefined;
  readonly tlsClientCertPath: string | undefined;
  readonly tlsClientKeyPath: string | undefined;
  readonly proxy: string | undefined;
  /** Text that pulling fails with. */
  readonly unconfiguredState: string | undefined;
  /** Its content is not fetched by OSTree. */
  readonly customBackend: string | undefined;
  /** Every key as it is written, those included that nobody knows. */
  readonly settings: ReadonlyMap<string, string>;
}

const GROUP = /^remote "([^"]*)"$/;

export function remoteGroup(name: string): string {
  return `remote "${name}"`;
}

/** The names of the remotes in a configuration; groups whose name is none are skipped. */
export function remoteNames(file: KeyFile): readonly string[] {
  return file.groups.flatMap((group) => {
    const name = GROUP.exec(group)?.[1];
    return name !== undefined && isRemoteName(name) ? [name] : [];
  });
}

/** Undefined when the configuration has no such group. @throws OstreeError CONFIG_MALFORMED */
export function parseRemote(file: KeyFile, name: string): Remote | undefined {
  const group = remoteGroup(name);
  if (!file.hasGroup(group)) return undefined;
  const text = (key: string): string | undefined => file.string(group, key);
  const flag = (key: string, otherwise: boolean): boolean => file.boolean(group, key) ?? otherwise;
  const settings = new Map(file.keys(group).map((key) => [key, file.raw(group, key) ?? '']));
  const collectionId = text('collection-id');
  if (collectionId !== undefined && !isCollectionId(collectionId)) {
    throw badKey(group, 'collection-id', `${quote(collectionId)} is no collection id`);
  }
  const branches = file.list(group, 'branches') ?? [];
  for (const branch of branches) {
    if (!isRefName(branch)) throw badKey(group, 'branches', `${quote(branch)} is no name for a ref`);
  }
  return {
    name,
    url: text('url'),
    contentUrl: text('contenturl'),
    metalink: text('metalink'),
    branches,
    gpgVerify: flag('gpg-verify', true),
    gpgVerifySummary: flag('gpg-verify-summary', false),
    gpgKeyPath: file.list(group, 'gpgkeypath', /[;,]/) ?? [],
    signVerify: signVerify(file, group, 'sign-verify'),
    signVerifySummary: signVerify(file, group, 'sign-verify-summary'),
    verificationKeys: verificationKeys(file, group, settings),
    collectionId,
    tlsPermissive: flag('tls-permissive', false),
    tlsCaPath: text('tls-ca-path'),
    tlsClientCertPath: text('tls-client-cert-path'),
    tlsClientKeyPath: text('tls-client-key-path'),
    proxy: text('proxy'),
    unconfiguredState: text('unconfigured-state'),
    customBackend: text('custom-backend'),
    settings,
  };
}

/** A boolean, or a list of kinds. */
function signVerify(file: KeyFile, group: string, key: string): SignVerify {
  const raw = file.raw(group, key);
  if (raw === undefined || raw === 'false' || raw === '0') return { kind: 'off' };
  if (raw === 'true' || raw === '1') return { kind: 'any' };
  const types = file.list(group, key) ?? [];
  if (types.length === 0) throw badKey(group, key, 'expected true, false or kinds of signatures, found nothing');
  return { kind: 'types', types };
}

function verificationKeys(
  file: KeyFile,
  group: string,
  settings: ReadonlyMap<string, string>,
): ReadonlyMap<string, VerificationKeys> {
  const types = [...settings.keys()].flatMap((key) => /^verification-(.+)-(?:key|file)$/.exec(key)?.[1] ?? []);
  return new Map(
    types.map((type) => [
      type,
      {
        key: file.string(group, `verification-${type}-key`),
        file: file.string(group, `verification-${type}-file`),
      },
    ]),
  );
}

function badKey(group: string, key: string, text: string): OstreeError {
  return new OstreeError('CONFIG_MALFORMED', `[${group}] ${key}: ${text}`);
}
