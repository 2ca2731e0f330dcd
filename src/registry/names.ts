/** What may stand in the path of a request; nothing else gets into one. Distribution specification 1.1, "Pulling manifests". */
import { quote } from '../base/text.ts';
import { type Digest, isDigest, isTag, splitDigest } from '../oci/index.ts';
import { RegistryError } from './error.ts';

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const NAME = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const HOST = /^(?:[a-zA-Z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?$/;
/** Docker Hub is called by one name and lives under another. */
const HUB = new Map([
  ['docker.io', 'registry-1.docker.io'],
  ['index.docker.io', 'registry-1.docker.io'],
]);

/** @throws RegistryError REGISTRY_NAME */
export function assertRepository(name: string): void {
  if (name.length <= 255 && NAME.test(name)) return;
  throw new RegistryError('REGISTRY_NAME', `repository ${quote(name)}: expected lower-case words with / between them`);
}

/** @throws RegistryError REGISTRY_NAME */
export function assertReference(reference: string): void {
  if (isTag(reference) || isDigest(reference)) return;
  throw new RegistryError('REGISTRY_NAME', `reference ${quote(reference)}: expected a tag or a digest`);
}

/** @throws RegistryError REGISTRY_NAME */
export function baseUrl(host: string, scheme: 'http' | 'https'): URL {
  const text = `${scheme}://${HUB.get(host) ?? host}/`;
  if (HOST.test(host) && URL.canParse(text)) return new URL(text);
  throw new RegistryError('REGISTRY_NAME', `registry ${quote(host)}: expected HOST or HOST:PORT`);
}

/** The tag under which referrers are listed where a registry has no API for them ("Referrers Tag Schema"). */
export function referrersTag(digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`;
}
