/** Everything in a tar archive is stored in blocks of this many bytes. */
export const BLOCK = 512;

/** Rounded up to whole blocks. */
export function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}
