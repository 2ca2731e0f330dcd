/** Damaged inputs, the same for the same seed. */

/** Numbers from 0 to 2^32-1 that are the same in every run (mulberry32). */
export function seededRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Bytes that mean something in the text formats. */
const INTERESTING = Buffer.from('\n \r\0=+/-#;*<\xff\xc3Tako Manifest', 'latin1');

/** One to three changes: a bit, a byte, a cut, an insertion, a piece twice, a piece gone. */
export function mutate(
  original: Uint8Array,
  random: (below: number) => number,
  interesting: Uint8Array = INTERESTING,
): Buffer {
  let bytes = Buffer.from(original);
  for (let changes = 1 + random(3); changes > 0; changes--) {
    const at = random(bytes.length + 1);
    const length = 1 + random(40);
    switch (random(6)) {
      case 0:
        if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
        break;
      case 1:
        if (at < bytes.length) bytes[at] = interesting[random(interesting.length)] ?? 0;
        break;
      case 2:
        bytes = bytes.subarray(0, at);
        break;
      case 3: {
        const piece = Buffer.from(
          Array.from({ length: 1 + random(4) }, () => interesting[random(interesting.length)] ?? 0),
        );
        bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
        break;
      }
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    }
  }
  return bytes;
}
