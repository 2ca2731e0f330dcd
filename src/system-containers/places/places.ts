/** Where containers, their repository and their units lie (spec system-containers 3). */

export interface Places {
  readonly scope: 'system' | 'user';
  /** Who installs: effective ids. */
  readonly uid: number;
  readonly gid: number;
  /** Of `--root`: prefix of everything below; '' for the host itself. Absolute, without a slash at its end. */
  readonly root: string;
  /** Deployments, as this process opens them: absolute, links of the home directory resolved, `root` in front. */
  readonly checkouts: string;
  /** Locks and journals: `CHECKOUTS/.state`. */
  readonly state: string;
  readonly repository: string;
  /** Mode of a repository that is made: `bare` for root, else `bare-user`. */
  readonly repositoryMode: 'bare' | 'bare-user';
  /** Preinstalled, never changed: `/usr/lib/containers/atomic`; undefined for users. */
  readonly preinstalled: string | undefined;
  /** Directory of units, `root` in front. */
  readonly units: string;
  /** Directory of tmpfiles fragments, `root` in front. */
  readonly tmpfiles: string;
  /** Values of RUN_DIRECTORY, STATE_DIRECTORY and CONF_DIRECTORY unless something else is set; without `root`. */
  readonly directories: { readonly run: string; readonly state: string; readonly conf: string };
  /** Slots of a container, at least 2. */
  readonly keep: number;
  /** The only places that host files may go to; empty: no such limit. */
  readonly hostPrefixes: readonly string[];
}

/** The path that the host itself knows it by: what goes into units and templates. */
export function seenFromHost(places: Pick<Places, 'root'>, path: string): string {
  return places.root !== '' && path.startsWith(`${places.root}/`) ? path.slice(places.root.length) : path;
}
