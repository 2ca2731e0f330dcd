/**
 * `tako/manifest`: read, verify and write manifests, and choose among their versions, without touching a file or a
 * socket. Errors are `CodedError`s: match on `code`. Described in docs/manifest-format.md.
 *
 * @example
 * import { openManifest, parsePattern, parsePublicKey, select } from 'tako/manifest';
 * const { entries } = openManifest(bytes, [parsePublicKey('11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=')]);
 * const [newest] = select(parsePattern('1.*'), entries, (entry) => entry.version);
 */
export { CodedError } from '../base/error.ts';
export {
  compareVersions,
  matches,
  type Pattern,
  parsePattern,
  parseVersion,
  select,
  type Version,
} from '../version/index.ts';
export { TakoError, type TakoErrorCode } from './error.ts';
export {
  formatPublicKey,
  formatSecretKey,
  generateSecretKey,
  type PublicKey,
  parsePublicKey,
  parseSecretKey,
  type SecretKey,
} from './manifest/key.ts';
export {
  findVersion,
  MANIFEST_LIMIT,
  type Manifest,
  type ManifestEntry,
  openManifest,
  sameEntry,
  sealManifest,
} from './manifest/manifest.ts';
export { type Relation, relate } from './manifest/relation.ts';
