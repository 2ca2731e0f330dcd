/** `HostPrefix=`: the only places that host files may go to. */
import { printable } from '../../base/text.ts';
import { ContainerError } from '../error.ts';
import { isWithin } from './host-path.ts';
import { type HostRoot, withParents } from './open-parents.ts';

/**
 * A path has to be inside as it is written and as it is without links: a link that an image itself has put below a
 * prefix must not open the rest of the host.
 */
export class HostPrefixes {
  readonly #root: HostRoot;
  readonly #physical = new Map<string, string | undefined>();

  constructor(root: HostRoot) {
    this.#root = root;
  }

  /** @param kind a directory that is made may also lie on the way to a prefix. @throws ContainerError HOST_PATH_REFUSED */
  assertAllowed(path: string, kind: 'file' | 'directory'): void {
    const prefixes = this.#root.places.hostPrefixes;
    if (prefixes.length === 0) return;
    const physical = this.#resolve(path);
    const isInside = prefixes.some((prefix) => {
      const resolved = this.#prefix(prefix);
      if (physical === undefined || resolved === undefined) return false;
      if (kind === 'directory' && isWithin(prefix, path) && isWithin(resolved, physical)) return true;
      return isWithin(path, prefix) && isWithin(physical, resolved);
    });
    if (isInside) return;
    throw new ContainerError(
      'HOST_PATH_REFUSED',
      `${printable(path)}: outside of ${prefixes.map(printable).join(', ')}`,
      {
        hint: 'HostPrefix= in the settings names the places that host files may go to',
        subject: path,
      },
    );
  }

  #prefix(prefix: string): string | undefined {
    if (prefix === '/') return '/';
    // Of the prefix itself a link counts as well, so the way is walked one name further.
    if (!this.#physical.has(prefix)) this.#physical.set(prefix, this.#resolve(`${prefix}/.`)?.replace(/\/\.$/, ''));
    return this.#physical.get(prefix);
  }

  #resolve(path: string): string | undefined {
    return withParents(this.#root, path, (parents) => (parents.kind === 'blocked' ? undefined : parents.physical));
  }
}
