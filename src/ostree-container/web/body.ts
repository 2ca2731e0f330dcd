/** What is sent, whatever it is made of. */
import { createHash } from 'node:crypto';
import { quote } from '../../base/text.ts';

export interface Body {
  readonly size: number;
  readonly type: string;
  /** With its quotes; a strong one: equal tags, equal bytes. */
  readonly etag: string;
  readonly modified: Date | undefined;
  /** For good, or asked for again each time. */
  readonly caching: 'immutable' | 'revalidate';
  /** Can it be sent from the middle? */
  readonly isSeekable: boolean;
  /** More of its headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A piece stays valid. */
  chunks(start: number, end: number): AsyncIterable<Uint8Array>;
  close(): void;
}

/** The largest piece that is handed to a connection at once: a client must take it within the stall time. */
export const PIECE = 64 * 1024;

export function bytesBody(
  bytes: Uint8Array,
  options: Pick<Body, 'type' | 'modified'> & Partial<Pick<Body, 'headers'>>,
): Body {
  return {
    ...options,
    size: bytes.length,
    etag: `"${createHash('sha256').update(bytes).digest('base64url')}"`,
    caching: 'revalidate',
    isSeekable: true,
    chunks: (start, end) => pieces(bytes, start, end),
    close: () => undefined,
  };
}

export function textBody(text: string, options: Parameters<typeof bytesBody>[1]): Body {
  return bytesBody(Buffer.from(text), options);
}

async function* pieces(bytes: Uint8Array, start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; at += PIECE) yield bytes.subarray(at, Math.min(end, at + PIECE));
}

/** `Content-Disposition` for a file whose name is foreign text. Source: RFC 6266, RFC 8187. */
export function attachment(name: string): string {
  const plain = quote(name.replace(/[^A-Za-z0-9 ._+-]/g, '_'), 255);
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  return `attachment; filename=${plain}; filename*=UTF-8''${encoded}`;
}
