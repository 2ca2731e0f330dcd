/** GnuPG's keybox file (`pubring.kbx`), as far as to take the OpenPGP keys out of it. */

const MAGIC = Buffer.from('KBXf');
const OPENPGP_BLOB = 2;

/** Its first blob is a header with the magic at byte 8. */
export function isKeybox(bytes: Uint8Array): boolean {
  return bytes.length >= 12 && MAGIC.equals(bytes.subarray(8, 12));
}

export interface KeyboxContent {
  /** The packets of one key each. */
  readonly keys: readonly Uint8Array[];
  readonly flaw: string | undefined;
}

/**
 * Shape: blobs of u32 length (header included, big-endian), u8 type, u8 version, u16 flags; an OpenPGP blob goes on
 * with u32 offset and u32 length of the key block, the offset counted from the beginning of the blob.
 * Source: kbx/keybox-blob.c of GnuPG.
 */
export function readKeybox(bytes: Uint8Array): KeyboxContent {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const keys: Uint8Array[] = [];
  let at = 0;
  while (at < view.length) {
    const length = at + 8 <= view.length ? view.readUInt32BE(at) : 0;
    if (length < 8 || at + length > view.length) return { keys, flaw: `keybox is damaged at byte ${at}` };
    const blob = view.subarray(at, at + length);
    if (blob[4] === OPENPGP_BLOB) {
      const key = keyBlock(blob);
      if (key === undefined) return { keys, flaw: `keybox is damaged at byte ${at}` };
      keys.push(key);
    }
    at += length;
  }
  return { keys, flaw: undefined };
}

function keyBlock(blob: Buffer): Uint8Array | undefined {
  if (blob.length < 16) return undefined;
  const start = blob.readUInt32BE(8);
  const end = start + blob.readUInt32BE(12);
  return end <= blob.length ? blob.subarray(start, end) : undefined;
}
