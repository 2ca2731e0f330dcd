/** What a checkout may be told. The reference's option names are in brackets. */
export interface CheckoutOptions {
  /** Keep the caller's ownership, no extended attributes, no setuid (-U). Implied by bare-user-only repositories. */
  readonly userMode: boolean;
  /**
   * What happens to what is there: the target must be new; files replace files (--union); existing files stay
   * (--union-add); existing files must be the same (--union-identical).
   */
  readonly existing: 'refuse' | 'replace' | 'keep' | 'identical';
  /** Hard links where possible, always (-H), or never (-C). */
  readonly links: 'auto' | 'require' | 'never';
  /** `.wh.NAME` deletes, `.wh..wh..opq` empties (--whiteouts). */
  readonly whiteouts: boolean;
  /** `.ostree-wh.NAME` becomes a character device 0:0 (--process-passthrough-whiteouts). */
  readonly passthroughWhiteouts: boolean;
  /** Mask the modes of directories with 0775 (-M). */
  readonly bareUserOnlyDirs: boolean;
  /** Do not use `uncompressed-objects-cache/` (--disable-cache). */
  readonly disableCache: boolean;
  /** Of the commit, '/' for all. */
  readonly subpath: string;
  /** Paths that are left out, `/` being what is checked out; those of directories end in `/` (--skip-list). */
  readonly skip: ReadonlySet<string>;
  /** One barrier at the end; never where the repository's configuration says `fsync=false`. */
  readonly fsync: boolean;
}

export const CHECKOUT_DEFAULTS: CheckoutOptions = {
  userMode: false,
  existing: 'refuse',
  links: 'auto',
  whiteouts: false,
  passthroughWhiteouts: false,
  bareUserOnlyDirs: false,
  disableCache: false,
  subpath: '/',
  skip: new Set(),
  fsync: true,
};

export interface CheckoutResult {
  directories: number;
  linked: number;
  /** Files and links that were made anew. */
  copied: number;
  /** Bytes of the contents that were copied. */
  bytes: number;
}
