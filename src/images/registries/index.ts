/** How registries are reached: registries.conf, short names, certs.d. */
export {
  certificateFolders,
  certificatesIn,
  findCertificates,
  type RegistryCertificates,
} from './certificates.ts';
export type { Mirror, PullFromMirror, RegistryRule, ShortNameMode } from './conf-file.ts';
export { loadRegistriesConf, type RegistriesConf, type RegistriesSearch } from './load.ts';
export { type RegistryEndpoint, type ResolvedRegistry, registryBlocked, resolveRegistry } from './resolve.ts';
export { isShortName, type ResolvedName, resolveShortName } from './short-names.ts';
