/**
 * The order of names everywhere in OSTree: bytewise on their UTF-8, as C's strcmp. JavaScript compares UTF-16 units,
 * which puts characters outside the BMP before U+E000..U+FFFF.
 */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Surrogates above everything else of the BMP. */
function rank(unit: number): number {
  return unit < 0xd800 ? unit : unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
