/** The scopes of an image in a registry, the narrowest first, as policy.json and registries.d name them. */
import { formatNamed, type NamedReference, repositoryName } from '../../oci/index.ts';

/**
 * With tag or digest; the repository; the namespaces above it, down to the host; `*.domain` for the domains above that.
 * With both, each of them: the tools drop the tag then, and what is said about it would be passed over.
 */
export function dockerScopes(reference: NamedReference): readonly string[] {
  const name = repositoryName(reference);
  const parts = name.split('/');
  const above = parts.map((_, i) => parts.slice(0, parts.length - i).join('/'));
  const labels = (reference.domain.split(':')[0] ?? '').split('.');
  const wildcards = labels.slice(1).map((_, i) => `*.${labels.slice(i + 1).join('.')}`);
  const { domain, path, tag, digest } = reference;
  const own = [...(digest === undefined ? [] : [{ digest }]), ...(tag === undefined ? [] : [{ tag }])];
  return [...own.map((part) => formatNamed({ domain, path, ...part })), ...above, ...wildcards];
}
