/** A path as it is handed to C. */
export type Path = string | Uint8Array;

/** The bytes of a path, ending in NUL. @throws TypeError for a NUL inside, where C would cut it off */
export function cString(path: Path): Uint8Array {
  const bytes = typeof path === 'string' ? Buffer.from(`${path}\0`) : Buffer.concat([path, Buffer.alloc(1)]);
  if (bytes.indexOf(0) !== bytes.length - 1) throw new TypeError('a NUL byte inside a path');
  return bytes;
}

export function showPath(path: Path): string {
  return typeof path === 'string' ? path : Buffer.from(path).toString();
}
