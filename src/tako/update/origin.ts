/** Where manifests and images come from: a web server, or a directory named by a `file:` URL. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { CodedError, codeOf } from '../../base/error.ts';
import type { HttpClient } from '../../http/index.ts';
import type { OriginUrl } from '../config/values.ts';
import { TakoError } from '../error.ts';
import { MANIFEST_LIMIT } from '../manifest/manifest.ts';

/** Receives an image synchronously, chunk by chunk. */
export interface ImageSink {
  /** What the manifest says. */
  readonly size: number;
  /** Bytes that are there already. */
  readonly offset: number;
  onChunk(chunk: Uint8Array): void;
  /** Forget everything received so far: the next byte is the first one. */
  onRestart(): void;
}

export type ReceivedManifest =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'document'; readonly bytes: Uint8Array; readonly etag: string | undefined };

/** What `fetch` needs from an origin; tests bring their own. */
export interface Origin {
  /** The URL without credentials, ending in `/`. */
  readonly shown: string;
  readManifest(etag: string | undefined, signal: AbortSignal): Promise<ReceivedManifest>;
  /** @throws CodedError HTTP_GONE when the publisher has withdrawn the image */
  readImage(sha256: string, sink: ImageSink, signal: AbortSignal): Promise<void>;
}

export function openOrigin(url: OriginUrl, http: () => HttpClient): Origin {
  return url.directory === undefined ? webOrigin(url, http) : directoryOrigin(url.shown, url.directory);
}

function webOrigin(url: OriginUrl, http: () => HttpClient): Origin {
  return {
    shown: url.shown,
    readManifest: (etag, signal) =>
      http().getDocument(`${url.base}manifest`, {
        limit: MANIFEST_LIMIT,
        ...(etag === undefined ? {} : { etag }),
        signal,
      }),
    readImage: (sha256, sink, signal) => http().download(`${url.base}store/${sha256}`, { ...bound(sink), signal }),
  };
}

/** A sink's methods, usable without it. */
function bound(sink: ImageSink): ImageSink {
  const { size, offset } = sink;
  return { size, offset, onChunk: (chunk) => sink.onChunk(chunk), onRestart: () => sink.onRestart() };
}

const CHUNK_BYTES = 2 ** 20;

/** The administrator named this directory, so links in it are followed; only regular files are read. */
function directoryOrigin(shown: string, directory: string): Origin {
  return {
    shown,
    async readManifest() {
      const path = join(directory, 'manifest');
      return withFile(path, async (fd, size) => {
        if (size > MANIFEST_LIMIT) throw new CodedError('TOO_LARGE', `${path}: larger than ${MANIFEST_LIMIT} bytes`);
        const bytes = Buffer.alloc(size);
        let length = 0;
        for (let n = 1; n > 0 && length < size; length += n) n = fs.readSync(fd, bytes, length, size - length, length);
        return { kind: 'document', bytes: bytes.subarray(0, length), etag: undefined };
      });
    },
    readImage(sha256, sink, signal) {
      const path = join(directory, 'store', sha256);
      return withFile(path, async (fd, size) => {
        if (size !== sink.size)
          throw new CodedError('HTTP_LENGTH', `${path}: expected ${sink.size} bytes, found ${size}`);
        const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
        for (let position = sink.offset; position < size; ) {
          signal.throwIfAborted();
          const length = fs.readSync(fd, buffer, 0, Math.min(CHUNK_BYTES, size - position), position);
          if (length === 0) throw new CodedError('HTTP_INTERRUPTED', `${path}: became shorter while it was read`);
          sink.onChunk(buffer.subarray(0, length));
          position += length;
          await setImmediate(); // signals and other downloads want their turn
        }
      });
    },
  };
}

async function withFile<T>(path: string, use: (fd: number, size: number) => Promise<T>): Promise<T> {
  let fd: number;
  try {
    fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK); // a FIFO must not stop us
  } catch (cause) {
    const what = codeOf(cause) === 'ENOENT' ? 'no such file' : 'cannot be read';
    throw new TakoError('ORIGIN_UNREADABLE', `${path}: ${what}`, { cause, subject: path });
  }
  try {
    const stats = fs.fstatSync(fd);
    if (!stats.isFile()) throw new TakoError('ORIGIN_UNREADABLE', `${path}: not a regular file`, { subject: path });
    return await use(fd, stats.size);
  } finally {
    fs.closeSync(fd);
  }
}
