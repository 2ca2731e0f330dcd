/** Damaged streams: bytes anywhere, headers whose sums are right again, and pieces in another order. */
import { mutate, seededRandom } from '../../../../test/support/mutate.ts';
import { type Piece, piecesOf, withDamage, withEntry, written } from '../tampering.fixture.ts';

const INTERESTING = Buffer.from('\0\x01\x7f\x80\xff./0127LKxgS', 'latin1');
const PATHS = [
  '../x',
  '/x',
  'usr',
  'sysroot/ostree/repo',
  'sysroot/ostree/repo/config',
  'sysroot/ostree/repo/objects/00/x',
];
const TYPES = ['file', 'symlink', 'hardlink', 'directory', 'fifo'] as const;

export class Mutator {
  readonly #pieces: readonly Piece[];
  readonly #stream: Buffer;
  readonly #random: (below: number) => number;

  private constructor(pieces: readonly Piece[], stream: Buffer, seed: number) {
    this.#pieces = pieces;
    this.#stream = stream;
    this.#random = seededRandom(seed);
  }

  /** @param stream of an export; its empty directories, which are most of it, are left out */
  static async of(stream: Uint8Array, seed: number): Promise<Mutator> {
    const pieces = (await piecesOf(stream)).filter(({ entry }) => entry.type !== 'directory');
    return new Mutator(pieces, await written(pieces), seed);
  }

  async next(): Promise<Buffer> {
    const random = this.#random;
    switch (random(3)) {
      case 0:
        return mutate(this.#stream, random, INTERESTING);
      case 1:
        return resealed(mutate(this.#stream, random, INTERESTING));
      default:
        return written(this.#rearranged());
    }
  }

  #rearranged(): readonly Piece[] {
    const random = this.#random;
    const pieces = [...this.#pieces];
    for (let changes = 1 + random(3); changes > 0; changes--) {
      const at = random(pieces.length);
      const piece = pieces[at];
      if (piece === undefined) return pieces;
      pieces.splice(at, 1, ...this.#changed(piece));
      if (random(4) === 0) pieces.splice(random(pieces.length + 1), 0, piece);
    }
    return pieces;
  }

  #changed(piece: Piece): readonly Piece[] {
    const random = this.#random;
    const { path, linkTarget } = piece.entry;
    switch (random(8)) {
      case 0:
        return [];
      case 1:
        return [piece, piece];
      case 2:
        return piece.entry.type === 'file' ? [withDamage(piece)] : [piece];
      case 3:
        return [withEntry(piece, { path: PATHS[random(PATHS.length)] ?? 'x' })];
      case 4:
        return [withEntry(piece, { path: this.#pieces[random(this.#pieces.length)]?.entry.path ?? path })];
      case 5:
        return [this.#ofType(piece, TYPES[random(TYPES.length)] ?? 'file')];
      case 6:
        return linkTarget === undefined ? [] : [withEntry(piece, { linkTarget: PATHS[random(PATHS.length)] })];
      default:
        return [withEntry(piece, { uid: random(3), gid: random(3), mode: random(0o10000) })];
    }
  }

  #ofType(piece: Piece, type: (typeof TYPES)[number]): Piece {
    const isLink = type === 'symlink' || type === 'hardlink';
    const target = this.#pieces[this.#random(this.#pieces.length)]?.entry.path;
    const data = type === 'file' ? piece.data : Buffer.alloc(0);
    return { ...withEntry(piece, { type, linkTarget: isLink ? target : undefined }), data };
  }
}

/** With sums of headers that are right, so that the damage is found by whoever reads further. */
function resealed(bytes: Buffer): Buffer {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (bytes.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
    bytes.fill(' ', at + 148, at + 156);
    const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  }
  return bytes;
}
