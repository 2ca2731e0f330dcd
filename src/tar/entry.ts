/** What an archive says about one file; nothing here is judged for safety. */
export type TarEntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo';

/** A point in time as in `timespec`: nanoseconds are 0 to 999 999 999 and count forward, before 1970 too. */
export interface TarTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** A part of a sparse file that holds data, in bytes. */
export interface SparsePart {
  readonly offset: number;
  readonly length: number;
}

/** Name without NUL, and value. */
export type TarXattr = readonly [name: string, value: Uint8Array];

export interface TarEntry {
  /** As stored, without the trailing slashes of directories; not judged, see `safePath`. Never empty. */
  readonly path: string;
  readonly type: TarEntryType;
  /** Permission bits only, 0o7777. */
  readonly mode: number;
  /** 0 to 2^32 - 2, the ids that Linux has. */
  readonly uid: number;
  readonly gid: number;
  /** Empty when the archive names none. */
  readonly uname: string;
  readonly gname: string;
  readonly mtime: TarTime;
  /** Logical size of a file in bytes, with its holes; 0 for everything else. */
  readonly size: number;
  /** Target of a symlink or hard link, as stored. */
  readonly linkTarget: string | undefined;
  /** Of character and block devices only. */
  readonly device: { readonly major: number; readonly minor: number } | undefined;
  /** Sorted by the bytes of their names, each name once. */
  readonly xattrs: readonly TarXattr[];
  /** The parts that hold data, in order and apart, when there are holes. Undefined: all of it holds data. */
  readonly sparse: readonly SparsePart[] | undefined;
  /** Where the stored data begin in the archive, and how many bytes are stored (the size without holes). */
  readonly dataOffset: number;
  readonly storedSize: number;
}

/** What a reader accepts before it gives up with TAR_LIMIT. */
export interface TarLimits {
  /** Entries of one archive. Default: ten million. */
  readonly entries?: number;
  /** Bytes of a path and of a link target. Default: 4096, what Linux takes in one call. */
  readonly pathLength?: number;
  /** Bytes of pax records and GNU long names before one entry. Default: 1 MiB, sixteen of the largest xattrs of Linux. */
  readonly headerBytes?: number;
  /** Parts of one sparse file. Default: 262144, which is 1 GiB of data where every second 4 KiB are a hole. */
  readonly sparseParts?: number;
}

export function limitsOf(limits: TarLimits): Required<TarLimits> {
  return { entries: 10_000_000, pathLength: 4096, headerBytes: 2 ** 20, sparseParts: 2 ** 18, ...limits };
}
