/**
 * ASCII armor (RFC 4880 section 6): blocks of base64 between dashed lines, with other text around and between them.
 *
 * The library returns the first block and drops the others without a word.
 */
import { decodeBase64 } from '../../base/decode.ts';

export interface ArmorBlock {
  /** `PGP SIGNATURE`, `PGP PUBLIC KEY BLOCK` ... */
  readonly label: string;
  /** Undefined when the block is damaged; then `flaw` says how. */
  readonly bytes: Uint8Array | undefined;
  readonly flaw: string | undefined;
}

const EDGE = /^-----(BEGIN|END) ([A-Z0-9 ,/]{1,40})-----$/;

/** All blocks in the order of the text; one that begins before another has ended ends that one. */
export function readArmor(bytes: Uint8Array): readonly ArmorBlock[] {
  const blocks: ArmorBlock[] = [];
  let open: { readonly label: string; readonly lines: string[] } | undefined;
  const cutOff = (): void => {
    if (open !== undefined) blocks.push(damaged(open.label, 'has no end'));
  };
  for (const text of Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1').split('\n')) {
    const line = text.trimEnd(); // blanks at the end of a line do not count in armor
    const [, edge, label = ''] = EDGE.exec(line) ?? [];
    if (edge === 'BEGIN') {
      cutOff();
      open = { label, lines: [] };
    } else if (edge === 'END') {
      if (open?.label === label) blocks.push(readBlock(label, open.lines));
      else cutOff();
      open = undefined;
    } else {
      open?.lines.push(line);
    }
  }
  cutOff();
  return blocks;
}

function readBlock(label: string, lines: readonly string[]): ArmorBlock {
  const blank = lines.indexOf('');
  if (blank === -1 || !lines.slice(0, blank).every((line) => line.includes(':'))) {
    return damaged(label, 'has no blank line before its data');
  }
  const body = lines.slice(blank + 1).filter((line) => line !== '');
  const sum = /^=([A-Za-z0-9+/]{4})$/.exec(body.at(-1) ?? '')?.[1];
  const bytes = decodeBase64((sum === undefined ? body : body.slice(0, -1)).join(''));
  if (bytes === undefined) return damaged(label, 'is not base64');
  // RFC 9580 does away with the checksum, so it may be absent; a wrong one still is a damaged file.
  if (sum !== undefined && checksum(bytes) !== sum) return damaged(label, 'has a wrong checksum');
  return { label, bytes, flaw: undefined };
}

function damaged(label: string, flaw: string): ArmorBlock {
  return { label, bytes: undefined, flaw };
}

/** CRC-24 of RFC 4880 section 6.1, in base64. */
function checksum(bytes: Uint8Array): string {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ ((crc & 0x800000) === 0 ? 0 : 0x1864cfb);
    crc &= 0xffffff;
  }
  return Buffer.from([crc >> 16, crc >> 8, crc]).toString('base64');
}
