/**
 * The merged root file system of an image, read without trusting it: in the repository, or in a directory. Paths are
 * relative to its root, without `.`, `..` and double slashes: `exports/manifest.json`; '' is the root itself. Links are
 * reported and never followed, in no component of a path.
 */
export interface ImageTree {
  /** For messages: the image, or the directory. */
  readonly name: string;
  /** Undefined when there is nothing, also when a component on the way is no directory. */
  look(path: string): TreeEntry | undefined;
  /** Names in a directory, sorted by their bytes; empty when it is none. */
  list(path: string): readonly string[];
  /** Of a regular file. @throws ContainerError BAD_STORED_IMAGE; CodedError TOO_LARGE above `limit` bytes */
  read(path: string, limit: number): Uint8Array;
  /** The content of a regular file, piece by piece; a piece is valid until the next one is asked for. */
  chunks(path: string): AsyncIterable<Uint8Array>;
  /** The same as a descriptor that stands at its beginning, for copies that share blocks; undefined: not as it lies here. */
  withPlainFile?<T>(path: string, use: (fd: number) => T): T | undefined;
}

export interface TreeEntry {
  readonly type: 'file' | 'directory' | 'symlink';
  /** Permission bits, setuid and friends included, without the type. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a file, in bytes; 0 for others. */
  readonly size: number;
  /** Text of a link. */
  readonly target: string | undefined;
  /** Has `security.capability`. */
  readonly hasCapabilities: boolean;
}
