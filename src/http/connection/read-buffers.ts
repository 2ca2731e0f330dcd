import { Buffer } from 'node:buffer';
import type { OnReadOpts } from 'node:net';

export interface ReadSizes {
  /** The most that one read brings, and the size of a slot. */
  readonly read: number;
  readonly slots: number;
  /** A shorter read is copied and leaves its slot free: it costs less than a slot that stays occupied. */
  readonly copyBelow: number;
  /** At so many bytes that are not taken yet the stream stops reading. */
  readonly highWaterMark: number;
}

/** With a rate limit an eighth of a second's worth at a time, so that a slow transfer flows instead of jerking. */
export function plainSizes(limitRate: number | undefined): ReadSizes {
  if (limitRate === undefined) return { read: 256 * 1024, slots: 8, copyBelow: 64 * 1024, highWaterMark: 256 * 1024 };
  const read = Math.min(64 * 1024, Math.max(4096, Math.floor(limitRate / 8)));
  return { read, slots: 1, copyBelow: Number.POSITIVE_INFINITY, highWaterMark: read };
}

/** A TLS record holds 16 KiB at most. */
export const TLS_SIZES: ReadSizes = { read: 16 * 1024, slots: 16, copyBelow: 8 * 1024, highWaterMark: 64 * 1024 };

/**
 * Receive buffers of one connection, used in turn, instead of a fresh one for every read: half the system time, larger
 * chunks, and 20 to 30 MB less memory waiting for the garbage collector.
 *
 * A chunk is overwritten some reads later, so it must be used up or copied when it is handed out. The stream itself never
 * holds one too long: before it stops reading it takes at most highWaterMark / copyBelow + 1 occupied slots; one more is
 * being consumed and one is lent to the socket.
 */
export function createReadBuffers(sizes: ReadSizes, push: (chunk: Uint8Array) => boolean): OnReadOpts {
  const { read, slots, copyBelow } = sizes;
  const memory = Buffer.allocUnsafeSlow(slots * read);
  let slot = 0;
  return {
    buffer: () => memory.subarray(slot * read, (slot + 1) * read),
    callback(length, buffer) {
      if (length < copyBelow) return push(Buffer.from(buffer.subarray(0, length)));
      slot = (slot + 1) % slots;
      return push(buffer.subarray(0, length));
    },
  };
}
